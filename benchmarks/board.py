"""Measures the first paint of the board with thousands of problems, and the bytes and requests that it takes."""

import json
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from rich.box import SIMPLE_HEAD
from rich.table import Table

from sync.server import wait_until_healthy
from tests.board.test_board import CHROMIUM, QUIET
from tests.support.project import DAY, ROOT, free_address

PROBLEMS = 5_000
POSTS = 200_000
# So many times each board is opened, in turn, each time by a new visitor.
ROUNDS = 5
# A problem was heard within so many days.
DAYS = 60
SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
WORDS = (
    "the export of reports loses every second line when a filter is set and nobody says so in the log after the last "
    "update our whole team waits for minutes until a page with more than a hundred rows comes back or times out"
).split()


@dataclass
class Visit:
    """What one visit took. listed: seconds until the first problem stood there; painted: until something did.

    requests: path and bytes on the wire, with headers.
    """

    painted: float = 0
    listed: float = 0
    requests: list[tuple[str, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(size for _, size in self.requests)


@contextmanager
def served(checkout: Path, data: Path) -> Iterator[str]:
    """The board of a checkout of the project, over a folder of data; gives its address."""
    address = free_address()
    server = subprocess.Popen(
        [sys.executable, "-m", "sync", "serve", "--http", address, "--dir", str(data)],
        cwd=checkout,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = f"http://{address}"
    try:
        wait_until_healthy(server, url)
        yield url
    finally:
        server.terminate()
        server.communicate()


def say(chance: random.Random, least: int, most: int) -> str:
    """Some words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(least, most)))


def problem(chance: random.Random, number: int) -> dict[str, Any]:
    """The record of a problem, as long as real ones are."""
    last = date.fromisoformat(DAY) - timedelta(days=chance.randint(0, 13))
    heard = sorted({last - timedelta(days=chance.randrange(DAYS)) for _ in range(chance.randint(1, 30))} | {last})
    said = [say(chance, 10, 40) for _ in range(5)]
    quotes = [
        {"quote": quote, "source": chance.choice(SOURCES), "url": f"https://example.com/{number}/{place}",
         "supports_payment": chance.random() < 0.1}
        for place, quote in enumerate(said)
    ]  # fmt: skip
    voices = chance.randint(3, 40)
    return {
        "id": f"{number:015d}",
        "title": say(chance, 6, 14)[:118],
        "description": say(chance, 20, 60),
        "category": chance.choice(["ai", "devtools", "finance", "other"]),
        "impact_level": chance.choice(["low", "medium", "high", ""]),
        "labeler": "extractive",
        "status": "active",
        "trend": chance.choice(["new", "growing", "steady", "fading"]),
        "tier": chance.choice(["certain", "likely", "emerging"]),
        "agreement": chance.random(),
        "post_count": POSTS // PROBLEMS,
        "voices": voices,
        "recent_voices": voices // 2,
        "earlier_voices": voices - voices // 2,
        "source_count": 2,
        "days_seen": len(heard),
        "cohesion": 0.8,
        "demand_score": chance.random() * 30,
        "source_counts": {"github": voices, "reddit": 3},
        "quotes": quotes,
        "daily_voices": {str(day): {chance.choice(SOURCES): chance.randint(1, 4)} for day in heard},
        "events": [{"event": "opened", "event_date": str(heard[0]), "posts": 3, "related_problem_id": None}],
        "weeks": [],
        "names": [],
        "search_text": " ".join(said) + " " + say(chance, 300, 700),
        "first_seen": f"{heard[0]} 00:00:00.000Z",
        "last_seen": f"{last} 00:00:00.000Z",
        "content_hash": f"{number:064x}",
    }


def post(chance: random.Random, number: int) -> dict[str, Any]:
    """The record of a post of a problem."""
    return {
        "id": f"{number:015d}",
        "problem": f"{number % PROBLEMS:015d}",
        "url_hash": f"{number:064x}",
        "source": chance.choice(SOURCES),
        "url": f"https://example.com/{number}",
        "title": say(chance, 6, 14),
        "excerpt": say(chance, 30, 60),
        "quote": say(chance, 10, 30),
        "collection_date": f"{DAY} 00:00:00.000Z",
        "posted_at": f"{DAY} 10:00:00.000Z",
        "similarity": 0.8,
        "content_hash": f"{number:064x}",
    }


def fill(data: Path) -> None:
    """Write the records into the file of a stopped server: over HTTP this would take minutes."""
    chance = random.Random(1)
    with closing(sqlite3.connect(data / "data.db")) as connection, connection:
        made: tuple[tuple[str, Callable[[random.Random, int], dict[str, Any]], int], ...] = (
            ("problems", problem, PROBLEMS),
            ("problem_posts", post, POSTS),
        )
        for name, make, count in made:
            columns = {column for _, column, *_ in connection.execute(f"pragma table_info({name})")}
            records = (make(chance, number) for number in range(count))
            shown = [column for column in make(random.Random(1), 0) if column in columns]
            connection.executemany(
                f"insert into {name} ({', '.join(shown)}) values ({', '.join('?' * len(shown))})",
                (
                    [json.dumps(value) if isinstance(value, dict | list) else value for value in
                     (record[column] for column in shown)]
                    for record in records
                ),
            )  # fmt: skip


def visit(page: Page, url: str) -> Visit:
    """Open the first page as somebody who was never there, and wait until nothing more comes."""
    seen = Visit()
    paths: dict[str, str] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.requestWillBeSent", lambda event: paths.update({event["requestId"]: event["request"]["url"]}))
    session.on(
        "Network.loadingFinished",
        lambda event: seen.requests.append((paths[event["requestId"]].removeprefix(url), event["encodedDataLength"])),
    )
    started = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("#list > li h2").first.wait_for()
    seen.listed = time.perf_counter() - started
    page.wait_for_timeout(1500)
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    seen.painted = painted / 1000
    return seen


def measure_board(other: Path | None) -> Table:
    """Open the board of this checkout, and of another one, in turn; medians, and the requests of this one."""
    boards = {"this": ROOT} | ({"other": other} if other else {})
    visits: dict[str, list[Visit]] = {name: [] for name in boards}
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        for each, checkout in boards.items():
            with served(checkout, folder / each):
                pass
            fill(folder / each)
        for _ in range(ROUNDS):
            for each, checkout in boards.items():
                with served(checkout, folder / each) as url, browser.new_context() as context:
                    visits[each].append(visit(context.new_page(), url))
        browser.close()
    return figures(visits)


def figures(visits: dict[str, list[Visit]]) -> Table:
    """The medians of each board, and below them each request of this one."""
    title = f"{PROBLEMS:,} problems, {POSTS:,} posts, median of {ROUNDS}"
    table = Table("board, request", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("first paint, ms", "first problem, ms", "requests", "kB"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, seen in visits.items():
        painted, listed, size = (
            statistics.median(getattr(each, what) for each in seen) for what in ("painted", "listed", "size")
        )
        count = len(seen[-1].requests)
        table.add_row(name, f"{painted * 1000:,.0f}", f"{listed * 1000:,.0f}", str(count), f"{size / 1000:,.1f}")
    table.add_section()
    for path, size in visits["this"][-1].requests:
        table.add_row(path.partition("?")[0], "", "", "", f"{size / 1000:,.1f}")
    return table
