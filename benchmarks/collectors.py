"""Measures the requests and the seconds of collecting, against a loopback server that imitates the services."""

import json
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ingest.settings import load_settings
from tests.support.loopback import Loopback
from tests.support.project import Project
from tests.support.services import Post, Services, addresses, make_posts

LAST = date(2026, 11, 20)
KEYS = {"GITHUB_TOKEN": "a-token", "STACKEXCHANGE_KEY": "a-key", "REDDIT_CLIENT_ID": "id", "REDDIT_CLIENT_SECRET": "s"}
# A busy day: about 20,000 posts.
POSTS = {"github": 5_000, "stackoverflow": 6_000, "reddit": 4_000, "hackernews": 5_000}
# So many days with few posts give about four batches of requests.
DAYS = {"github": 60, "stackoverflow": 20, "reddit": 40, "hackernews": 400}
SPAN = 6.0
LATENCY = 0.05


def queries_of(source: str) -> list[str]:
    """The queries of a source in ingest/sources.yml."""
    section = load_settings()[source].model_dump()
    return list(next(iter(section.values())))


def collect_posts(posts: list[Post], folder: Path, *arguments: str) -> tuple[dict[str, dict[str, float]], Project]:
    """Collect from a server with these posts. Returns the final report of each source, and the database."""
    project = Project(folder / "collect.duckdb")
    with Loopback() as loopback:
        loopback.answer = Services(posts, latency=LATENCY)
        settings = {**addresses(loopback.url), **KEYS, "INGEST_WINDOW_SECONDS": f"{SPAN:g}"}
        finished = project.ingest(*arguments, "--json", **settings)
    if finished.status:
        sys.exit(finished.output)
    # The output starts with the log, which goes to stderr.
    document = json.loads(finished.output[finished.output.index("{\n") :])
    return {source["source"]: source for source in document["sources"]}, project


def allowance_used(source: str) -> float:
    """The share of the allowance that the collector uses while it has work.

    It is the span of the allowance, divided by the mean time between a request and the request one allowance later.
    The posts are spread over many small days, so that no page has to wait for another page.
    """
    first = LAST - timedelta(days=DAYS[source] - 1)
    days = [first + timedelta(days=number) for number in range(DAYS[source])]
    posts = [post for day in days for post in make_posts(source, queries_of(source), day, len(queries_of(source)))]
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("--from", str(first), "--to", str(LAST), "--source", source)
        _, project = collect_posts(posts, Path(folder), *arguments)
        [(share,)] = project.query(
            """
            with batches as (
                select span_seconds, requested_at - lag(requested_at, allowance) over (order by requested_at) as taken
                from bronze.ingest_requests
            )
            select any_value(span_seconds) / avg(epoch(taken)) from batches
            """
        )
    return float(share)


def measure_collectors() -> Table:
    """Measure, for each source, the requests, the used share of the allowance, and the time without waiting."""
    posts = [post for source, count in POSTS.items() for post in make_posts(source, queries_of(source), LAST, count)]
    with tempfile.TemporaryDirectory() as folder:
        reports, _ = collect_posts(posts, Path(folder), "--date", str(LAST))
    title = f"Collecting {len(posts):,} posts of a day; a minute of the services takes {SPAN:g} s"
    table = Table("source", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("posts", "requests", "per 1,000 posts", "allowance used", "seconds", "outside waiting"):
        table.add_column(column, justify="right", no_wrap=True)
    for source in POSTS:
        report = reports[source]
        stored, requests, elapsed = report["new"], report["requests"], report["elapsed"]
        working = elapsed - report["waited"]
        table.add_row(
            source,
            f"{stored:,}",
            f"{requests:,}",
            f"{requests / stored * 1_000:.1f}",
            f"{allowance_used(source):.1%}",
            f"{elapsed:.1f}",
            f"{working / elapsed:.0%}",
        )
    return table
