"""Brings the rows of the lake that a command needs into the worker's file."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import duckdb

from groundswell.database import create_in_any_order, database_path, one_transaction
from groundswell.lake import LakeError
from groundswell.lake.address import Lake, attach, lake_errors, load_extension
from groundswell.lake.scope import ELSEWHERE, SELECTED, Scope
from groundswell.lake.tables import LAKE, SCHEMAS, Table, tables_of

# A table of the worker's file which says that the file is a copy of the lake, and may be replaced.
MARK = "main.copy_of_lake"
# A table of the lake: the views of the project, which a command that reads finds without dbt.
VIEWS = f"{LAKE}.main.views"

# A table of the worker's file: the hashes of all rows that were pulled, by table and unit.
ROWS = "main.pulled_rows"

# Rows and the sum of their hashes, by unit.
Units = dict[str, tuple[int, int]]


@dataclass
class Pulled:
    """What a worker has pulled, or published since. The hashes of the rows stand in table ROWS of its file.

    forgotten: how many posts were erased by then. units: by table. tables: those of the lake, with their columns.
    """

    scope: Scope
    forgotten: int
    units: dict[str, Units] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)


def quoted(connection: duckdb.DuckDBPyConnection) -> str:
    """The quoted name of the file's database. Statements name it, since the lake is attached beside it."""
    [(name,)] = connection.execute("select current_database()").fetchall()
    return '"' + str(name).replace('"', '""') + '"'


def attach_exactly(connection: duckdb.DuckDBPyConnection, lake: Lake, *, read_only: bool = False) -> None:
    """Attach the lake so that each number is stored as it is. Raises LakeError.

    DuckLake keeps small inserts in its catalog, as text that rounds numbers: some differ in their last digit.
    """
    load_extension(connection, "ducklake")
    connection.execute("set ducklake_default_data_inlining_row_limit = 0")
    attach(connection, lake, read_only=read_only)


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, lake: Lake, *, read_only: bool = False) -> Iterator[None]:
    """Attach the lake during a with block. Raises LakeError for any error of DuckDB, in one line.

    DuckLake loses values from the statistics of a table: of a file in which a whole row group of a column is null, for
    one. DuckDB takes such statistics for a proof that no row has the value, so they are not asked.
    """
    attach_exactly(connection, lake, read_only=read_only)
    [(disabled,)] = connection.execute("select current_setting('disabled_optimizers')").fetchall()
    try:
        connection.execute("set disabled_optimizers = ?", [f"{disabled},statistics_propagation".lstrip(",")])
        with lake_errors(lake):
            yield
    finally:
        with suppress(duckdb.Error):
            connection.execute("set disabled_optimizers = ?", [disabled])
            connection.execute(f"detach {LAKE}")


def exists(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Whether the lake has a table."""
    found = connection.execute(
        "select 1 from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
        [LAKE, schema, name],
    ).fetchall()
    return bool(found)


def hashes(connection: duckdb.DuckDBPyConnection, table: Table) -> Units:
    """The rows of a table of the file and the sum of their hashes, by unit."""
    rows = connection.execute(
        f"select {table.unit} as unit, count(*), sum({table.row_hash}) from {table.here}"
        " group by all having count(*) > 0"
    ).fetchall()
    return {unit: (count, total) for unit, count, total in rows}


def keep_hashes(connection: duckdb.DuckDBPyConnection, table: Table, pulled: Pulled, condition: str = "true") -> None:
    """Note the rows of a table as those that the lake has, as far as they meet a condition."""
    connection.execute(
        f"insert into {quoted(connection)}.{ROWS}"
        f" select $name, {table.unit} as unit, {table.row_hash} as row_hash, count(*)"
        f" from {table.here} where {condition} group by all",
        {"name": table.full_name},
    )
    rows = connection.execute(
        f"select unit, sum(copies), sum(row_hash::hugeint * copies) from {ROWS} where name = ? group by all",
        [table.full_name],
    ).fetchall()
    pulled.units[table.full_name] = {unit: (count, total) for unit, count, total in rows}
    pulled.tables[table.full_name] = table


def count_forgotten(connection: duckdb.DuckDBPyConnection) -> int:
    """How many posts of the lake were erased."""
    if not exists(connection, "bronze", "forgotten"):
        return 0
    [(count,)] = connection.execute(f"select count(*) from {LAKE}.bronze.forgotten").fetchall()
    return int(count)


def pull(connection: duckdb.DuckDBPyConnection, lake: Lake, scope: Scope) -> Pulled:
    """Replace the tables of a worker's file by those of the lake, as far as the scope reaches.

    Raises LakeError if the lake can not be read, and if the file holds posts but is no copy of the lake.
    """
    with attached(connection, lake):
        with one_transaction(connection):
            pulled = copy_tables(connection, scope)
        if scope.has_views and exists(connection, "main", "views"):
            rows = connection.execute(f"select sql from {VIEWS} order by position").fetchall()
            # A view that can not be created is left out: the next build creates it anew.
            create_in_any_order(connection, [sql for (sql,) in rows])
    return pulled


def copy_tables(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Pulled:
    """Copy the tables and views in one transaction, so that all are of one snapshot."""
    refuse_other_data(connection)
    here = quoted(connection)
    for schema in SCHEMAS:
        connection.execute(f"drop schema if exists {here}.{schema} cascade")
    connection.execute(f"create or replace table {here}.{ROWS} (name text, unit text, row_hash ubigint, copies bigint)")
    pulled = Pulled(scope, count_forgotten(connection))
    tables = tables_of(connection, LAKE)
    conditions = scope.conditions(connection, tables)
    for table in filter(scope.has, tables):
        condition = conditions.get(table.full_name, "true")
        values = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in table.columns.items())
        connection.execute(f"create schema if not exists {here}.{table.schema}")
        query = f"select {values} from {table.there} where ({condition}) {table.latest}"
        connection.execute(f"create table {here}.{table.here} as {query}")
        keep_hashes(connection, table, pulled)
    for name in SELECTED.keys() - {ELSEWHERE}:
        connection.execute(f"drop table if exists temp.{name}")
    return pulled


def refuse_other_data(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise LakeError if the file holds data of its own, which a pull would replace; else mark it as a copy."""
    here = quoted(connection)
    names = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
    }
    if MARK not in names:
        if any(name.startswith(tuple(f"{schema}." for schema in SCHEMAS)) for name in names):
            raise LakeError(
                f"{database_path()} holds tables of its own, and with GROUNDSWELL_LAKE a copy of the lake would replace"
                " them: name a new file with GROUNDSWELL_DB"
            )
        connection.execute(f"create table {here}.{MARK} (copied_of varchar)")
