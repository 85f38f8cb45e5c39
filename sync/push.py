"""Makes PocketBase hold what gold holds: a day's issues, the problems and the themes, each with their posts.

A push sends only the differences that sync.plan finds. After each batch that the server acknowledges, the ledger
(gold.live_issues, gold.live_problems or gold.live_themes) notes which roots are complete there.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from groundswell.clock import this_second
from groundswell.progress import progress_bar
from groundswell.words import count
from sync.client import request_error
from sync.delivery import BATCH, Delivery, Operation
from sync.errors import SyncError
from sync.plan import ISSUES, Part, Plan, planned


@dataclass(frozen=True)
class Pushed:
    """The result of a push: how many roots and leaves the server holds, and how many records the push changed."""

    part: Part
    roots: int
    leaves: int
    written: int
    deleted: int

    def message(self, day: date, url: str) -> str:
        """One line for the log."""
        when = f" of {day}" if self.part.by_day else ""
        roots = count(self.roots, self.part.roots.removesuffix("s"), self.part.roots)
        held = f"{roots} and {count(self.leaves, 'post', 'posts')}{when} are live at {url}"
        if self.written or self.deleted:
            return f"{held}: {count(self.written, 'record', 'records')} written, {self.deleted:,} deleted"
        return f"{held}: nothing to change"


def push(
    connection: duckdb.DuckDBPyConnection, client: PocketBase, part: Part, day: date, everything: bool = True
) -> Pushed:
    """Make a part of the server equal to gold. Issues of other days stay as they are.

    `everything` decides which leaves are compared: see sync.plan.planned.

    Raises SyncError. Batches that the server had acknowledged by then stay noted in the ledger.
    """
    try:
        with planned(connection, client, part, day, everything=everything) as plan:
            refused = deliver(connection, client, plan)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise SyncError(
            f"the database has no {part.ledger} as this version makes it: build the day first,"
            f" python -m groundswell build --date {day}"
        ) from error
    except ClientResponseError as error:
        raise request_error(error, client.base_url) from error
    if refused:
        raise SyncError(f"PocketBase at {client.base_url} holds all but what was refused: {refused}")
    return Pushed(part, plan.roots, plan.leaves, plan.written, plan.deleted)


def clear_emptied_days(connection: duckdb.DuckDBPyConnection, client: PocketBase) -> None:
    """Take the issues of days off the board that have none any more, since their posts were deleted or moved.

    No build can be about such a day, so the push of another day does this. Raises SyncError.
    """
    try:
        days = connection.execute(
            f"""
            select distinct cluster_date from {ISSUES.ledger}
            where action = 'delete' and synced_at is null
                and cluster_date not in (select cluster_date from {ISSUES.root_view})
            order by cluster_date
            """
        ).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        # Nothing of this version was pushed yet.
        return
    for (day,) in days:
        push(connection, client, ISSUES, day)


def deliver(connection: duckdb.DuckDBPyConnection, client: PocketBase, plan: Plan) -> str:
    """Carry out a plan, and note complete roots in the ledger; returns what the server refused, if anything."""
    part = plan.part
    connection.execute(
        f"update {part.ledger} set synced_at = null"
        f" where {part.scope()} and {part.key} in (select root_id from {plan.completions})",
        {"day": plan.day},
    )
    delivery = Delivery(client)
    with ThreadPoolExecutor(1) as sender, progress_bar(transient=True) as progress:
        task = progress.add_task(f"{part.roots} to {client.base_url}", total=plan.total)
        sending = sender.submit(delivery.deliver, [])
        for start in range(0, plan.total + 1, BATCH):
            rows = connection.execute(
                "select number, method, collection, record_id, root_id, content_hash, record"
                f" from {plan.operations} where number > $start and number <= $start + $size order by number",
                {"start": start, "size": BATCH},
            ).fetchall()
            # This batch is prepared while the server works on the batch before.
            batch = [(operation, operation.request()) for operation in map(Operation._make, rows)]
            sending.result()
            mark_synced(connection, plan, start, delivery)
            sending = sender.submit(delivery.deliver, batch)
            progress.update(task, completed=start)
        sending.result()
        mark_synced(connection, plan, plan.total, delivery)
    return delivery.complaint()


def mark_synced(connection: duckdb.DuckDBPyConnection, plan: Plan, number: int, delivery: Delivery) -> None:
    """Note in the ledger the roots that are complete on the server after the operations up to a number."""
    part = plan.part
    refused = sorted({operation.root_id for operation in delivery.refused})
    connection.execute(
        f"""
        update {part.ledger} set synced_at = $now
        where {part.scope()} and synced_at is null
            and {part.key} not in (select root_id from {plan.completions} where last > $number)
            and not list_contains($refused::varchar[], {part.key})
        """,
        {"day": plan.day, "now": this_second(), "number": number, "refused": refused},
    )
