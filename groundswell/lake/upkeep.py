"""What keeps the lake small: old snapshots, small files, files that nobody needs; and what it holds."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
from rich.table import Column, Table

from groundswell.database import table
from groundswell.lake import LakeError
from groundswell.lake.address import (
    ALIAS,
    Lake,
    attach,
    connect_catalog,
    examine,
    lake_errors,
    literal,
    one_line,
    quote_name,
    refuse_new_lake,
)
from groundswell.lake.locks import lock, locks_held

# No writer is at work while the lake is tidied. A reader may still need files that the newest snapshot has not.
GRACE = timedelta(hours=1)
# Who waits for a table of Postgres makes all others wait, and a reader may have it for long.
COMPACT_PATIENCE = "10s"
# A file is written anew when this share of its rows was deleted.
DELETED_SHARE = 0.25
# The table of all posts, and its column with the day.
POSTS = ("bronze", "raw_items")
DAY = "collection_date"
CATALOG = f"__ducklake_metadata_{ALIAS}"
# What lies in the data path, by the table's folder: DuckLake writes SCHEMA/TABLE/..., and deletes no other files.
STORED = """
    select
        array_to_string(string_split(substr(filename, length($data) + 1), '/')[:2], '.') as table_name,
        count(*) as files,
        sum(size)::bigint as bytes
    from read_blob($data || '**')
    where filename like '%/%.parquet'
    group by table_name
"""
# DuckLake keeps the least and the greatest value of each column, which may be a deleted text. They are taken anew
# from the files of the newest snapshot, each of which has its own two values. Null stands for no value.
NARROW_STATISTICS = """
    update {catalog}.ducklake_table_column_stats as known
    set min_value = present.least, max_value = present.greatest
    from (
        select
            columns.table_id, columns.column_id,
            min(stored.min_value) as least,
            max(stored.max_value) as greatest,
            coalesce(
                bool_and(stored.min_value is not null and stored.max_value is not null
                    or stored.value_count = stored.null_count),
                true
            ) as is_known
        from {catalog}.ducklake_column as columns
        left join {catalog}.ducklake_data_file as files
            on columns.table_id = files.table_id and files.end_snapshot is null
        left join {catalog}.ducklake_file_column_stats as stored
            on files.data_file_id = stored.data_file_id and columns.column_id = stored.column_id
        where columns.column_type = 'varchar' and columns.end_snapshot is null
        group by columns.table_id, columns.column_id
    ) as present
    where known.table_id = present.table_id and known.column_id = present.column_id and present.is_known
"""


# From the catalog alone: a query for each table would take a second for ten tables.
ROWS = """
    select
        schemas.schema_name || '.' || tables.table_name as table_name,
        coalesce(sum(files.record_count), 0)::bigint - coalesce(sum(deleted.rows), 0)::bigint as rows
    from {catalog}.ducklake_table as tables
    inner join {catalog}.ducklake_schema as schemas on tables.schema_id = schemas.schema_id
    left join {catalog}.ducklake_data_file as files on tables.table_id = files.table_id and files.end_snapshot is null
    left join (
        select data_file_id, sum(delete_count) as rows
        from {catalog}.ducklake_delete_file
        where end_snapshot is null
        group by data_file_id
    ) as deleted on files.data_file_id = deleted.data_file_id
    where tables.end_snapshot is null and schemas.end_snapshot is null
    group by schemas.schema_name, tables.table_name
    order by schemas.schema_name, tables.table_name
"""
CATALOG_TABLES = """
    select tablename, schemaname from pg_catalog.pg_tables
    where tablename like 'ducklake%%' and schemaname = coalesce(%s, current_schema())
"""


@dataclass(frozen=True)
class Stored:
    """The Parquet files of a table: of all snapshots, and those that no snapshot knows."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Tidied:
    """What was done, and what lay there before and after, by table (SCHEMA.TABLE)."""

    snapshots: int
    rewritten: int
    merged: int
    cleaned: int
    orphaned: int
    before: dict[str, Stored]
    after: dict[str, Stored]

    @property
    def sentence(self) -> str:
        """What was done, for a person."""
        return (
            f"Expired {self.snapshots:,} snapshots; wrote {self.rewritten:,} files anew without deleted rows; merged"
            f" {self.merged:,} files; deleted {self.cleaned:,} old and {self.orphaned:,} orphaned files"
        )


@dataclass(frozen=True)
class Status:
    """What the lake holds. rows and stored: by table; days: the first with posts, the last, and their number."""

    snapshots: int
    oldest: datetime | None
    newest: datetime | None
    rows: dict[str, int]
    stored: dict[str, Stored]
    days: tuple[date, date, int] | None
    locks: list[tuple[str, str]]

    @property
    def sentences(self) -> Iterator[str]:
        """All but the tables, for a person."""
        if self.oldest and self.newest:
            yield f"{self.snapshots:,} snapshots, from {self.oldest:%Y-%m-%d %H:%M} to {self.newest:%Y-%m-%d %H:%M} UTC"
        if self.days:
            yield f"Posts of {self.days[2]:,} days, from {self.days[0]} to {self.days[1]}"
        for name, holder in self.locks:
            yield f"Lock {name!r}: {holder}"
        if not self.locks:
            yield "No lock is held: no worker is at work"


def tidy(lake: Lake, keep: timedelta, *, erase_now: bool = False) -> Tidied:
    """Expire the snapshots that are older than keep, merge small files, and delete the files that nobody needs.

    Takes the lock "publish", so that no day is published meanwhile. With erase_now only the newest snapshot stays, and
    what it does not have is gone from the data path and from the catalog's tables. Raises LakeError.
    """
    if examine(lake) is None:
        refuse_new_lake(lake, read_only=True)
    with lock(lake, "publish") as held, duckdb.connect() as connection:
        attach(connection, lake)
        with lake_errors(lake):
            before = stored(connection)
            age = timedelta() if erase_now else keep
            grace = timedelta() if erase_now else GRACE
            share = 0.0 if erase_now else DELETED_SHARE
            # Rows that another program has put into the catalog become files.
            connection.execute(f"call ducklake_flush_inlined_data('{ALIAS}')").fetchall()
            rewritten = total(connection, f"ducklake_rewrite_data_files('{ALIAS}', delete_threshold => {share})")
            merged = total(connection, f"ducklake_merge_adjacent_files('{ALIAS}')")
            held.require()
            snapshots = count(connection, f"ducklake_expire_snapshots('{ALIAS}', older_than => {ago(age)})")
            which = "cleanup_all => true" if erase_now else f"older_than => {ago(grace)}"
            cleaned = count(connection, f"ducklake_cleanup_old_files('{ALIAS}', {which})")
            refuse_foreign_files(connection, which)
            orphaned = count(connection, f"ducklake_delete_orphaned_files('{ALIAS}', {which})")
            if erase_now:
                connection.execute(NARROW_STATISTICS.format(catalog=catalog_of(lake)))
            after = stored(connection)
    if erase_now:
        compact_catalog(lake)
    return Tidied(snapshots, rewritten, merged, cleaned, orphaned, before, after)


def status(lake: Lake) -> Status:
    """What the lake holds, and who works on it. Raises LakeError."""
    with duckdb.connect() as connection:
        attach(connection, lake, read_only=True)
        with lake_errors(lake):
            snapshots, oldest, newest = row(
                connection,
                f"select count(*), min(snapshot_time), max(snapshot_time) from ducklake_snapshots('{ALIAS}')",
            )
            rows = dict(connection.execute(ROWS.format(catalog=catalog_of(lake))).fetchall())
            days = None
            if rows.get(".".join(POSTS)):
                first, last, number = row(
                    connection,
                    f"select min({DAY}), max({DAY}), count(distinct {DAY}) from {ALIAS}.{table(*POSTS)}",
                )
                days = (first, last, number)
            return Status(snapshots, oldest, newest, rows, stored(connection), days, locks_held(lake))


def stored(connection: duckdb.DuckDBPyConnection) -> dict[str, Stored]:
    """What lies in the data path, by table. An object store is asked for its list only."""
    try:
        found = connection.execute(STORED, {"data": data_path(connection)}).fetchall()
    except duckdb.IOException as error:
        # A new lake has no files.
        if "No files found" not in str(error):
            raise
        found = []
    return {name: Stored(files, size) for name, files, size in found}


def refuse_foreign_files(connection: duckdb.DuckDBPyConnection, which: str) -> None:
    """Raise LakeError if the data path holds Parquet files of something else: DuckLake would delete them as orphans."""
    schemas = connection.execute("select schema_name from duckdb_schemas() where database_name = ?", [ALIAS]).fetchall()
    own = "|".join(re.escape(name) for (name,) in schemas)
    data = data_path(connection)
    for (path,) in connection.execute(
        f"call ducklake_delete_orphaned_files('{ALIAS}', dry_run => true, {which})"
    ).fetchall():
        if not re.fullmatch(rf"({own})/[^/]+/(.*/)?ducklake-[^/]+", path.removeprefix(data)):
            raise LakeError(
                f"{path} lies among the lake's data and is none of it: move it away, a lake needs a place of its own"
            )


def compact_catalog(lake: Lake) -> None:
    """Let Postgres write the catalog's tables anew: until then the values of deleted rows stay in their files."""
    if lake.kind != "postgres":
        return
    import psycopg

    with connect_catalog(lake, "tidy") as session:
        try:
            session.execute("select set_config('lock_timeout', %s, false)", [COMPACT_PATIENCE])
            for name, schema in session.execute(CATALOG_TABLES.encode(), [lake.schema]).fetchall():
                session.execute(f"vacuum (full) {quote_name(schema)}.{quote_name(name)}".encode())
        except psycopg.Error as error:
            raise LakeError(
                f"all is erased, but {lake.shown} may keep values in its free space ({one_line(lake, str(error))}): run"
                " the command again while nobody reads the lake"
            ) from None


def catalog_of(lake: Lake) -> str:
    """The catalog's own tables, as the connection names them."""
    return f"{CATALOG}.{quote_name(lake.schema)}" if lake.schema else CATALOG


def data_path(connection: duckdb.DuckDBPyConnection) -> str:
    """Where the lake's data is, with a slash at the end."""
    (path,) = row(connection, f"select value from ducklake_options('{ALIAS}') where option_name = 'data_path'")
    return str(path)


def ago(age: timedelta) -> str:
    """The moment so long ago, as SQL has it."""
    return f"now() - interval {literal(f'{age.total_seconds():.0f} seconds')}"


def count(connection: duckdb.DuckDBPyConnection, function: str) -> int:
    """How many rows a function of DuckLake returns: one for each snapshot or file that it has removed."""
    return len(connection.execute(f"call {function}").fetchall())


def total(connection: duckdb.DuckDBPyConnection, function: str) -> int:
    """How many files a function of DuckLake has made into other ones."""
    return sum(row[2] for row in connection.execute(f"call {function}").fetchall())


def row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The only row of a query."""
    [found] = connection.execute(query).fetchall()
    return tuple(found)


def tidied_table(tidied: Tidied) -> Table:
    """Files and bytes before and after, by table."""
    shown = Table(
        "table", *(Column(name, justify="right") for name in ("files before", "after", "bytes before", "after"))
    )
    for name in sorted({*tidied.before, *tidied.after}):
        old, new = tidied.before.get(name, Stored()), tidied.after.get(name, Stored())
        shown.add_row(name, *(f"{value:,}" for value in (old.files, new.files, old.bytes, new.bytes)))
    shown.add_section()
    old, new = sums(tidied.before), sums(tidied.after)
    shown.add_row("all", *(f"{value:,}" for value in (old.files, new.files, old.bytes, new.bytes)))
    return shown


def status_table(status: Status) -> Table:
    """Rows, files and bytes by table. The files are those of all snapshots."""
    shown = Table("table", *(Column(name, justify="right") for name in ("rows", "files", "bytes")))
    for name in sorted({*status.rows, *status.stored}):
        kept = status.stored.get(name, Stored())
        shown.add_row(
            name, f"{status.rows[name]:,}" if name in status.rows else "", f"{kept.files:,}", f"{kept.bytes:,}"
        )
    shown.add_section()
    all_files = sums(status.stored)
    shown.add_row("all", f"{sum(status.rows.values()):,}", f"{all_files.files:,}", f"{all_files.bytes:,}")
    return shown


def sums(tables: Mapping[str, Stored]) -> Stored:
    """All tables together."""
    return Stored(sum(table.files for table in tables.values()), sum(table.bytes for table in tables.values()))
