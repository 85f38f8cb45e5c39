"""Makes PocketBase hold exactly what gold holds: a day's issues with their evidence, and the problems with their posts.

Every record has an id derived from its key, and a hash of its content; that of an issue or problem is also of
all that hangs on it. A push reads the ids and hashes that the server has, compares, and sends only the differences.
After each batch that the server acknowledges, gold.live_issues and gold.live_problems note what is complete there.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from groundswell.clock import this_second
from groundswell.progress import progress_bar
from sync.client import explained, read
from sync.delivery import BATCH, Delivery, Operation
from sync.errors import SyncError

# Problems whose posts are asked for at once: the filter has to fit into an address.
ASKED_AT_ONCE = 50

# What is known of a record that the server has.
LIVE = pa.schema((name, pa.string()) for name in ("collection", "record_id", "root_id", "content_hash"))
COLUMNS_OF_LIVE = ", ".join(f"{name} text" for name in LIVE.names)


@dataclass(frozen=True)
class Part:
    """A part of the board: a collection of roots, and one of leaves that hang on them by the field parent.

    What they should hold is in the views of gold, by key; what the server has acknowledged is in the ledger.
    """

    roots: str
    root_view: str
    leaves: str
    leaf_view: str
    parent: str
    key: str
    ledger: str
    by_day: bool

    def scope(self) -> str:
        """The rows of a view or ledger that a push is about, as SQL."""
        return "cluster_date = $day" if self.by_day else "$day is not null"

    def scope_there(self, day: date) -> str:
        """The records that a push is about, as a filter of PocketBase."""
        return f'cluster_date = "{day} 00:00:00.000Z"' if self.by_day else ""


ISSUES = Part(
    roots="issues",
    root_view="gold.issue_records",
    leaves="issue_evidence",
    leaf_view="gold.issue_evidence_records",
    parent="issue",
    key="issue_id",
    ledger="gold.live_issues",
    by_day=True,
)
PROBLEMS = Part(
    roots="problems",
    root_view="gold.problem_records",
    leaves="problem_posts",
    leaf_view="gold.problem_post_records",
    parent="problem",
    key="problem_id",
    ledger="gold.live_problems",
    by_day=False,
)
PARTS = {part.roots: part for part in (ISSUES, PROBLEMS)}


@dataclass(frozen=True)
class Pushed:
    """What a push did: how many roots and leaves the server holds now, and what it took for that."""

    part: Part
    roots: int
    leaves: int
    written: int
    deleted: int

    def message(self, day: date, url: str) -> str:
        """One line for the log."""
        when = f" of {day}" if self.part.by_day else ""
        held = f"{self.roots:,} {self.part.roots} and {self.leaves:,} posts{when} are live at {url}"
        if self.written or self.deleted:
            return f"{held}: {self.written:,} records written, {self.deleted:,} deleted"
        return f"{held}: nothing to change"


def push(
    connection: duckdb.DuckDBPyConnection, client: PocketBase, part: Part, day: date, everything: bool = True
) -> Pushed:
    """Bring a part of the server in line with gold; issues of other days stay untouched.

    The leaves of all roots are compared with everything, else those of roots that the ledger or a hash says differ:
    that is enough where nobody but this function writes, and does not grow with the history of problems.

    Raises SyncError; every batch that was acknowledged before stays recorded in the ledger.
    """
    try:
        compare(connection, client, part, day, everything)
        refused = deliver(connection, client, part, day)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise SyncError(
            f"the database has no {part.ledger} as this version makes it: build the day first,"
            f" dbt build --vars 'date: {day}'"
        ) from error
    except ClientResponseError as error:
        raise explained(error, client.base_url) from error
    if refused:
        raise SyncError(f"PocketBase at {client.base_url} holds all but what was refused: {refused}")
    [counts] = connection.execute(
        f"""
        select
            (select count(*) from roots),
            (select count(*) from {part.leaf_view} where {part.scope()}),
            (select count(*) from operations where method <> 'DELETE'),
            (select count(*) from operations where method = 'DELETE')
        """,
        {"day": day},
    ).fetchall()
    return Pushed(part, *counts)


def check_tested(connection: duckdb.DuckDBPyConnection, part: Part, day: date) -> None:
    """Raise SyncError where gold, in the table roots, differs from what passed its tests: the ledger says what did."""
    [(changed,)] = connection.execute(
        f"""
        with tested as (
            select {part.key} as record_id, content_hash from {part.ledger}
            where {part.scope()} and action is distinct from 'delete'
        )
        select count(*) from roots full join tested using (record_id)
        where roots.content_hash is distinct from tested.content_hash
        """,
        {"day": day},
    ).fetchall()
    if changed:
        raise SyncError(
            f"{changed:,} {part.roots} in the database have not passed their tests as they are now:"
            f" dbt build --vars 'date: {day}' tests and pushes them"
        )


def compare(connection: duckdb.DuckDBPyConnection, client: PocketBase, part: Part, day: date, everything: bool) -> None:
    """Make the temporary table operations: what turns what the server has into what gold has.

    Each root goes before its leaves, in order of rank; deletions come last, leaves before roots.
    """
    # Once, since each look into a view computes all its hashes.
    connection.execute(
        f"""
        create or replace temp table roots as
        select record_id, content_hash, push_rank from {part.root_view} where {part.scope()}
        """,
        {"day": day},
    )
    check_tested(connection, part, day)
    connection.execute(f"create or replace temp table live ({COLUMNS_OF_LIVE})")
    roots = read(client, part.roots, part.scope_there(day), "id,content_hash")
    note_live(connection, ((part.roots, each["id"], each["id"], each["content_hash"]) for each in roots))
    connection.execute(
        f"""
        create or replace temp table touched as
        select record_id from roots full join live using (record_id)
        where $everything or roots.content_hash is distinct from live.content_hash
        union
        select {part.key} from {part.ledger} where {part.scope()} and synced_at is null
        """,
        {"day": day, "everything": everything},
    )
    leaves = leaves_there(connection, client, part, day, everything)
    note_live(connection, ((part.leaves, each["id"], each[part.parent], each["content_hash"]) for each in leaves))
    connection.execute(
        f"""
        create or replace temp table wanted as
        select
            '{part.roots}' as collection, record_id, record_id as root_id, content_hash, push_rank, 0 as depth
        from roots
        union all
        select '{part.leaves}', leaves.record_id, roots.record_id, leaves.content_hash, roots.push_rank, 1
        from {part.leaf_view} as leaves inner join roots on leaves.{part.key} = roots.record_id
        where roots.record_id in (select record_id from touched)
        """,
    )
    connection.execute(
        f"""
        create or replace temp table operations as
        with puts as (
            select if(live.record_id is null, 'POST', 'PUT') as method, wanted.*
            from wanted left join live using (collection, record_id)
            where wanted.content_hash is distinct from live.content_hash
        ),
        deletions as (
            select
                'DELETE' as method, live.collection, live.record_id, live.root_id,
                if(live.collection = '{part.roots}', 1, 0) as depth
            from live anti join wanted using (collection, record_id)
        ),
        differences as (
            select * from puts
            union all by name
            select * from deletions
        ),
        records as (
            select record_id, record from {part.root_view}
            where {part.scope()} and record_id in (select record_id from puts)
            union all
            select record_id, record from {part.leaf_view}
            where {part.scope()} and record_id in (select record_id from puts)
        )
        select
            row_number() over (
                order by method = 'DELETE', if(method = 'DELETE', depth, push_rank), root_id, depth, record_id
            ) as number,
            method, collection, record_id, root_id, content_hash, record
        from differences left join records using (record_id)
        """,
        {"day": day},
    )


def leaves_there(
    connection: duckdb.DuckDBPyConnection, client: PocketBase, part: Part, day: date, everything: bool
) -> Iterator[dict[str, Any]]:
    """Id, root and content hash of the leaves that the server has, of all roots or of those in the table touched."""
    fields = f"id,content_hash,{part.parent}"
    if everything:
        yield from read(client, part.leaves, part.scope_there(day), fields)
        return
    touched = [record_id for (record_id,) in connection.execute("select record_id from touched order by 1").fetchall()]
    for start in range(0, len(touched), ASKED_AT_ONCE):
        asked = " || ".join(f'{part.parent} = "{record_id}"' for record_id in touched[start : start + ASKED_AT_ONCE])
        yield from read(client, part.leaves, asked, fields)


def note_live(connection: duckdb.DuckDBPyConnection, records: Iterable[tuple[str, str, str, str]]) -> None:
    """Add records that the server has to the table live."""
    rows = pa.Table.from_pylist([dict(zip(LIVE.names, record, strict=True)) for record in records], schema=LIVE)
    connection.register("rows", rows)
    connection.execute("insert into live select * from rows")
    connection.unregister("rows")


def deliver(connection: duckdb.DuckDBPyConnection, client: PocketBase, part: Part, day: date) -> str:
    """Carry out the operations, noting in the ledger what is complete; says what was refused, if anything."""
    connection.execute(
        "create or replace temp table completions as"
        " select root_id, max(number) as last from operations group by root_id"
    )
    connection.execute(
        f"update {part.ledger} set synced_at = null"
        f" where {part.scope()} and {part.key} in (select root_id from completions)",
        {"day": day},
    )
    delivery = Delivery(client)
    [(total,)] = connection.execute("select count(*) from operations").fetchall()
    with (
        ThreadPoolExecutor(1) as sender,
        progress_bar(transient=True) as progress,
    ):
        task = progress.add_task(f"{part.roots} to {client.base_url}", total=total)
        sending = sender.submit(delivery.deliver, [])
        for start in range(0, total + 1, BATCH):
            rows = connection.execute(
                "select number, method, collection, record_id, root_id, content_hash, record from operations"
                " where number > $start and number <= $start + $size order by number",
                {"start": start, "size": BATCH},
            ).fetchall()
            # Made ready while the server is busy with the batch before.
            batch = [(operation, operation.request()) for operation in map(Operation._make, rows)]
            sending.result()
            mark_synced(connection, part, day, start, delivery)
            sending = sender.submit(delivery.deliver, batch)
            progress.update(task, completed=start)
        sending.result()
        mark_synced(connection, part, day, total, delivery)
    return delivery.complaint()


def mark_synced(connection: duckdb.DuckDBPyConnection, part: Part, day: date, number: int, delivery: Delivery) -> None:
    """Note in the ledger which roots the server holds with all their leaves once operations up to number are done."""
    refused = sorted({operation.root_id for operation in delivery.refused})
    connection.execute(
        f"""
        update {part.ledger} set synced_at = $now
        where {part.scope()} and synced_at is null
            and {part.key} not in (select root_id from completions where last > $number)
            and not list_contains($refused::varchar[], {part.key})
        """,
        {"day": day, "now": this_second(), "number": number, "refused": refused},
    )
