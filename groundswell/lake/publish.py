"""Writes what a worker has changed in its file to the lake, in one transaction."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import duckdb

from groundswell.database import one_transaction
from groundswell.lake import LakeError
from groundswell.lake.address import Lake
from groundswell.lake.locks import lock
from groundswell.lake.pull import (
    ROWS,
    VIEWS,
    Pulled,
    Units,
    attached,
    count_forgotten,
    exists,
    hashes,
    keep_hashes,
)
from groundswell.lake.tables import BRONZE, EARLIEST_STAYS, LAKE, LOGS, SCHEMAS, Table, lake_type, tables_of

# How a table is published: by its rows, with the key of a row, if it has one; None: as a whole.
Keys = Mapping[str, Sequence[str] | None]


# Makes the table of the units of a change.
MAKE_UNITS = "create or replace temp table changed_units as select unnest(?::text[]) as unit"
# A condition on the unit of a row.
OF_UNITS = "{} in (select unit from temp.changed_units)"


class Change(NamedTuple):
    """What differs in a table from what was pulled: the units.

    key: the columns of the key of a row, () without one; None: the table is replaced as a whole. before: the table with
    the columns that were pulled. Where the build has added one, the rows had other hashes then.
    """

    table: Table
    units: list[str]
    key: Sequence[str] | None
    before: Table


def changes(connection: duckdb.DuckDBPyConnection, pulled: Pulled, keys: Keys) -> list[Change]:
    """The tables and units of the worker's file that differ from what was pulled."""
    found = []
    for table in tables_of(connection):
        name = table.full_name
        if name not in keys or not pulled.scope.has(table):
            continue
        before: Units = pulled.units.get(name, {})
        after = hashes(connection, table)
        known = pulled.tables.get(name, table)
        is_wider = list(known.columns) != list(table.columns)
        units = sorted(unit for unit in before.keys() | after.keys() if is_wider or before.get(unit) != after.get(unit))
        if units or name not in pulled.tables:
            found.append(Change(table, units, keys[name], known))
    return found


def publish(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    pulled: Pulled,
    keys: Keys,
    *,
    with_views: bool = False,
) -> list[str]:
    """Write what differs from what was pulled to the lake; returns the names of the tables that were written.

    The rows are those that this worker has changed: rows that others have added meanwhile stay. Nothing is written if
    nothing differs.

    Raises LakeError if the lake can not be written, or if posts were erased meanwhile.
    """
    found = changes(connection, pulled, keys)
    with lock(lake, "publish") as held, attached(connection, lake):
        views = changed_views(connection) if with_views else []
        if not found and not views:
            return []
        with one_transaction(connection):
            if count_forgotten(connection) != pulled.forgotten:
                raise LakeError(
                    "posts were erased from the lake while this command ran, so it stores nothing: run it again"
                )
            # One question for all tables: each question to the catalog takes a tenth of a second.
            there = {table.full_name: table for table in tables_of(connection, LAKE)}
            for change in found:
                write(connection, change, there)
            write_views(connection, views)
            tidy_logs(connection, there)
            held.require()
    # A table of this name would hide a table that the command registers.
    connection.execute("drop table if exists temp.rows_to_publish")
    for change in found:
        note(connection, pulled, change)
    return [change.table.full_name for change in found]


def tidy_logs(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> None:
    """Leave one row of each call and request: the one with its answer; in no journal if it is in its table by now.

    tables: those of the lake, by name.
    """
    for name, table in tables.items():
        attempts = tables.get(name.removesuffix("__journal"))
        if attempts and table.is_journal:
            connection.execute(
                f"delete from {table.there} where attempt_id in (select attempt_id from {attempts.there})"
            )
    for name, (key, is_open) in LOGS.items():
        if name in tables:
            table = tables[name]
            connection.execute(
                f"delete from {table.there} where {is_open}"
                f" and {key} in (select {key} from {table.there} where not ({is_open}))"
            )


def note(connection: duckdb.DuckDBPyConnection, pulled: Pulled, change: Change) -> None:
    """Note that the lake has the rows of a change now."""
    name = change.table.full_name
    connection.execute(f"delete from {ROWS} where name = ? and list_contains(?::text[], unit)", [name, change.units])
    connection.execute(MAKE_UNITS, [change.units])
    keep_hashes(connection, change.table, pulled, OF_UNITS.format(change.table.unit))


def write(connection: duckdb.DuckDBPyConnection, change: Change, there: dict[str, Table]) -> None:
    """Write a changed table to the lake. there: the tables of the lake, by name; the table is among them then."""
    table = change.table
    if change.key is None and types(table) != types(change.before):
        connection.execute(f"drop table if exists {table.there}")
        there.pop(table.full_name, None)
    is_new = make_table(connection, table, there.get(table.full_name))
    there[table.full_name] = table
    if change.key is None:
        connection.execute(f"delete from {table.there}")
        connection.execute(f"insert into {table.there} by name select {table.values} from {table.here}")
        return
    if not change.units:
        return
    compare_rows(connection, change)
    if not is_new:
        # A row that others have changed meanwhile has another hash, and is left to its key.
        is_gone = f"{change.before.row_hash} in (select row_hash from temp.changed_rows where before > 0)"
        connection.execute(f"delete from {table.there} where {of_days(change)} and {is_gone}")
    connection.execute(
        f"create or replace temp table rows_to_publish as select {table.values} from {table.here}"
        f" where {OF_UNITS.format(table.unit)}"
        f" and {table.row_hash} in (select row_hash from temp.changed_rows where after > 0)"
    )
    if change.key and not is_new:
        is_same = " and ".join(f'theirs."{column}" is not distinct from mine."{column}"' for column in change.key)
        if table.full_name in EARLIEST_STAYS:
            connection.execute(
                f"delete from temp.rows_to_publish as mine using {table.there} as theirs"
                f" where {is_same} and theirs.{table.day} <= mine.{table.day}"
            )
        connection.execute(f"delete from {table.there} as theirs using temp.rows_to_publish as mine where {is_same}")
    connection.execute(f"insert into {table.there} by name from temp.rows_to_publish")


def types(table: Table) -> dict[str, str]:
    """The columns of a table in the lake, with their types."""
    return {name: lake_type(kind) for name, kind in table.columns.items()}


def compare_rows(connection: duckdb.DuckDBPyConnection, change: Change) -> None:
    """Make table temp.changed_rows: hashes of rows that were pulled and are gone, and of rows that are new.

    before, after: how many such rows there were, and are.
    """
    table = change.table
    connection.execute(MAKE_UNITS, [change.units])
    connection.execute(
        f"""
        create or replace temp table changed_rows as
        with
            before as (
                select row_hash, sum(copies) as copies from {ROWS}
                where name = $name and {OF_UNITS.format("unit")}
                group by all
            ),
            after as (
                select {table.row_hash} as row_hash, count(*) as copies from {table.here}
                where {OF_UNITS.format(table.unit)}
                group by all
            )
        select row_hash, coalesce(before.copies, 0) as before, coalesce(after.copies, 0) as after
        from before full join after using (row_hash)
        where before.copies is distinct from after.copies
        """,
        {"name": table.full_name},
    )


def of_days(change: Change) -> str:
    """A condition that leaves out files of other days, whose least and greatest days DuckLake knows."""
    named = {unit.rpartition(" ")[2] for unit in change.units}
    if not change.table.day or not all(len(day) == len("2026-11-20") for day in named):
        return "true"
    listed = ", ".join(f"date '{day}'" for day in sorted(named))
    return f"{change.table.day} in ({listed})"


def make_table(connection: duckdb.DuckDBPyConnection, table: Table, found: Table | None) -> bool:
    """Create a table in the lake, or add the columns that it lacks; returns whether it is new.

    found: the table that the lake has.
    """
    if not found:
        columns = ", ".join(f'"{name}" {lake_type(kind)}' for name, kind in table.columns.items())
        connection.execute(f"create schema if not exists {LAKE}.{table.schema}")
        connection.execute(f"create table {table.there} ({columns})")
        return True
    for name, kind in table.columns.items():
        if name not in found.columns:
            connection.execute(f'alter table {table.there} add column "{name}" {lake_type(kind)}')
    return False


def changed_views(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, int]]:
    """The views of the file that the lake does not know as they are: schema, name, SQL and position."""
    views = connection.execute(
        "select schema_name, view_name, sql, row_number() over (order by view_oid) from duckdb_views()"
        " where database_name = current_database() and list_contains($schemas, schema_name) order by all",
        {"schemas": list(SCHEMAS)},
    ).fetchall()
    known = set()
    if exists(connection, "main", "views"):
        known = set(connection.execute(f"select schema_name, view_name, sql from {VIEWS}").fetchall())
    return [view for view in views if view[:3] not in known]


def write_views(connection: duckdb.DuckDBPyConnection, views: Sequence[tuple[str, str, str, int]]) -> None:
    """Write the SQL of views to the lake."""
    if views and not exists(connection, "main", "views"):
        connection.execute(f"create table {VIEWS} (schema_name text, view_name text, sql text, position bigint)")
    for schema, name, sql, position in views:
        connection.execute(f"delete from {VIEWS} where schema_name = ? and view_name = ?", [schema, name])
        connection.execute(f"insert into {VIEWS} values (?, ?, ?, ?)", [schema, name, sql, position])


def keys_of_bronze() -> Keys:
    """The keys of the tables that commands write."""
    return {f"bronze.{name}": key for name, key in BRONZE.items()}
