"""Runs the sources side by side: windows, pages, posts, rows. Also replays recorded responses."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import httpx
from rich.progress import Progress

from ingest import github, hackernews, reddit, stackoverflow
from ingest.errors import IngestError
from ingest.item import Item, SourceName
from ingest.settings import Settings
from ingest.source import Parsed, Payload, Source, Window, day_window
from ingest.store import Stored, record_window, upsert_items

SOURCES: dict[SourceName, Source] = {
    SourceName.GITHUB: github,
    SourceName.STACKOVERFLOW: stackoverflow,
    SourceName.REDDIT: reddit,
    SourceName.HACKERNEWS: hackernews,
}

USER_AGENT = "python:groundswell:0.1.0"
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


@dataclass
class Report:
    """What happened to one source (or one imported file): the closing table's row."""

    name: str
    windows: int = 0
    fetched: int = 0
    stored: Stored = field(default_factory=Stored)
    repeated: int = 0
    skipped: int = 0
    other_days: int = 0
    rejected: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    off: str | None = None
    seen: set[str] = field(default_factory=set)

    @property
    def failed(self) -> bool:
        """Whether anything was lost or refused."""
        return bool(self.rejected or self.errors)


@dataclass
class Count:
    """What one window brought."""

    fetched: int = 0
    stored: int = 0
    reported_total: int | None = None


def store_items(connection: duckdb.DuckDBPyConnection, items: Sequence[Item], day: date | None, report: Report) -> int:
    """Store the posts written on a day (on any, where day is None); returns how many of items those are.

    Of copies that reach one run, from overlapping pages or queries, the first counts: were it the last,
    the two would take turns at every run.
    """
    of_day = [item for item in items if day in (None, item.collection_date)]
    distinct = {item.url_hash: item for item in reversed(of_day) if item.url_hash not in report.seen}
    report.stored = report.stored.plus(upsert_items(connection, list(distinct.values())))
    report.seen |= distinct.keys()
    report.repeated += len(of_day) - len(distinct)
    report.other_days += len(items) - len(of_day)
    return len(of_day)


def store_page(
    connection: duckdb.DuckDBPyConnection, parsed: Parsed, day: date, window: Window, report: Report, count: Count
) -> None:
    """Store a page's posts of the day and add the page to the counts."""
    count.stored += store_items(connection, parsed.items, day, report)
    count.fetched += parsed.fetched
    count.reported_total = parsed.reported_total
    report.fetched += parsed.fetched
    report.skipped += parsed.skipped
    report.rejected += [f"{window.query}: {reason}" for reason in parsed.rejected]


def close_window(
    connection: duckdb.DuckDBPyConnection, window: Window, report: Report, count: Count, error: str | None
) -> None:
    """Record a window's outcome."""
    status = "failed" if error else "complete"
    if not error and count.reported_total is not None and count.fetched < count.reported_total:
        status, error = "truncated", f"the service gave {count.fetched:,} of {count.reported_total:,} posts"
    record_window(
        connection,
        {
            "source": report.name,
            "collection_date": window.start.date(),
            "window_start": window.start.replace(tzinfo=None),
            "window_end": window.end.replace(tzinfo=None),
            "query": window.query,
            "reported_total": count.reported_total,
            "fetched": count.fetched,
            "stored": count.stored,
            "status": status,
            "error": error,
        },
    )
    report.windows += 1
    if error:
        report.errors.append(f"{window.query}: {error}")


async def collect_source(
    connection: duckdb.DuckDBPyConnection,
    client: httpx.AsyncClient,
    name: SourceName,
    settings: Settings,
    day: date,
    progress: Progress,
) -> Report:
    """Collect a day of one source; what fails is in the report and stops that source only."""
    source, report = SOURCES[name], Report(name)
    try:
        windows = source.windows(settings, day)
    except IngestError as error:
        report.off = str(error)
        return report
    task = progress.add_task(name, total=len(windows))
    for window in windows:
        count, failure = Count(), None
        try:
            async for payload in source.pages(client, window):
                store_page(connection, source.parse(payload), day, window, report, count)
        except IngestError as error:
            failure = str(error)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            failure = f"a response that can not be understood: {type(error).__name__}: {error}"
        close_window(connection, window, report, count, failure)
        progress.advance(task)
        if failure:
            # A service that refused one question would refuse the next: leave it alone.
            break
    return report


async def collect(
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[SourceName],
    settings: Settings,
    day: date,
    progress: Progress,
) -> list[Report]:
    """Collect a day of each source, side by side; one report a source, in order."""
    async with httpx.AsyncClient(headers={"User-Agent": USER_AGENT}, timeout=TIMEOUT, follow_redirects=True) as client:
        return await asyncio.gather(
            *(collect_source(connection, client, name, settings, day, progress) for name in names)
        )


def recorded_pages(folder: Path) -> list[Path]:
    """The recorded responses of a folder in order of name: *.json or *.json.gz, each a response body.

    What stands beside them as *.meta.json is not a response.
    """
    files = sorted((*folder.glob("*.json"), *folder.glob("*.json.gz")))
    return [path for path in files if ".meta.json" not in path.name]


def read_page(path: Path) -> Payload:
    """The JSON in a file, unpacked where it is compressed. Raises IngestError."""
    try:
        body = path.read_bytes()
        return json.loads(gzip.decompress(body) if path.suffix == ".gz" else body)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
        raise IngestError(f"{path} can not be read: {error}") from error


def replay(connection: duckdb.DuckDBPyConnection, names: Sequence[SourceName], folder: Path, day: date) -> list[Report]:
    """Read recorded responses, DIR/<source>/*.json, through the parsers of live data; one report a source.

    Each file is a window of its own. Nobody can be asked how many posts there are, so reported_total is null.
    Raises IngestError where the folder holds none of the sources.
    """
    if not any(recorded_pages(folder / name) for name in names):
        raise IngestError(f"{folder} holds no recorded responses, {folder}/<source>/*.json, of {', '.join(names)}")
    reports = []
    for name in names:
        report = Report(name)
        for path in recorded_pages(folder / name):
            window, count, failure = day_window(path.name, day), Count(), None
            try:
                parsed = SOURCES[name].parse(read_page(path))
                parsed.reported_total = None
                store_page(connection, parsed, day, window, report, count)
            except IngestError as error:
                failure = str(error)
            close_window(connection, window, report, count, failure)
        reports.append(report)
    return reports
