"""python -m ingest over a lake: workers with empty disks collect from the services on loopback."""

import logging
import os
import random
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from groundswell.lake.address import attach, lake
from groundswell.lake.scope import Everything
from groundswell.lake.work import working
from tests.support.loopback import Loopback
from tests.support.project import DATABASE, DAY, Project
from tests.support.services import Services, arrivals, most_in_span
from tests.unit.test_collect import (
    ALLOWANCES,
    DATE,
    assert_sound,
    assert_stored,
    collect,
    collect_and_kill,
    only,
    posts_of,
)

# A span is long enough for the requests of one worker, and for the start of the next one.
SPAN = 6.0
# How many workers are killed. The figures of docs/lake.md are of 10.
KILLS = int(os.environ.get("LAKE_KILLS", "1"))


# The windows that are read, with the time when they were.
READ = "select * exclude (pages_left) from lake.bronze.ingest_windows where status = 'complete'"

log = logging.getLogger("groundswell.tests")


@pytest.fixture
def workers(tmp_path: Path, lake_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Workers that have nothing but the address of the lake: each has an empty disk."""
    for name, value in lake_settings.items():
        monkeypatch.setenv(name, value)

    def made() -> Iterator[Project]:
        while True:
            folder = tmp_path / f"worker_{secrets.token_hex(4)}"
            folder.mkdir()
            yield Project(folder / DATABASE, lake_settings)

    return made()


def pulled(workers: Iterator[Project]) -> Project:
    """A file with all that the lake has."""
    project = next(workers)
    with duckdb.connect(str(project.database)) as connection, working(connection, [], Everything()):
        pass
    return project


def in_lake(query: str) -> list[tuple[Any, ...]]:
    """The rows of a query about the lake."""
    found = lake()
    assert found
    with duckdb.connect() as connection:
        attach(connection, found, read_only=True)
        return connection.execute(query).fetchall()


def test_two_machines_share_the_allowance_of_a_service(workers: Iterator[Project], loopback: Loopback) -> None:
    before = DATE - timedelta(days=1)
    posts = [*posts_of(stackoverflow=1_500), *posts_of(before, stackoverflow=1_500)]
    loopback.answer = services = Services(posts, limits=ALLOWANCES, span=SPAN)
    days = [("--from", f"{day}", "--to", f"{day}") for day in (DATE, before)]

    def run(project: Project, *day: str) -> None:
        finished = collect(project, loopback, *day, *only("stackoverflow"), INGEST_WINDOW_SECONDS=f"{SPAN}")
        assert finished.status == 0, finished.output

    both = [next(workers), next(workers)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda project, day: run(project, *day), both, days))
    times = arrivals(loopback.requests, "stackoverflow")
    # Together they need more than one span allows.
    assert len(times) > ALLOWANCES["stackoverflow"]
    assert not services.violations
    assert most_in_span(times, SPAN) <= ALLOWANCES["stackoverflow"]
    project = pulled(workers)
    assert_stored(project, posts)
    assert_sound(project)

    # A third machine pulls one day of the two, and asks nothing.
    third = next(workers)
    assert collect(third, loopback, *only("stackoverflow")).status == 0
    assert len(arrivals(loopback.requests, "stackoverflow")) == len(times)
    assert third.query("select distinct collection_date::text from bronze.raw_items") == [(DAY,)]
    assert len(in_lake("from lake.bronze.raw_items")) == len(posts)


def test_a_killed_collector_leaves_the_rest_to_another_machine(workers: Iterator[Project], loopback: Loopback) -> None:
    posts = posts_of(stackoverflow=1_500, reddit=780)
    loopback.answer = Services(posts)
    chosen = only("stackoverflow", "reddit")
    read: set[tuple[Any, ...]] = set()
    for number in range(KILLS):
        due = len(loopback.requests) + random.randrange(1, 12)

        def is_due(due: int = due) -> bool:
            return len(loopback.requests) >= due

        collect_and_kill(next(workers), loopback, is_due, *chosen)
        if in_lake("select 1 from duckdb_tables() where database_name = 'lake' and table_name = 'ingest_windows'"):
            read.update(in_lake(READ))
        log.info("kill %d: %d requests were made, %d windows are read", number + 1, len(loopback.requests), len(read))
    finished = collect(next(workers), loopback, *chosen)
    assert finished.status == 0, finished.output
    project = pulled(workers)
    assert_stored(project, posts)
    assert_sound(project)
    # What the lake had as read was not read again.
    assert read <= set(in_lake(READ))


def test_a_post_that_moved_to_another_day_moves_in_the_lake(workers: Iterator[Project], tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    row = (
        '{{"source": "hackernews", "url": "https://news.ycombinator.com/item?id={}", "title": "It {}",'
        ' "created_at": "{}T10:00:00Z"}}\n'
    )
    file.write_text("".join(row.format(number, "broke", "2026-11-18") for number in range(3)))
    assert next(workers).ingest("--file", str(file)).status == 0
    file.write_text(row.format(1, "broke again", "2026-11-19"))
    second = next(workers)
    finished = second.ingest("--file", str(file), "--date", "2026-11-19")
    assert finished.status == 0, finished.output
    # Of the other day, the worker has this post only.
    assert second.query("select url_hash is not null, title from bronze.raw_items") == [(True, "It broke again")]
    assert in_lake(
        "select collection_date::text, count(*), max(title) from lake.bronze.raw_items group by all order by all"
    ) == [("2026-11-18", 2, "It broke"), ("2026-11-19", 1, "It broke again")]
