"""The bronze tables: how they are made and written."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from ingest.errors import IngestError
from ingest.item import Item

DDL = """
create schema if not exists bronze;

create table if not exists bronze.raw_items (
    url_hash text not null,
    source text not null,
    collection_date date not null,
    url text not null,
    title text,
    body text,
    created_at timestamp not null,
    comment_count bigint,
    vote_count bigint,
    collected_at timestamp not null
);

create table if not exists bronze.ingest_windows (
    source text not null,
    collection_date date not null,
    window_start timestamp not null,
    query text not null,
    window_end timestamp not null,
    reported_total bigint,
    fetched bigint not null,
    stored bigint not null,
    status text not null,
    error text,
    finished_at timestamp not null
);
"""

ITEM_SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("source", pa.string()),
        ("collection_date", pa.date32()),
        ("url", pa.string()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("created_at", pa.timestamp("us")),
        ("comment_count", pa.int64()),
        ("vote_count", pa.int64()),
    ]
)

# MERGE rather than a primary key with ON CONFLICT: the same statement works on every catalog that
# DuckDB writes, and a key's index would only cost time here.
UPSERT_ITEMS = """
merge into bronze.raw_items as known
using (select *, $now as collected_at from arriving) as arriving
using (url_hash)
when matched and (
    known.source, known.collection_date, known.title, known.body, known.created_at, known.comment_count,
    known.vote_count
) is distinct from (
    arriving.source, arriving.collection_date, arriving.title, arriving.body, arriving.created_at,
    arriving.comment_count, arriving.vote_count
) then update by name
when not matched then insert by name
returning merge_action
"""

UPSERT_WINDOW = """
merge into bronze.ingest_windows
using (
    select
        $source as source, $collection_date as collection_date, $window_start as window_start, $query as query,
        $window_end as window_end, $reported_total as reported_total, $fetched as fetched, $stored as stored,
        $status as status, $error as error, $now as finished_at
) as closed
using (source, collection_date, window_start, query)
when matched then update by name
when not matched then insert by name
"""


class Stored(NamedTuple):
    """How many distinct posts a write brought, changed and knew already."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def plus(self, other: "Stored") -> "Stored":
        """Sum column by column."""
        return Stored(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def now() -> datetime:
    """This second, UTC, without a zone, as DuckDB's TIMESTAMP has it."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def database_path() -> str:
    """The DuckDB file of this project, from GROUNDSWELL_DB."""
    return os.environ.get("GROUNDSWELL_DB") or "groundswell.duckdb"


@contextmanager
def open_store() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database with the bronze tables in place; errors as in connect_to."""
    with connect_to(database_path()) as connection:
        connection.execute(DDL)
        yield connection


def connect_to(path: str) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file. Raises IngestError where another process holds it or it is no database."""
    try:
        return duckdb.connect(path)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        holder = re.search(r"PID (\d+)", reason)
        if holder:
            reason = f"process {holder.group(1)} is using it; try again when that has ended"
        raise IngestError(f"{path} can not be opened: {reason}") from error


def upsert_items(connection: duckdb.DuckDBPyConnection, items: Sequence[Item]) -> Stored:
    """Store distinct posts, all or none: new ones inserted, changed ones updated, nothing deleted."""
    if not items:
        return Stored()
    arriving = pa.Table.from_pylist(  # noqa: F841  (DuckDB finds it by name)
        [
            item.model_dump(include=set(Item.model_fields))
            | {
                "url_hash": item.url_hash,
                "collection_date": item.collection_date,
                "created_at": item.created_at.replace(tzinfo=None),
            }
            for item in items
        ],
        schema=ITEM_SCHEMA,
    )
    actions = Counter(action for (action,) in connection.execute(UPSERT_ITEMS, {"now": now()}).fetchall())
    return Stored(actions["INSERT"], actions["UPDATE"], len(items) - actions.total())


def record_window(connection: duckdb.DuckDBPyConnection, window: Mapping[str, Any]) -> None:
    """Write the outcome of a window, a row of bronze.ingest_windows, in place of an earlier one of the same window."""
    connection.execute(UPSERT_WINDOW, {**window, "now": now()})
