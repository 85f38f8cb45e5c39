"""Compares our push of 2,000 issues and 20,000 posts with a loop that looks up and creates each record by the SDK."""

import os
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError
from rich.box import SIMPLE_HEAD
from rich.table import Table

from sync.check import here
from sync.client import signed_in
from sync.plan import ISSUES
from sync.push import push
from tests.support.project import DAY, SAMPLE, Project, free_address, serve

COUNT = 2_000
POSTS_EACH = 10
TODAY = date.fromisoformat(DAY)

# Copies of the first issue of the sample and of ten of its posts, with other keys.
MANY = f"""
create or replace table gold.issues as
select issue.* replace (left(sha256('issue' || n), 15) as issue_id, n::int as cluster_id, n as day_rank)
from (from gold.issues order by day_rank limit 1) as issue, range(1, {COUNT + 1}) as numbers (n);

create or replace table gold.issue_evidence as
select post.* replace (
    left(sha256(n || '/' || url_hash), 15) as evidence_id,
    left(sha256('issue' || n), 15) as issue_id,
    n::int as cluster_id,
    sha256(n || '/' || url_hash) as url_hash
)
from (from gold.issue_evidence order by url_hash limit {POSTS_EACH}) as post, range(1, {COUNT + 1}) as numbers (n);

delete from gold.live_issues;
insert into gold.live_issues by name
select record_id as issue_id, cluster_id, content_hash, 'create' as action, cluster_date from gold.issue_records;
"""


def look_up_and_create(connection: duckdb.DuckDBPyConnection, client: PocketBase) -> None:
    """Look up and create each record, as the documentation of the SDK suggests."""
    for collection, view in ((ISSUES.roots, ISSUES.root_view), (ISSUES.leaves, ISSUES.leaf_view)):
        for record_id, record in here(connection, collection, view, ISSUES, TODAY):
            try:
                client.collection(collection).get_one(record_id)
            except ClientResponseError:
                client.collection(collection).create(record or {})


def seconds(do: Callable[[], Any]) -> float:
    """The seconds that a function takes."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def measure_sync() -> Table:
    """Measure seconds, records per second and ratios; each way has a server of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = Project(folder / "sync.duckdb")
        for finished in (project.ingest("--date", DAY, "--replay", str(SAMPLE)), project.build()):
            assert finished.status == 0, finished.output
        project.query(MANY)
        taken = {}
        with duckdb.connect(str(project.database)) as connection:
            with serve(folder / "loop", free_address(), secrets.token_hex()) as server:
                os.environ.update(server.settings)
                with signed_in(server.url) as client:
                    taken["look up, then create"] = seconds(lambda: look_up_and_create(connection, client))
            with serve(folder / "push", free_address(), secrets.token_hex()) as server:
                os.environ.update(server.settings)
                with signed_in(server.url) as client:
                    for what in ("first push", "push of what is unchanged"):
                        taken[what] = seconds(lambda: push(connection, client, ISSUES, TODAY))
    records = COUNT * (1 + POSTS_EACH)
    title = f"{COUNT:,} issues and {COUNT * POSTS_EACH:,} posts to PocketBase"
    table = Table("way", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("seconds", "records per second", "times as fast as the loop"):
        table.add_column(column, justify="right", no_wrap=True)
    loop = taken["look up, then create"]
    for way, each in taken.items():
        table.add_row(way, f"{each:.1f}", f"{records / each:,.0f}", f"{loop / each:.1f}")
    return table
