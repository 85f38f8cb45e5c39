"""Measures the board with 500 visitors, each with an address of its own, who keep the first page open."""

import asyncio
import json
import secrets
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import aiohttp
from rich.box import SIMPLE_HEAD
from rich.table import Table

from sync.server import running, settings
from tests.support.project import DAY, SAMPLE, Project, free_address

VISITORS = 500
# So many arrive in a second.
PER_SECOND = 10
HEADER = "X-Forwarded-For"
# What the first page asks for.
FILES = ("/", "/problems.js", "/board.js", "/posts.js", "/list.js", "/live.js", "/words.js")
RECORDS: tuple[tuple[str, dict[str, str | int]], ...] = (
    (
        "problems",
        {"filter": 'is_from_program = false && status = "active"', "sort": "-demand_score,id", "perPage": 20},
    ),
    ("problems", {"sort": "-last_seen", "fields": "last_seen", "perPage": 1, "skipTotal": 1}),
    ("sources", {"fields": "name,label", "sort": "name", "perPage": 500, "skipTotal": 1}),
)
TOPIC = f"problems/*?options={quote(json.dumps({'query': {'fields': 'id'}}))}"


def address(number: int) -> dict[str, str]:
    """The header with the address of a visitor."""
    return {HEADER: f"10.0.{number // 200}.{number % 200 + 1}"}


async def fetch(session: aiohttp.ClientSession, path: str, query: dict[str, str | int], number: int) -> None:
    """Read an answer to its end. Raises ClientResponseError if the server refuses."""
    async with session.get(path, params=query, headers=address(number)) as answer:
        answer.raise_for_status()
        await answer.read()


async def visit(session: aiohttp.ClientSession, number: int, pages: list[float], ready: asyncio.Semaphore) -> float:
    """Open the first page and follow the problems; returns the moment in which the first change arrives."""
    await asyncio.sleep(number / PER_SECOND)
    started = time.perf_counter()
    asked = [fetch(session, path, {}, number) for path in FILES]
    asked += [fetch(session, f"/api/collections/{name}/records", query, number) for name, query in RECORDS]
    await asyncio.gather(*asked)
    pages.append(time.perf_counter() - started)
    async with session.get("/api/realtime", headers=address(number)) as stream:
        stream.raise_for_status()
        async for line in stream.content:
            if line.startswith(b"data:"):
                if b"clientId" not in line:
                    return time.perf_counter()
                body = {"clientId": json.loads(line.removeprefix(b"data:"))["clientId"], "subscriptions": [TOPIC]}
                async with session.post("/api/realtime", json=body, headers=address(number)) as answer:
                    answer.raise_for_status()
                ready.release()
    raise AssertionError("the server closed a live connection")


async def visitors(url: str, email: str, password: str) -> tuple[list[float], list[float]]:
    """The seconds of each first page, and the seconds until each visitor has heard of a change."""
    pages: list[float] = []
    ready = asyncio.Semaphore(0)
    # httpx searches all of its connections at each request.
    connector = aiohttp.TCPConnector(limit=0)
    # The group ends with an error if the server refuses one of them.
    async with (
        aiohttp.ClientSession(url, connector=connector, timeout=aiohttp.ClientTimeout()) as session,
        asyncio.TaskGroup() as group,
    ):
        tasks = [group.create_task(visit(session, number, pages, ready)) for number in range(VISITORS)]
        for _ in tasks:
            await ready.acquire()
        identity = {"identity": email, "password": password}
        async with session.post("/api/collections/_superusers/auth-with-password", json=identity) as answer:
            token = {"Authorization": (await answer.json())["token"]}
        problems = "/api/collections/problems/records"
        async with session.get(problems, params={"perPage": 1}, headers=token) as answer:
            [record] = (await answer.json())["items"]
        changed = time.perf_counter()
        async with session.patch(f"{problems}/{record['id']}", json={"voices": 99}, headers=token) as answer:
            answer.raise_for_status()
    return pages, [task.result() - changed for task in tasks]


def measure_visitors() -> Table:
    """Measure how long visitors wait, and the server's memory with all of them."""
    credentials = {"POCKETBASE_EMAIL": "sync@example.com", "POCKETBASE_PASSWORD": secrets.token_hex()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = free_address()
        with running(place, folder / "pb", credentials | settings(place, HEADER)) as url:
            project = Project(folder / "visitors.duckdb", credentials | {"POCKETBASE_URL": url})
            for finished in (project.ingest("--date", DAY, "--replay", str(SAMPLE)), project.build()):
                assert finished.status == 0, finished.output
            pages, updates = asyncio.run(visitors(url, *credentials.values()))
            memory = server_memory(folder / "pb")
    title = f"{VISITORS} visitors, {PER_SECOND} a second; server {memory:,.0f} MB"
    table = Table("wait", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("median, ms", "95 of 100, ms", "worst, ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for what, taken in (("first page", sorted(pages)), ("update", sorted(updates))):
        shown = (taken[len(taken) // 2], taken[len(taken) * 95 // 100], taken[-1])
        table.add_row(what, *(f"{seconds * 1000:,.0f}" for seconds in shown))
    return table


def server_memory(data: Path) -> float:
    """The largest resident memory, in MB, of the server that has a folder of data."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"--dir={data}" in (process / "cmdline").read_text():
                [line] = [line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM")]
                return int(line.split()[1]) / 1024
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return 0.0
