"""python -m ingest: collects a day of posts into bronze.raw_items and exits before dbt starts."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ingest.collect import Report, collect, replay
from ingest.day import parse_day
from ingest.errors import IngestError
from ingest.item import SourceName
from ingest.jsonl import import_posts
from ingest.settings import load_settings
from ingest.store import database_path, open_store

# Bad lines named one by one before the rest is only counted.
NAMED_REJECTS = 20

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
log = logging.getLogger("groundswell.ingest")


@app.command()
def main(
    day: Annotated[
        date | None, typer.Option("--date", parser=parse_day, metavar="D", help="UTC day to collect, as 2026-11-20.")
    ] = None,
    source: Annotated[
        list[SourceName] | None, typer.Option(help="Collect from this source only; may be repeated.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="F.jsonl", help="Import posts from a file (.jsonl or .jsonl.gz).")
    ] = None,
    replay_dir: Annotated[
        Path | None, typer.Option("--replay", metavar="DIR", help="Read recorded responses, DIR/<source>/*.json.")
    ] = None,
) -> None:
    """Collect public posts of a day into bronze.raw_items.

    Without --file or --replay the services are asked, as ingest/sources.yml says. Running it again
    updates what has changed and deletes nothing.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    # httpx logs every URL, query string and keys included.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if file and (replay_dir or source):
        raise typer.BadParameter("--file goes with neither --replay nor --source")
    try:
        if file:
            reports = [import_file(file, day)]
        elif day:
            reports = collect_day(day, source or list(SourceName), replay_dir)
        else:
            raise typer.BadParameter("--date is missing: say which UTC day to collect, as --date 2026-11-20")
    except IngestError as error:
        log.error("%s", error)
        raise typer.Exit(1) from None
    show(reports)
    if any(report.failed for report in reports):
        raise typer.Exit(1)


def import_file(file: Path, day: date | None) -> Report:
    """Import a file of posts. Raises IngestError."""
    if not file.is_file():
        raise IngestError(f"{file} is no file")
    with open_store() as connection:
        return import_posts(connection, file, day)


def collect_day(day: date, sources: Sequence[SourceName], replay_dir: Path | None) -> list[Report]:
    """Collect a day from the services, or from their recorded responses. Raises IngestError."""
    settings = load_settings()
    with open_store() as connection:
        if replay_dir:
            return replay(connection, sources, replay_dir, day)
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
            return asyncio.run(collect(connection, sources, settings, day, progress))


def show(reports: Sequence[Report]) -> None:
    """Say what was left out, then print the closing table."""
    for report in reports:
        if report.off:
            log.warning("%s is off: %s", report.name, report.off)
        for reason in report.rejected[:NAMED_REJECTS]:
            log.error("%s", reason)
        if len(report.rejected) > NAMED_REJECTS:
            log.error("%s: %s more could not be read", report.name, f"{len(report.rejected) - NAMED_REJECTS:,}")
        for reason in report.errors:
            log.error("%s: %s", report.name, reason)
    table = Table("source", title=f"Collected into {database_path()}", title_justify="left", box=SIMPLE_HEAD, padding=0)
    for column in ("windows", "fetched", "new", "updated", "known", "repeated", "skipped", "other day", "rejected"):
        table.add_column(column, justify="right", no_wrap=True)
    for report in reports:
        numbers = (
            report.windows, report.fetched, *report.stored,
            report.repeated, report.skipped, report.other_days, len(report.rejected),
        )  # fmt: skip
        table.add_row(report.name, *(f"{number:,}" for number in numbers))
    # Wide enough for the table also in a pipe, which rich takes for 80 columns.
    Console(width=max(Console().width, 100)).print(table)


if __name__ == "__main__":
    app(prog_name="python -m ingest")
