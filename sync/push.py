"""Makes PocketBase hold exactly what gold holds for a day.

Every record has an id derived from its key and a hash of its content. A push reads the ids and hashes that
the server has for the day, compares, and sends only the differences, in batches that the server takes whole
or not at all. After each batch that it acknowledges, gold.live_issues notes which issues are complete there.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, NamedTuple

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from ingest.store import now
from sync.client import explained
from sync.errors import SyncError

# Operations a batch: large enough for the server's full speed, small enough that other writers wait < 0.1 s.
BATCH = 200
# Records a page when reading what the server has; the most that it gives.
PAGE = 1_000

TITLE_LIMIT = 1_000
BODY_LIMIT = 20_000

ISSUES = """
select
    issue_id, cluster_date, cluster_id, day_rank, canonical_title, category, description, would_pay_signal,
    impact_level, cluster_size, confidence, source_counts, labeler
from gold.issues
where cluster_date = $day
order by day_rank
"""

EVIDENCE = """
select
    evidence_id, issue_id, cluster_date, url_hash, source, url, title, excerpt, body, posted_at, comment_count,
    vote_count, similarity
from gold.issue_evidence
where cluster_date = $day
order by issue_id, url_hash
"""

Record = dict[str, Any]


class Operation(NamedTuple):
    """One request of a batch; issue_id says whose completion it counts for, none for a deletion."""

    method: str
    path: str
    record: Record | None
    issue_id: str | None


@dataclass
class Pushed:
    """What a push did."""

    issues: int = 0
    evidence: int = 0
    written: int = 0
    deleted: int = 0

    def message(self, day: date, url: str) -> str:
        """One line for the log."""
        held = f"{self.issues:,} issues and {self.evidence:,} posts of {day} are live at {url}"
        if self.written or self.deleted:
            return f"{held}: {self.written:,} records written, {self.deleted:,} deleted"
        return f"{held}: nothing to change"


def push_day(connection: duckdb.DuckDBPyConnection, client: PocketBase, day: date) -> Pushed:
    """Bring the server's issues and evidence of a day in line with gold; issues of other days stay untouched.

    Raises SyncError; every batch that was acknowledged before stays recorded in gold.live_issues.
    """
    try:
        issues = issue_records(connection, day)
        evidence = evidence_records(connection, day)
    except duckdb.CatalogException as error:
        raise SyncError(
            f"the database has no gold.issues: build the day first, dbt build --vars 'date: {day}'"
        ) from error
    try:
        live_issues = live_hashes(client, "issues", day)
        live_evidence = live_hashes(client, "issue_evidence", day)
        operations = list(plan(issues, evidence, live_issues, live_evidence))
        # An issue is complete with the last of its operations, and at once where it has none.
        last = {operation.issue_id: number for number, operation in enumerate(operations) if operation.issue_id}
        mark_waiting(connection, day, last)
        mark_synced(connection, day, issues.keys() - last.keys())
        sent = 0
        for batch in chunks(operations, BATCH):
            requests = [{"method": each.method, "url": each.path, "body": each.record or {}} for each in batch]
            client.send("/api/batch", {"method": "POST", "body": {"requests": requests}})
            sent += len(batch)
            mark_synced(connection, day, {each for each, number in last.items() if number < sent})
    except ClientResponseError as error:
        raise explained(error, client.base_url) from error
    deleted = sum(operation.method == "DELETE" for operation in operations)
    return Pushed(len(issues), len(evidence), len(operations) - deleted, deleted)


def plan(
    issues: dict[str, Record], evidence: dict[str, Record], live_issues: dict[str, str], live_evidence: dict[str, str]
) -> Iterator[Operation]:
    """The operations that turn what the server has (hash by id) into what gold has (record by id).

    Each issue goes before its evidence, in order of rank; deletions come last, evidence before issues.
    """
    by_issue: dict[str, list[Record]] = {issue_id: [] for issue_id in issues}
    for record in evidence.values():
        by_issue[record["issue"]].append(record)
    for issue_id, issue in issues.items():
        if live_issues.get(issue_id) != issue["content_hash"]:
            yield put("issues", issue, issue_id)
        for record in by_issue[issue_id]:
            if live_evidence.get(record["id"]) != record["content_hash"]:
                yield put("issue_evidence", record, issue_id)
    for collection, live, wanted in (("issue_evidence", live_evidence, evidence), ("issues", live_issues, issues)):
        for record_id in sorted(live.keys() - wanted.keys()):
            yield Operation("DELETE", f"/api/collections/{collection}/records/{record_id}", None, None)


def put(collection: str, record: Record, issue_id: str) -> Operation:
    """Create the record, or replace the one of the same id."""
    return Operation("PUT", f"/api/collections/{collection}/records", record, issue_id)


def issue_records(connection: duckdb.DuckDBPyConnection, day: date) -> dict[str, Record]:
    """Gold's issues of a day as PocketBase records, by id, in order of rank."""
    records = {}
    for row in rows_of(connection, ISSUES, day):
        record = row | {"cluster_date": timestamp(row["cluster_date"]), "source_counts": dict(row["source_counts"])}
        record["id"] = record.pop("issue_id")
        records[record["id"]] = with_hash(record)
    return records


def evidence_records(connection: duckdb.DuckDBPyConnection, day: date) -> dict[str, Record]:
    """Gold's evidence of a day as PocketBase records, by id."""
    records = {}
    for row in rows_of(connection, EVIDENCE, day):
        record = row | {
            "cluster_date": timestamp(row["cluster_date"]),
            "posted_at": timestamp(row["posted_at"]),
            "title": cut(row["title"], TITLE_LIMIT),
            "excerpt": row["excerpt"] or "",
            "body": cut(row["body"], BODY_LIMIT),
        }
        record["id"], record["issue"] = record.pop("evidence_id"), record.pop("issue_id")
        records[record["id"]] = with_hash(record)
    return records


def rows_of(connection: duckdb.DuckDBPyConnection, query: str, day: date) -> list[Record]:
    """The rows of a query as dictionaries."""
    rows: list[Record] = connection.execute(query, {"day": day}).to_arrow_table().to_pylist()
    return rows


def with_hash(record: Record) -> Record:
    """Add content_hash, the SHA-256 of the record's other fields."""
    canonical = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return record | {"content_hash": hashlib.sha256(canonical.encode()).hexdigest()}


def timestamp(moment: date) -> str:
    """A day or a UTC time as PocketBase writes it."""
    return f"{moment:%Y-%m-%d %H:%M:%S}.000Z"


def cut(text: str | None, limit: int) -> str:
    """A text of at most limit characters; what is longer ends in a mark that says how much is missing."""
    if not text or len(text) <= limit:
        return text or ""
    mark = f" … [{len(text):,} characters in all]"
    return text[: limit - len(mark)] + mark


def live_hashes(client: PocketBase, collection: str, day: date) -> dict[str, str]:
    """Content hash by id of the records that the server has for a day."""
    start, end = timestamp(day), timestamp(day + timedelta(days=1))
    records = client.collection(collection).get_full_list(
        PAGE,
        {"filter": f'cluster_date >= "{start}" && cluster_date < "{end}"', "fields": "id,content_hash", "sort": "id"},
    )
    # The SDK gives a record's fields as attributes that no type knows of.
    return {record.id: vars(record)["content_hash"] for record in records}


def mark_waiting(connection: duckdb.DuckDBPyConnection, day: date, issue_ids: Iterable[str]) -> None:
    """Note that the server lacks some of what gold has of these issues."""
    connection.execute(
        "update gold.live_issues set synced_at = null where cluster_date = $day and issue_id in $issue_ids",
        {"day": day, "issue_ids": sorted(issue_ids)},
    )


def mark_synced(connection: duckdb.DuckDBPyConnection, day: date, issue_ids: Iterable[str]) -> None:
    """Note that the server holds these issues and all their evidence as gold has them, from now on."""
    connection.execute(
        "update gold.live_issues set synced_at = $now"
        " where cluster_date = $day and issue_id in $issue_ids and synced_at is null",
        {"now": now(), "day": day, "issue_ids": sorted(issue_ids)},
    )


def chunks(operations: Iterable[Operation], size: int) -> Iterator[list[Operation]]:
    """Cut operations into lists of at most size."""
    remaining = iter(operations)
    while chunk := list(islice(remaining, size)):
        yield chunk
