"""Creates and writes the bronze tables."""

import hashlib
import json
import logging
import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from groundswell.clock import now
from groundswell.corrections import create_corrections
from groundswell.database import (
    IN_MEMORY,
    connect,
    database_path,
    existing,
    refuse_foreign,
    refuse_name,
    transaction,
    write_errors,
)
from groundswell.news.ledger import create_tables as create_messages
from ingest.errors import IngestError
from ingest.item import Item, clean_text, hash_authors, match_url, normalise_url, salt_fingerprint
from ingest.limits import Limits
from ingest.parsed import Rejected
from ingest.window import Window

log = logging.getLogger("groundswell.ingest")

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
    collected_at timestamp not null,
    match_url text
);
alter table bronze.raw_items add column if not exists author_hash text;

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
    finished_at timestamp
);
alter table bronze.ingest_windows add column if not exists pages_left text[];
alter table bronze.ingest_windows add column if not exists pages bigint;
alter table bronze.ingest_windows add column if not exists reading bigint;
alter table bronze.ingest_windows alter column finished_at drop not null;

create table if not exists bronze.rejected_items (
    entry_hash text not null,
    source text not null,
    query text not null,
    entry text not null,
    reason text not null,
    collected_at timestamp not null
);

create table if not exists bronze.unfinished_files (
    file_hash text not null,
    entries bigint not null,
    stored_at timestamp not null
);

create table if not exists bronze.forgotten (
    url_hash text not null,
    match_hash text not null,
    forgotten_at timestamp not null,
    rewritten_at timestamp,
    left_board_at timestamp
);

create table if not exists bronze.author_salts (
    fingerprint text not null,
    first_used_at timestamp not null
);

create table if not exists bronze.ingest_requests (
    request_id bigint not null,
    source text not null,
    url text not null,
    outcome text,
    allowance bigint not null,
    status_code bigint,
    span_seconds double not null,
    requested_at timestamp not null,
    answered_at timestamp
);
alter table bronze.ingest_requests add column if not exists pause_seconds double;
alter table bronze.ingest_requests add column if not exists left_at timestamp;
"""

ITEM_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("url", pa.string()),
        ("match_url", pa.string()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("created_at", pa.timestamp("us")),
        ("comment_count", pa.int64()),
        ("vote_count", pa.int64()),
        ("author_hash", pa.string()),
    ]
)

# The same before it is stored: with the author's name in place of its hash. A row of it, and where its fields stand.
NAMED_SCHEMA = pa.schema([*list(ITEM_SCHEMA)[:-1], pa.field("author", pa.string())])
Row = tuple[Any, ...]
SOURCE, MATCH_URL, TITLE, BODY, CREATED_AT = 0, 2, 3, 4, 5

# The rows of the table that arriving posts are versions of. Only keys are read of the table: its texts are long.
FIND_KNOWN = """
create or replace temporary table known_rows as
select arriving.match_url, stored.rowid as row_number
from bronze.raw_items as stored join arriving on arriving.match_url = coalesce(stored.match_url, stored.url)
"""

INSERT_NEW = """
insert into bronze.raw_items by name
select * replace (nullif(match_url, url) as match_url), sha256(url) as url_hash, created_at::date as collection_date,
    $collected_at::timestamp as collected_at
from arriving
    anti join known_rows using (match_url)
    anti join bronze.forgotten on sha256(arriving.match_url) = forgotten.match_hash
"""

# DuckDB numbers the rows of an open transaction from here on, and gives them other numbers when it is committed.
OPEN_ROWS = 36_028_797_018_960_000
# The rows of the table that differ from arriving posts.
# An older version of a post, from an archive, changes nothing. A time to come was written under a wrong clock, and says
# nothing about age. A run without a salt keeps the hashes of authors.
FIND_CHANGED = """
create or replace temporary table changed_rows as
select arriving.match_url, known_rows.row_number, known.url_hash, known.url, known.match_url as known_match_url,
    coalesce(arriving.author_hash, known.author_hash) as author_hash, known_rows.row_number >= $open_rows as is_open
from bronze.raw_items as known
    join known_rows on known.rowid = known_rows.row_number
    join arriving on arriving.match_url = known_rows.match_url
where ($collected_at >= known.collected_at or known.collected_at > $now) and (
    known.source, known.title, known.body, known.created_at, known.comment_count, known.vote_count, known.author_hash
) is distinct from (
    arriving.source, arriving.title, arriving.body, arriving.created_at, arriving.comment_count, arriving.vote_count,
    coalesce(arriving.author_hash, known.author_hash)
)
"""

# A changed post is deleted and inserted again: after an update, a checkpoint would write all posts near it again. One
# that the open transaction has inserted is updated: after a delete, its posts would be written one by one.
# A known post keeps its address, however the arriving one is spelled: the address is its key in all other tables.
UPDATE_OPEN = """
update bronze.raw_items as known
set source = arriving.source, collection_date = arriving.created_at::date, title = arriving.title, body = arriving.body,
    created_at = arriving.created_at, comment_count = arriving.comment_count, vote_count = arriving.vote_count,
    author_hash = changed_rows.author_hash, collected_at = $collected_at
from arriving join changed_rows using (match_url)
where known.rowid = changed_rows.row_number and changed_rows.is_open
"""

DELETE_CHANGED = "delete from bronze.raw_items where rowid in (select row_number from changed_rows where not is_open)"

INSERT_CHANGED = """
insert into bronze.raw_items by name
select changed_rows.url_hash, changed_rows.url, changed_rows.known_match_url as match_url, changed_rows.author_hash,
    arriving.* exclude (url, match_url, author_hash), arriving.created_at::date as collection_date,
    $collected_at::timestamp as collected_at
from arriving join changed_rows using (match_url)
where not changed_rows.is_open
"""

# A row that repeats another one gets a match_url that nothing has.
ADD_MATCH_URLS = """
alter table bronze.raw_items add column match_url text;

update bronze.raw_items
set match_url = if(found.number = 1, found.key, 'repeats ' || found.key || ' as ' || found.url)
from (
    select url, coalesce(keys.key, url) as key,
        row_number() over (partition by coalesce(keys.key, url) order by collected_at, url) as number
    from bronze.raw_items left join keys using (url)
) as found
where found.url = raw_items.url and (found.number > 1 or found.key != found.url);

drop table keys;
"""

REJECTS_SCHEMA = pa.schema([(name, pa.string()) for name in ("entry_hash", "entry", "reason")])

WINDOW_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("collection_date", pa.date32()),
        ("window_start", pa.timestamp("us")),
        ("query", pa.string()),
        ("window_end", pa.timestamp("us")),
        ("pages_left", pa.list_(pa.string())),
        ("pages", pa.int64()),
        ("reading", pa.int64()),
        ("reported_total", pa.int64()),
        ("fetched", pa.int64()),
        ("stored", pa.int64()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("finished_at", pa.timestamp("us")),
    ]
)

DELETE_COVERED = """
delete from bronze.ingest_windows as known using arriving
where known.source = arriving.source and known.query = arriving.query
    and known.collection_date = arriving.collection_date
    and known.window_start >= arriving.window_start and known.window_start < arriving.window_end
"""

KEEP_REJECTED = """
insert into bronze.rejected_items by name
select *, $source as source, $query as query, $collected_at::timestamp as collected_at
from arriving anti join (from bronze.rejected_items where source = $source) using (entry_hash)
"""


class Stored(NamedTuple):
    """How many distinct posts a write inserted, updated and left unchanged."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def plus(self, other: "Stored") -> "Stored":
        """The sum of both, column by column."""
        return Stored(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@contextmanager
def open_store(
    *,
    new_salt: bool = False,
    names: Collection[str] | None = None,
    days: Sequence[date] = (),
    built: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database, with the bronze tables in place; new_salt as in keep_salt.

    names: the sources whose posts are stored, by default all. days: the days that they are of, as far as that is known.
    built: whether the tables of builds change, too. With GROUNDSWELL_LAKE, the file has what this needs of the lake,
    and the lake gets what the with block changes. One process at a time does so for a source.

    Raises DatabaseError; raises IngestError if AUTHOR_SALT has changed; raises LakeError.
    """
    with connect() as connection, over_lake(connection, names, days, built=built):
        refuse_foreign(connection)
        # Each transaction waits for the disk.
        with transaction(connection):
            connection.execute(DDL)
            create_corrections(connection)
            create_messages(connection)
        keep_salt(connection, new_salt=new_salt, is_collecting=not built)
        if not any(name == "match_url" for name, *_ in connection.execute("describe bronze.raw_items").fetchall()):
            add_match_urls(connection)
        yield connection


@contextmanager
def over_lake(
    connection: duckdb.DuckDBPyConnection, names: Collection[str] | None, days: Sequence[date], *, built: bool
) -> Iterator[None]:
    """With GROUNDSWELL_LAKE: pull before a with block, and publish after it; the arguments are those of open_store."""
    if not os.environ.get("GROUNDSWELL_LAKE"):
        yield
        return
    from groundswell.lake.scope import Collect, Everything
    from groundswell.lake.work import working
    from ingest.sources import sources

    locks = [f"collect {name}" for name in names or sources()]
    scope = Everything() if built else Collect(days, 2 * Limits.from_environment().span)
    with working(connection, [*locks, *(["problems"] if built else [])], scope):
        yield


@contextmanager
def open_plan() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a copy in memory of the windows, to plan with. The database is not written, and not created.

    Raises DatabaseError.
    """
    with connect(IN_MEMORY) as copy:
        copy.execute(DDL)
        if Path(database_path()).exists():
            with connect(read_only=True) as connection:
                if existing(connection, "bronze.ingest_windows"):
                    known = connection.execute("from bronze.ingest_windows").to_arrow_table()  # noqa: F841
                    # An older version of the project has written fewer columns.
                    copy.execute("insert into bronze.ingest_windows by name from known")
        else:
            refuse_name(database_path())
        yield copy


def keep_salt(connection: duckdb.DuckDBPyConnection, *, new_salt: bool = False, is_collecting: bool = True) -> None:
    """Note which AUTHOR_SALT hashes the authors; with another one, each author would count as somebody else.

    new_salt: whether another one may take its place. is_collecting: whether to say so if there is none any more.

    Raises IngestError if AUTHOR_SALT is not the last one.
    """
    fingerprint = salt_fingerprint()
    last = connection.execute(
        "select fingerprint, first_used_at from bronze.author_salts order by first_used_at desc limit 1"
    ).fetchone()
    if fingerprint is None:
        if last and is_collecting:
            log.warning(
                "AUTHOR_SALT is not set, and was since %s: new posts are stored without authors, so several complaints"
                " by one person count as several voices",
                f"{last[1]:%Y-%m-%d}",
            )
        return
    if last and last[0] == fingerprint:
        return
    if last and not new_salt:
        raise IngestError(
            f"AUTHOR_SALT is not the one that {database_path()} was collected with since {last[1]:%Y-%m-%d}: one author"
            " would count as two, so nothing is stored. Set that salt again; if it is lost, leave AUTHOR_SALT unset, or"
            " begin with another one by python -m ingest --new-salt"
        )
    with write_errors():
        connection.execute(
            "insert into bronze.author_salts by name select $fingerprint as fingerprint, $moment as first_used_at",
            {"fingerprint": fingerprint, "moment": now()},
        )


def add_match_urls(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the posts of an earlier version the column match_url.

    Earlier versions knew fewer spellings of an address. Their rows keep their addresses, because url_hash is the key of
    a post in all other tables, and are found by match_url. If a post has several rows, the oldest is found.
    """
    with transaction(connection):
        connection.execute("create or replace temporary table keys (url text, key text)")
        stored = connection.cursor().execute("select url from bronze.raw_items").to_arrow_reader(100_000)
        for batch in stored:
            urls = batch.column("url").to_pylist()
            keys = [match_url(normalise_url(url)) for url in urls]
            arriving = pa.table({"url": urls, "key": keys})  # noqa: F841  (DuckDB finds it by name)
            connection.execute("insert into keys from arriving where url != key")
        connection.execute(ADD_MATCH_URLS)


def row_of(item: Item) -> Row:
    """A post as a row of ITEM_SCHEMA. It needs a third of the memory of the post."""
    return (
        item.source,
        item.url,
        item.match_url,
        item.title,
        item.body,
        item.created_at.replace(tzinfo=None),
        item.comment_count,
        item.vote_count,
        item.author,
    )


def upsert_items(connection: duckdb.DuckDBPyConnection, items: Sequence[Item], collected_at: datetime) -> Stored:
    """Insert new posts and update changed ones; nothing is deleted. The posts are distinct; see upsert_rows."""
    return upsert_rows(connection, table_of([row_of(item) for item in items]), collected_at)


def table_of(rows: Collection[Row]) -> pa.Table:
    """Rows as a table of ITEM_SCHEMA."""
    return hashed(pa.table([*zip(*rows, strict=True)], NAMED_SCHEMA) if rows else NAMED_SCHEMA.empty_table())


def hashed(posts: pa.Table) -> pa.Table:
    """A table of NAMED_SCHEMA as one of ITEM_SCHEMA."""
    hashes = hash_authors(posts["source"].to_pylist(), posts["author"].to_pylist())
    return posts.drop_columns("author").append_column("author_hash", pa.array(hashes, pa.string()))


def upsert_rows(connection: duckdb.DuckDBPyConnection, arriving: pa.Table, collected_at: datetime) -> Stored:
    """Insert new rows of ITEM_SCHEMA and update changed ones. Each match_url stands in one row only.

    Every post goes this way. Those that were forgotten (ingest.forget) stay out, and count as unchanged.

    It takes several statements: call it in a transaction.
    """
    if not arriving.num_rows:
        return Stored()
    bring_from_other_days(arriving)
    [(known,)] = connection.execute(FIND_KNOWN).fetchall()
    [(new,)] = connection.execute(INSERT_NEW, {"collected_at": collected_at}).fetchall()
    updated = 0
    if known:
        facts = {"collected_at": collected_at, "now": now(), "open_rows": OPEN_ROWS}
        [(updated,)] = connection.execute(FIND_CHANGED, facts).fetchall()
    if updated:
        connection.execute(UPDATE_OPEN, {"collected_at": collected_at})
        connection.execute(DELETE_CHANGED)
        connection.execute(INSERT_CHANGED, {"collected_at": collected_at})
    return Stored(new, updated, arriving.num_rows - new - updated)


def entry_text(entry: Any, personal: frozenset[str]) -> str:
    """An entry as JSON without its personal keys, at any depth; a text stays as it is."""
    if isinstance(entry, str):
        return clean_text(entry)

    def impersonal(fields: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in fields.items() if key not in personal}

    # The parser accepts nesting up to Python's recursion limit. Writing the same entry needs a little more.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(4 * limit)
    try:
        kept = json.loads(json.dumps(entry), object_hook=impersonal)
        return clean_text(json.dumps(kept, ensure_ascii=False))
    finally:
        sys.setrecursionlimit(limit)


def rejects_of(rejected: Sequence[Rejected], personal: frozenset[str] = frozenset()) -> pa.Table:
    """Entries that could not be read, each once, as JSON or text, without their personal fields, and the reasons."""
    reasons = {entry_text(rejection.entry, personal): clean_text(rejection.reason) for rejection in reversed(rejected)}
    hashes = [hashlib.sha256(entry.encode()).hexdigest() for entry in reasons]
    return pa.table([hashes, [*reasons], [*reasons.values()]], REJECTS_SCHEMA)


def keep_rejected(
    connection: duckdb.DuckDBPyConnection, source: str, query: str, arriving: pa.Table, collected_at: datetime
) -> None:
    """Store entries that could not be read, as rejects_of gives them. One that is stored already stays."""
    if arriving.num_rows:
        connection.execute(KEEP_REJECTED, {"source": source, "query": query, "collected_at": collected_at})


def progress_of(connection: duckdb.DuckDBPyConnection, file_hash: str) -> int:
    """How many entries of a file a killed import has stored."""
    rows = connection.execute(
        "select entries from bronze.unfinished_files where file_hash = $file_hash", {"file_hash": file_hash}
    ).fetchall()
    return int(rows[0][0]) if rows else 0


def save_progress(connection: duckdb.DuckDBPyConnection, file_hash: str, entries: int) -> None:
    """Record how many entries of a file are stored."""
    forget_progress(connection, file_hash)
    connection.execute(
        """
        insert into bronze.unfinished_files by name
        select $file_hash as file_hash, $entries as entries, $moment::timestamp as stored_at
        """,
        {"file_hash": file_hash, "entries": entries, "moment": now()},
    )


def forget_progress(connection: duckdb.DuckDBPyConnection, file_hash: str) -> None:
    """Forget a file, because it was read to its end."""
    connection.execute("delete from bronze.unfinished_files where file_hash = $file_hash", {"file_hash": file_hash})


def write_windows(connection: duckdb.DuckDBPyConnection, windows: Sequence[Window], moment: datetime) -> None:
    """Write windows to bronze.ingest_windows. They replace all windows of their queries in their slices of time."""
    if not windows:
        return
    arriving = pa.Table.from_pylist(  # noqa: F841  (DuckDB finds it by name)
        [
            asdict(window)
            | {
                "collection_date": window.collection_date,
                "window_start": window.start.replace(tzinfo=None),
                "window_end": window.end.replace(tzinfo=None),
                "pages_left": list(window.pages_left),
                "finished_at": moment if window.pages or window.status != "pending" else None,
            }
            for window in windows
        ],
        schema=WINDOW_SCHEMA,
    )
    connection.execute(DELETE_COVERED)
    connection.execute("insert into bronze.ingest_windows by name from arriving")


def read_windows(
    connection: duckdb.DuckDBPyConnection, source: str, first: date, last: date
) -> dict[tuple[str, date], list[tuple[Window, datetime | None]]]:
    """The windows of some days by query and day, in order of time, each with the time when it was finished."""
    rows = connection.execute(
        """
        select query, window_start, window_end, coalesce(pages_left, []), coalesce(pages, 0), coalesce(reading, 1),
            reported_total, fetched, stored, status, error, finished_at
        from bronze.ingest_windows
        where source = $source and collection_date between $first and $last
        order by window_start
        """,
        {"source": source, "first": first, "last": last},
    ).fetchall()
    windows = defaultdict[tuple[str, date], list[tuple[Window, datetime | None]]](list)
    for query, start, end, pages_left, *rest, finished_at in rows:
        window = Window(source, query, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC), tuple(pages_left), *rest)
        windows[query, window.collection_date].append((window, finished_at))
    return windows


def give_up_windows(
    connection: duckdb.DuckDBPyConnection, source: str, queries: Sequence[str], first: date, last: date
) -> None:
    """Close windows that a killed run left pending, if their queries are no longer in the settings."""
    connection.execute(
        """
        update bronze.ingest_windows
        set status = 'failed', error = 'not read to its end, and no longer in the settings'
        where source = $source and status = 'pending' and collection_date between $first and $last
            and not list_contains($queries, query)
        """,
        {"source": source, "queries": list(queries), "first": first, "last": last},
    )


def request_sent(connection: duckdb.DuckDBPyConnection, source: str, url: str, allowance: int, span: float) -> int:
    """Record a request before it leaves, so that it counts even if the run is killed; returns its number."""
    # Over a lake, other machines number the requests to other services at the same time: by the microsecond.
    least = int(now().replace(tzinfo=UTC).timestamp() * 1e6) if os.environ.get("GROUNDSWELL_LAKE") else 1
    with write_errors():
        [(request_id,)] = connection.execute(
            """
            insert into bronze.ingest_requests by name
            select
                (select greatest(coalesce(max(request_id), 0) + 1, $least) from bronze.ingest_requests) as request_id,
                $source as source, $url as url, $allowance as allowance, $span as span_seconds,
                $moment::timestamp as requested_at
            returning request_id
            """,
            {"source": source, "url": url, "allowance": allowance, "span": span, "moment": now(), "least": least},
        ).fetchall()
    note_in_lake(connection, request_id)
    return int(request_id)


def note_in_lake(connection: duckdb.DuckDBPyConnection, request_id: int) -> None:
    """With GROUNDSWELL_LAKE, add a request to the lake at once, since other machines share the allowance.

    Raises LakeError.
    """
    if os.environ.get("GROUNDSWELL_LAKE"):
        from groundswell.lake.work import under_way

        for work in under_way:
            query = "from bronze.ingest_requests where request_id = $id"
            work.add("bronze", "ingest_requests", connection.execute(query, {"id": request_id}).to_arrow_table())


def bring_from_other_days(arriving: pa.Table) -> None:
    """With GROUNDSWELL_LAKE, pull what the lake has on other days of the arriving posts. Raises LakeError."""
    if os.environ.get("GROUNDSWELL_LAKE"):
        from groundswell.lake.work import under_way

        for work in under_way:
            work.bring_posts(arriving)


def publish_page() -> None:
    """With GROUNDSWELL_LAKE, publish the pages so far, now and then: this machine may be lost. Raises LakeError."""
    if os.environ.get("GROUNDSWELL_LAKE"):
        from groundswell.lake.work import under_way

        for work in under_way:
            work.publish_now_and_then()


def request_withdrawn(connection: duckdb.DuckDBPyConnection, request_id: int) -> None:
    """Remove the row of a request that has not left."""
    with write_errors():
        connection.execute("delete from bronze.ingest_requests where request_id = $id", {"id": request_id})


def request_answered(
    connection: duckdb.DuckDBPyConnection,
    request_id: int,
    status_code: int | None,
    outcome: str,
    left_at: datetime | None,
    answered_at: datetime,
    pause_seconds: float | None,
) -> None:
    """Record when a request left, its outcome, and the pause that the response asks for."""
    with write_errors():
        connection.execute(
            """
            update bronze.ingest_requests
            set status_code = $status_code, outcome = $outcome, left_at = $left_at, answered_at = $answered_at,
                pause_seconds = $pause_seconds
            where request_id = $id
            """,
            {
                "id": request_id,
                "status_code": status_code,
                "outcome": outcome,
                "left_at": left_at,
                "answered_at": answered_at,
                "pause_seconds": pause_seconds,
            },
        )
    if pause_seconds is not None:
        note_in_lake(connection, request_id)


def recent_requests(connection: duckdb.DuckDBPyConnection, source: str, span: float) -> list[float]:
    """The ages in seconds of the requests of an earlier run to a source, within the last `span` seconds.

    A request counts from its response on, and without one from the moment in which it was noted.
    """
    moment = now()
    rows = connection.execute(
        """
        select coalesce(answered_at, requested_at) as counts_from from bronze.ingest_requests
        where source = $source and counts_from > $since
        """,
        {"source": source, "since": moment - timedelta(seconds=span)},
    ).fetchall()
    return [max((moment - counts_from).total_seconds(), 0.0) for (counts_from,) in rows]


def pause_left(connection: duckdb.DuckDBPyConnection, source: str) -> float:
    """The seconds that a pause still lasts that a source asked an earlier run for; 0 without one."""
    [(end,)] = connection.execute(
        """
        select max(answered_at + to_microseconds((pause_seconds * 1000000)::bigint)) from bronze.ingest_requests
        where source = $source
        """,
        {"source": source},
    ).fetchall()
    return max((end - now()).total_seconds(), 0.0) if end else 0.0
