"""Names of relations for the queries of Python models.

DuckDB resolves a bare name in a query to a table of the catalog before it looks for a Python variable of that name. A
query therefore names the relation that `dbt.ref()` or `dbt.source()` returned, or a table of the schema `temp`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa


def subquery(relation: duckdb.DuckDBPyRelation) -> str:
    """A relation of `dbt.ref()` or `dbt.source()` as a subquery, for any connection to the same database."""
    return f"({relation.sql_query()})"


def journal_of(this: Any) -> str:
    """The quoted name of the journal of a Python model: the table beside `dbt.this`, as macro `journal` names it."""
    return f'"{this.database}"."{this.schema}"."{this.identifier}__journal"'


@contextmanager
def arrow_view(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> Iterator[str]:
    """Give an Arrow table a name for the length of a with block; yields the name for queries of this connection."""
    connection.register(name, table)
    try:
        yield f"temp.{name}"
    finally:
        connection.unregister(name)


def table_name(relation: duckdb.DuckDBPyRelation) -> str:
    """The quoted name of the table that a relation of `dbt.ref()` or `dbt.source()` reads, to write to the table."""
    [name] = duckdb.get_table_names(relation.sql_query(), qualified=True)
    return name
