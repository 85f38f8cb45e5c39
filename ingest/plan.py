"""Estimates the requests and minutes of a run: python -m ingest --dry-run."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import duckdb
from rich.box import SIMPLE_HEAD
from rich.table import Table

from ingest.collect import Run, plan
from ingest.errors import IngestError
from ingest.sources import sources
from ingest.window import FIRST_PAGE, Window

# A query's pages per day are averaged over this many days.
HISTORY = 14


@dataclass(frozen=True)
class Estimate:
    """The estimate for one source.

    known: how many of the windows have a query with earlier days. Every other window counts as one request, the least.
    off: why the source can not be collected.
    """

    source: str
    windows: int = 0
    known: int = 0
    requests: int = 0
    minutes: float = 0.0
    allowance: int = 0
    off: str | None = None


def estimate(connection: duckdb.DuckDBPyConnection, run: Run) -> list[Estimate]:
    """The estimate for each source of a run. Nothing is written."""
    return [estimate_source(connection, run, name) for name in run.names]


def estimate_source(connection: duckdb.DuckDBPyConnection, run: Run, name: str) -> Estimate:
    """The estimate for one source."""
    try:
        windows = plan(connection, name, run.settings, run.days, refresh=run.refresh)
        allowance = sources()[name].allowance()
    except IngestError as error:
        return Estimate(name, off=str(error))
    pages = pages_a_day(connection, name)
    requests = sum(window_requests(window, pages) for window in windows)
    # The first batch of requests leaves at once, and each further batch one span later.
    spans = max(math.ceil(requests / allowance) - 1, 0)
    known = sum(window.query in pages or window.pages > 0 for window in windows)
    return Estimate(name, len(windows), known, requests, spans * run.limits.span / 60, allowance)


def window_requests(window: Window, pages: dict[str, float]) -> int:
    """Requests that a window needs: its missing pages, or for a fresh window its share of the query's usual day."""
    if window.pages or window.pages_left != (FIRST_PAGE,):
        return len(window.pages_left)
    part = (window.end - window.start).total_seconds() / 86_400
    return max(1, round(pages.get(window.query, 0.0) * part))


def pages_a_day(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, float]:
    """The mean number of pages of each query over its last finished days."""
    rows = connection.execute(
        """
        with days as (
            select query, collection_date, sum(pages) as pages
            from bronze.ingest_windows
            where source = $source
            group by query, collection_date
            having bool_and(status in ('complete', 'truncated')) and sum(pages) > 0
            qualify row_number() over (partition by query order by collection_date desc) <= $history
        )
        select query, avg(pages) from days group by all
        """,
        {"source": name, "history": HISTORY},
    ).fetchall()
    return dict(rows)


def estimate_table(estimates: Sequence[Estimate]) -> Table:
    """A table with one row per source."""
    title = f"To be asked: {duration(estimates)}"
    table = Table("source", title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)
    for column in ("windows", "requests", "a minute", "minutes", ""):
        table.add_column(column, justify="right" if column else "left")
    for estimate in estimates:
        if estimate.off:
            table.add_row(estimate.source, "", "", "", "", f"off: {estimate.off}")
            continue
        unknown = estimate.windows - estimate.known
        note = f"at least: {unknown:,} windows without a day to judge by" if unknown else "by the days collected before"
        row = (estimate.windows, estimate.requests, estimate.allowance, round(estimate.minutes, 1))
        table.add_row(estimate.source, *(f"{cell:,}" for cell in row), note if estimate.windows else "all is finished")
    return table


def duration(estimates: Sequence[Estimate]) -> str:
    """The total in words. The minutes are those of the slowest source, because all run at once."""
    requests = sum(estimate.requests for estimate in estimates)
    minutes = max((estimate.minutes for estimate in estimates), default=0.0)
    least = "at least " if any(estimate.known < estimate.windows for estimate in estimates) else "about "
    return f"{least}{requests:,} requests, {minutes:,.1f} minutes" if requests else "nothing, all is finished"


def estimates_as_json(estimates: Sequence[Estimate]) -> str:
    """The estimates as JSON."""
    return json.dumps({"sources": [asdict(estimate) for estimate in estimates]}, indent=1)
