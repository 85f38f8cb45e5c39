"""Runs the sources side by side: windows, pages, posts, rows. Also replays recorded responses."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count, product
from pathlib import Path
from typing import Any

import duckdb
import httpx

from groundswell.clock import this_second
from groundswell.database import transaction
from groundswell.errors import GroundswellError
from ingest.allowance import SLACK, Allowance
from ingest.archive import Recording, confirm, recordings
from ingest.errors import IngestError, QueryRefusedError
from ingest.item import Item
from ingest.limits import Limits
from ingest.parsed import Parsed
from ingest.report import Report
from ingest.service import TIMEOUT, USER_AGENT, Service
from ingest.settings import Sections, why_off
from ingest.source import Source
from ingest.sources import sources
from ingest.store import (
    give_up_windows,
    keep_rejected,
    pause_left,
    publish_page,
    read_windows,
    recent_requests,
    rejects_of,
    upsert_items,
    write_windows,
)
from ingest.window import FIRST_PAGE, Window, closed, day_window

# The most requests of a source that are under way at once. Each needs a connection. Even if a response takes 15 s, this
# number uses up the allowance of every service.
IN_FLIGHT = 30

log = logging.getLogger("groundswell.ingest")


def store_items(
    connection: duckdb.DuckDBPyConnection,
    items: Sequence[Item],
    day: date | None,
    report: Report,
    collected_at: datetime,
    seen: set[str] | None = None,
) -> int:
    """Store the posts of a day, or of all days if day is None; returns their number, copies included.

    Of several copies of a post in one page, the first is stored. With `seen`, this holds for a whole run. Without it,
    two copies in recordings or files without a time would replace each other at every run.
    """
    of_day = [item for item in items if day in (None, item.collection_date)]
    distinct = {item.match_url: item for item in reversed(of_day) if not seen or item.match_url not in seen}
    report.stored = report.stored.plus(upsert_items(connection, list(distinct.values()), collected_at))
    if seen is not None:
        seen.update(distinct)
    report.repeated += len(of_day) - len(distinct)
    report.other_days += len(items) - len(of_day)
    return len(of_day)


def store_page(
    connection: duckdb.DuckDBPyConnection,
    parsed: Parsed,
    window: Window,
    report: Report,
    collected_at: datetime,
    seen: set[str] | None = None,
) -> int:
    """Store a page's posts of the window's day and its rejected entries; returns the number of posts."""
    stored = store_items(connection, parsed.items, window.collection_date, report, collected_at, seen)
    personal = sources()[window.source].personal_fields
    keep_rejected(connection, window.source, window.query, rejects_of(parsed.rejected, personal), collected_at)
    report.fetched += parsed.fetched
    report.skipped += parsed.skipped
    report.rejected += [f"{window.source}: {window}: {rejected.reason}" for rejected in parsed.rejected]
    return stored


def take_page(
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    page: str,
    parsed: Parsed,
    report: Report,
    received_at: datetime,
) -> list[Window]:
    """Commit a page and the windows that follow from it in one transaction; returns these windows.

    If the window no longer waits for the page, the posts are stored and the window stays as it is.

    Raises DatabaseError.
    """
    with transaction(connection):
        stored = store_page(connection, parsed, window, report, received_at)
        if page not in window.pages_left:
            return [window]
        counted = replace(
            window,
            pages_left=tuple(left for left in window.pages_left if left != page),
            pages=window.pages + 1,
            reported_total=parsed.total,
            fetched=window.fetched + parsed.fetched,
            stored=window.stored + stored,
        )
        followers = [
            closed(follower) if follower.status == "pending" and not follower.pages_left else follower
            for follower in sources()[window.source].advance(counted, page, parsed, window)
        ]
        write_windows(connection, followers, received_at)
    report.planned += len(followers) - 1
    for follower in followers:
        if follower.status != "pending":
            count_window(follower, report)
    return followers


def count_window(window: Window, report: Report) -> None:
    """Count a finished window in the report, and report the posts that it lacks."""
    report.windows += 1
    if window.reported_total is not None:
        report.reported = (report.reported or 0) + window.reported_total
    if window.status == "truncated":
        report.errors.append(f"{window} is truncated: {window.error}")
    elif window.error:
        report.warnings.append(f"{window}: {window.error}")
    log.info("%s: %s: %s, %s posts, %s pages", report.name, window, window.status, f"{window.fetched:,}", window.pages)


def unfinished(window: Window, finished_at: datetime | None) -> Window | None:
    """The part of a known window that is still to be fetched; None if the window is finished.

    A window that was read before its end may hold more posts now. It is read again.
    """
    if finished_at and finished_at.replace(tzinfo=UTC) < window.end:
        return window.afresh()
    if window.status in ("complete", "truncated"):
        return None
    if window.status == "failed":
        window = replace(window, status="pending", error=None)
    return replace(window, pages_left=window.pages_left or (FIRST_PAGE,))


def plan(
    connection: duckdb.DuckDBPyConnection, name: str, settings: Sections, days: Sequence[date], *, refresh: bool
) -> list[Window]:
    """The windows of a source that are still to be fetched, in order of days; with refresh, all windows.

    Raises IngestError if the settings leave the source out, or if a credential is missing.
    """
    if reason := why_off(settings, name):
        raise IngestError(reason)
    known = {} if refresh else read_windows(connection, name, days[0], days[-1])
    planned = []
    for day, query in product(days, sources()[name].queries(settings[name])):
        if windows := known.get((query, day)):
            planned += [left for window in windows if (left := unfinished(*window))]
        else:
            planned.append(day_window(name, query, day))
    return planned


@dataclass
class Collector:
    """Fetches the windows of one source. Every page is a task, and IN_FLIGHT tasks run at once.

    live: the unfinished windows by number. Tasks refer to the number, because the window changes with every page.
    """

    service: Service
    report: Report
    live: dict[int, Window] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    tasks: asyncio.PriorityQueue[tuple[date, int, str]] = field(default_factory=asyncio.PriorityQueue)

    async def run(self, windows: Sequence[Window]) -> None:
        """Fetch the windows. The report lists failures. The next run goes on from the windows in the table."""
        connection = self.service.connection
        with transaction(connection):
            write_windows(connection, windows, this_second())
        self.report.planned = len(windows)
        for window in windows:
            self.start(window)
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self.work()) for _ in range(IN_FLIGHT)]
            await self.tasks.join()
            for worker in workers:
                worker.cancel()
        if self.live:
            reason = self.report.stopped
            left = [replace(window, status="failed", error=reason) for window in self.live.values()]
            with transaction(connection):
                write_windows(connection, left, this_second())
            self.report.failed_windows += len(left)

    def start(self, window: Window, number: int | None = None, known: Sequence[str] = ()) -> None:
        """Queue the pages of a window, except known pages: first by day, then by the window's number."""
        number = next(self.numbers) if number is None else number
        self.live[number] = window
        for page in window.pages_left:
            if page not in known:
                self.tasks.put_nowait((window.collection_date, number, page))

    async def work(self) -> None:
        """Run one task after the other until cancelled. Any error except a refused query ends the source."""
        while True:
            _, number, page = await self.tasks.get()
            try:
                await self.fetch(number, page)
            except GroundswellError as error:
                self.report.stopped = self.report.stopped or str(error)
                self.service.allowance.close(error)
            finally:
                self.tasks.task_done()

    async def fetch(self, number: int, page: str) -> None:
        """Request a page and store it. Raises IngestError or DatabaseError."""
        source = self.service.source
        if (window := self.live.get(number)) is None:
            return
        try:
            answer = await self.service.ask(source.request(window, page), source.parse)
        except QueryRefusedError as error:
            self.refuse(number, error)
            return
        # Pages that came meanwhile have changed the window, or finished it.
        window = self.live.get(number, replace(window, pages_left=()))
        with self.service.busy:
            followers = take_page(
                self.service.connection, window, page, answer.content, self.report, answer.received_at
            )
            if answer.recording:
                confirm(answer.recording)
            publish_page()
        if self.live.pop(number, None) is None:
            return
        for follower in followers:
            if follower.status == "pending" and follower.pages:
                self.start(follower, number, known=window.pages_left)
            elif follower.status == "pending":
                self.start(follower)

    def refuse(self, number: int, error: QueryRefusedError) -> None:
        """Record a window as failed because the service refuses its query."""
        if window := self.live.pop(number, None):
            with transaction(self.service.connection):
                write_windows(
                    self.service.connection, [replace(window, status="failed", error=str(error))], this_second()
                )
            self.report.failed_windows += 1
            self.report.errors.append(f"{window}: {error}")


@dataclass(frozen=True)
class Run:
    """The sources and days to collect, and the settings for it."""

    names: Sequence[str]
    days: Sequence[date]
    settings: Sections
    limits: Limits
    refresh: bool = False
    archive: Path | None = None


def http_client() -> httpx.AsyncClient:
    """The client that all sources share."""
    headers = {"User-Agent": USER_AGENT}
    return httpx.AsyncClient(headers=headers, timeout=TIMEOUT, limits=httpx.Limits(max_connections=None))


async def collect(
    connection: duckdb.DuckDBPyConnection, run: Run, watch: Callable[[Service, Report], None]
) -> list[Report]:
    """Collect from all sources at once; returns one report per source, in order. Calls watch when a source starts."""
    for name in sources():
        if why_off(run.settings, name):
            give_up_windows(connection, name, [], run.days[0], run.days[-1])
    async with http_client() as client:
        return await asyncio.gather(*(collect_source(connection, client, name, run, watch) for name in run.names))


def standing_allowance(
    connection: duckdb.DuckDBPyConnection, source: Source[Any], requests: int, span: float, patience: float
) -> Allowance:
    """The allowance of a service, less what earlier runs have used of it, with the rest of a pause that is in force."""
    recent = recent_requests(connection, source.name, span * (1 + SLACK))
    allowance = Allowance(source.name, requests, span, patience, recent)
    allowance.pause(pause_left(connection, source.name), f"{source.label} asked an earlier run for a pause")
    return allowance


async def collect_source(
    connection: duckdb.DuckDBPyConnection,
    client: httpx.AsyncClient,
    name: str,
    run: Run,
    watch: Callable[[Service, Report], None],
) -> Report:
    """Collect from one source. Failures are in the report and stop only this source."""
    report, source, span = Report(name), sources()[name], run.limits.span
    try:
        windows = plan(connection, name, run.settings, run.days, refresh=run.refresh)
        requests = source.allowance()
    except IngestError as error:
        report.off = str(error)
        return report
    give_up_windows(connection, name, source.queries(run.settings[name]), run.days[0], run.days[-1])
    allowance = standing_allowance(connection, source, requests, span, run.limits.patience)
    service = Service(source, client, allowance, connection, run.archive)
    watch(service, report)
    started = time.monotonic()
    try:
        await Collector(service, report).run(windows)
    except GroundswellError as error:
        report.stopped = str(error)
    report.requests = service.requests
    report.elapsed = time.monotonic() - started
    report.waited = max(report.elapsed - service.busy.total, 0.0)
    return report


def replay(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], folder: Path, days: Sequence[date]
) -> list[Report]:
    """Read recorded responses, DIR/<source>/*.json, with the parsers of live data; returns one report per source.

    If the folder has a folder of one of the days, DIR/<day>/<source>/*.json is read instead, for that day.

    A response with a meta file (ingest.archive) goes through the same steps as a live response and leaves the same
    rows. A response without one becomes a window of its own, on the only day; nothing says how many posts there were.

    Raises IngestError if the folder holds no responses of the sources.
    """
    of_day = {folder / str(day): (day,) for day in days if (folder / str(day)).is_dir()}
    parts: Mapping[Path, Sequence[date]] = of_day or {folder: days}
    recorded = {
        name: [(each, possible) for part, possible in parts.items() for each in recordings(part, name)]
        for name in names
    }
    if not any(recorded.values()):
        raise IngestError(f"{folder} holds no recorded responses, {folder}/<source>/*.json, of {', '.join(names)}")
    return [replay_source(connection, name, recorded[name]) for name in names]


def replay_source(
    connection: duckdb.DuckDBPyConnection, name: str, recorded: Sequence[tuple[Recording, Sequence[date]]]
) -> Report:
    """Read the recorded responses of a source, each with the days that it may be of."""
    report, seen = Report(name), set[str]()
    for recording, days in recorded:
        if recording.window and recording.window.collection_date not in days:
            continue
        try:
            parsed = sources()[name].parse(recording.payload())
        except IngestError as error:
            failed = day_window(name, recording.path.name, days[0])
            write_windows(
                connection, [replace(failed, status="failed", error=str(error), pages_left=())], this_second()
            )
            report.failed_windows += 1
            report.errors.append(f"{recording.path.name}: {error}")
            continue
        if recording.window and recording.received_at:
            window = standing_window(connection, recording.window, recording.page)
            take_page(connection, window, recording.page, parsed, report, recording.received_at)
            continue
        if len(days) > 1:
            raise IngestError(f"{recording.path} does not say which day it is of: give one --date")
        window, moment = day_window(name, recording.path.name, days[0]), this_second()
        with transaction(connection):
            stored = store_page(connection, parsed, window, report, moment, seen)
            window = replace(window, pages_left=(), pages=1, fetched=parsed.fetched, stored=stored)
            write_windows(connection, [closed(window)], moment)
        count_window(closed(window), report)
    report.planned = report.windows + report.failed_windows
    return report


def standing_window(connection: duckdb.DuckDBPyConnection, asked: Window, page: str) -> Window:
    """The current state of the window that a recorded page belongs to; a first page starts the window again."""
    day = asked.collection_date
    for window, _ in read_windows(connection, asked.source, day, day).get((asked.query, day), []):
        same = (window.start, window.end, window.reading) == (asked.start, asked.end, asked.reading)
        if same and page in window.pages_left:
            return window
    return asked if page == FIRST_PAGE else replace(asked, pages_left=())
