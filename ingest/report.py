"""Counts what a run does for each source, and shows it during the run and at the end."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from groundswell.database import database_path, posts_place
from groundswell.days import in_words
from groundswell.words import count
from ingest.store import Stored

# This many rejected entries are listed one by one. The rest is only counted.
NAMED_REJECTS = 20
# This many are kept of a file, so that a file of nothing else fits in memory.
LISTED_REJECTS = 1_000
# Columns of the closing table that say nothing of a file.
OF_SERVICES = ("windows", "requests", "reported", "failed", "waited")

log = logging.getLogger("groundswell.ingest")


@dataclass
class Report:
    """The result of a run for one source or one imported file: a row of the closing table.

    planned: how many windows the run has to finish.
    windows, failed_windows: how many are finished, and how many failed.
    days: the days of the posts of a file.
    rejected, warnings, errors: lines to show.
    unlisted_rejects: how many entries were rejected beyond those in `rejected`.
    stopped: why the source ended before all windows were finished.
    off: why the source did not start.
    """

    name: str
    planned: int = 0
    windows: int = 0
    failed_windows: int = 0
    requests: int = 0
    reported: int | None = None
    fetched: int = 0
    stored: Stored = field(default_factory=Stored)
    repeated: int = 0
    skipped: int = 0
    days: set[date] = field(default_factory=set)
    other_days: int = 0
    waited: float = 0.0
    elapsed: float = 0.0
    rejected: list[str] = field(default_factory=list)
    unlisted_rejects: int = 0
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stopped: str | None = None
    off: str | None = None

    @property
    def failed(self) -> bool:
        """Whether entries were rejected, or windows failed or are unfinished."""
        return bool(self.rejected or self.errors or self.stopped)

    def numbers(self) -> dict[str, Any]:
        """The columns of the closing table."""
        return {
            "windows": self.windows,
            "requests": self.requests,
            "reported": self.reported,
            "fetched": self.fetched,
            "new": self.stored.new,
            "updated": self.stored.updated,
            "known": self.stored.unchanged + self.repeated,
            "skipped": self.skipped,
            "other day": self.other_days,
            "rejected": len(self.rejected) + self.unlisted_rejects,
            "failed": self.failed_windows,
            "waited": self.waited,
        }


def tell(reports: Sequence[Report]) -> None:
    """Log rejected entries, warnings and errors."""
    for report in reports:
        if report.off:
            log.warning("%s is off: %s", report.name, report.off)
        for reason in report.rejected[:NAMED_REJECTS]:
            log.error("%s", reason)
        if (more := len(report.rejected) + report.unlisted_rejects - NAMED_REJECTS) > 0:
            log.error("%s: %s more could not be read", report.name, f"{more:,}")
        for reason in report.warnings:
            log.warning("%s: %s", report.name, reason)
        for reason in report.errors:
            log.error("%s: %s", report.name, reason)
        if report.stopped:
            left = count(report.failed_windows, "window", "windows")
            log.error("%s ended with %s to go: %s", report.name, left, report.stopped)


def closing_table(reports: Sequence[Report], *, of_files: bool) -> Table:
    """The closing table: one row per source, or per file."""
    table = Table(title=f"Collected into {posts_place()}", title_justify="left", box=SIMPLE_HEAD, padding=0)
    table.add_column("file" if of_files else "source")
    left_out = OF_SERVICES if of_files else ()
    for column in Report("").numbers():
        if column not in left_out:
            table.add_column(column, justify="right", no_wrap=True)
    for report in reports:
        cells = report.numbers()
        shown = {name: "–" if cell is None else f"{cell:,}" for name, cell in cells.items()}
        shown["waited"] = f"{cells['waited']:,.0f} s"
        table.add_row(report.name, *(cell for name, cell in shown.items() if name not in left_out))
    return table


def days_of_files(reports: Sequence[Report]) -> str | None:
    """The line that says of which days the posts of files are: nobody else knows which days to build. None without."""
    days: set[date] = set().union(*(report.days for report in reports))
    return f"The posts are of {in_words(sorted(days))}" if days else None


def as_json(reports: Sequence[Report]) -> str:
    """The closing table as JSON, with the errors and warnings; waited and elapsed are in seconds."""
    sources = [
        {"source": report.name}
        | {name.replace(" ", "_"): value for name, value in report.numbers().items()}
        | {"waited": round(report.waited, 3), "elapsed": round(report.elapsed, 3), "planned": report.planned}
        | {"off": report.off, "stopped": report.stopped, "errors": report.errors, "warnings": report.warnings}
        | {"rejected_entries": report.rejected}
        for report in reports
    ]
    document = {"database": database_path(), "failed": any(report.failed for report in reports), "sources": sources}
    return json.dumps(document, indent=1)
