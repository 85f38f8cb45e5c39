"""Tries each source with one request: python -m ingest check."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb
import httpx
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from groundswell.errors import GroundswellError
from ingest.collect import http_client, standing_allowance
from ingest.errors import IngestError
from ingest.limits import Limits
from ingest.service import Service
from ingest.settings import Sections, why_off
from ingest.sources import sources
from ingest.window import FIRST_PAGE, day_window

# The longest pause in seconds that a check waits for a service.
PATIENCE = 5.0

OFF, WORKS, FAILS = "off", "works", "does not work"


@dataclass(frozen=True)
class Finding:
    """What the check of a source found: OFF, WORKS or FAILS, and what there is to say about it."""

    source: str
    state: str
    note: str


async def check(connection: duckdb.DuckDBPyConnection, settings: Sections, limits: Limits) -> list[Finding]:
    """Ask each source that is on for its first query, and a source of many hosts for each query."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    async with http_client() as client:
        found = await asyncio.gather(
            *(check_source(connection, client, name, settings, limits, yesterday) for name in sources())
        )
    return [finding for findings in found for finding in findings]


async def check_source(
    connection: duckdb.DuckDBPyConnection,
    client: httpx.AsyncClient,
    name: str,
    settings: Sections,
    limits: Limits,
    day: date,
) -> list[Finding]:
    """Try one source. Nothing is stored but the record of the requests."""
    if reason := why_off(settings, name):
        return [Finding(name, OFF, reason)]
    source = sources()[name]
    try:
        queries = source.queries(settings[name])
        requests = source.allowance()
    except IngestError as error:
        return [Finding(name, FAILS, with_advice(str(error), source.advice()))]
    allowance = standing_allowance(connection, source, requests, limits.span, PATIENCE)
    service = Service(source, client, allowance, connection, attempts=1)
    findings = []
    for query in queries if source.has_many_hosts else queries[:1]:
        request = source.request(day_window(name, query, day), FIRST_PAGE)
        try:
            parsed = (await service.ask(request, source.parse)).content
        except GroundswellError as error:
            findings.append(Finding(name, FAILS, with_advice(str(error), source.advice())))
            continue
        note = f"{parsed.fetched:,} entries for {query}"
        if parsed.rejected:
            note += f", {len(parsed.rejected):,} of which can not be read: {parsed.rejected[0].reason}"
        state = FAILS if parsed.rejected and not parsed.items else WORKS
        findings.append(Finding(name, state, with_advice(note, source.advice())))
    return findings


def with_advice(note: str, advice: str) -> str:
    """A note, and the advice of the source if it has any."""
    return f"{note}. {advice}" if advice else note


def check_table(findings: Sequence[Finding]) -> Table:
    """A table with one row per finding."""
    table = Table("source", box=SIMPLE_HEAD, padding=0)
    table.add_column("state", no_wrap=True)
    table.add_column("", overflow="fold")
    for finding in findings:
        # A service's words are shown as they are, not as markup.
        table.add_row(finding.source, finding.state, Text(finding.note))
    return table
