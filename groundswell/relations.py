"""Names relations in the queries of Python models.

For a bare name in a query, DuckDB looks for a table of that name first and for a Python variable second. A query
therefore names the relation that `dbt.ref()` or `dbt.source()` returned, or a table of the schema `temp`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa


def subquery(relation: duckdb.DuckDBPyRelation) -> str:
    """A relation of `dbt.ref()` or `dbt.source()` as a subquery; every connection to the database can run it."""
    return f"({relation.sql_query()})"


def journal_of(this: Any) -> str:
    """The quoted name of a Python model's journal, a table beside `dbt.this`; macro `journal` gives the same name."""
    return f'"{this.database}"."{this.schema}"."{this.identifier}__journal"'


@contextmanager
def arrow_view(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[str]:
    """Register an Arrow table under a name during a with block; yields the name for queries of this connection."""
    connection.register(name, table)
    try:
        yield f"temp.{name}"
    finally:
        connection.unregister(name)


def table_name(relation: duckdb.DuckDBPyRelation) -> str:
    """The quoted name of the table behind a relation of `dbt.ref()` or `dbt.source()`; statements can write to it."""
    [name] = duckdb.get_table_names(relation.sql_query(), qualified=True)
    return name
