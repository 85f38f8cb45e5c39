"""Measures a month of days with the command of a scheduled run: what grows, and what stays.

python -m groundswell day collects, builds, tests and pushes each day. Each day also brings what ordinary life brings:
an edited post of the day before, a late post of three days before, and an author who wants a post erased. The posts are
those of the files given with --days, dealt over the month without repetition; if there are too few, further posts mix
their sentences. Mixed posts have sentences in common, so that days of them have many more problems. Without
files, the posts are mixed from those of the bundled days. With --databases, vectors come from there, and a day encodes
only texts that are not in it, such as those of edited posts. Each day is written to stderr as soon as it is done.
"""

import json
import random
import resource
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psutil
from rich.box import SIMPLE_HEAD
from rich.progress import track
from rich.table import Table

from tests.support.project import DAY, ROOT, SAMPLE, Project, free_address, serve

POSTS = 1_200
# How often a running command is looked at, in seconds.
LOOK = 0.1
Post = dict[str, Any]


class Used(NamedTuple):
    """What a command used: its exit status, seconds of CPU, and the most memory (MB) and open files at one time."""

    status: int
    seconds: float
    megabytes: float
    files: int


def watched(command: Sequence[str], environment: dict[str, str]) -> tuple[Used, str]:
    """Run a command from the project's root, and look at it and its children all the time."""
    most = {"bytes": 0, "files": 0}
    before = cpu_seconds()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:

        def look() -> None:
            process = psutil.Process(running.pid)
            while running.poll() is None:
                try:
                    family = [process, *process.children(recursive=True)]
                    most["bytes"] = max(most["bytes"], sum(each.memory_info().rss for each in family))
                    most["files"] = max(most["files"], sum(each.num_fds() for each in family))
                except psutil.Error:
                    pass  # it has ended meanwhile
                time.sleep(LOOK)

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        output, _ = running.communicate()
        watcher.join()
    return Used(running.returncode, cpu_seconds() - before, most["bytes"] / 1e6, most["files"]), output


def cpu_seconds() -> float:
    """The CPU time of all commands that have ended. On a busy machine it says more than the clock."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def read_posts(files: Sequence[Path], folder: Path) -> list[Post]:
    """The posts of files that `python -m ingest` takes, or of the bundled days."""
    project = Project(folder / "supply.duckdb")
    bundled = [("--date", day.name, "--sample") for day in sorted(SAMPLE.parent.iterdir())]
    for arguments in [("--file", *map(str, files))] if files else bundled:
        finished = project.ingest(*arguments)
        if finished.status:
            sys.exit(finished.output)
    columns = ("source", "url", "title", "body", "comment_count", "vote_count")
    rows = project.query(f"select {', '.join(columns)} from bronze.raw_items order by url_hash")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def posts_without_end(posts: list[Post]) -> Iterator[Post]:
    """The posts in random order, then posts that mix sentences of three of them, each with another address."""
    chance = random.Random(1)
    yield from chance.sample(posts, len(posts))
    number = 0
    while True:
        mixed = chance.sample(posts, 3)
        sentences = [part for post in mixed for part in f"{post['title']}. {post['body'] or ''}".split(". ")]
        title, *body = chance.sample(sentences, min(len(sentences), 8))
        number += 1
        yield mixed[0] | {"url": f"https://example.com/{number}", "title": title, "body": ". ".join(body)}


def on(day: date, posts: Sequence[Post]) -> list[Post]:
    """The posts, spread over a day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [
        post | {"created_at": (midnight + timedelta(seconds=number * 86_000 / len(posts))).isoformat()}
        for number, post in enumerate(posts)
    ]


def give_vectors(project: Project, database: Path) -> None:
    """Copy the vectors of another database into an empty one."""
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(f"attach '{database}' as cache (read_only)")
        connection.execute("create schema silver; create table silver.embeddings as from cache.silver.embeddings")


def measure_month(files: Sequence[Path], length: int, vectors: Path | None = None) -> Table:
    """Measure each day of a month of `length` days: a row for every fifth day."""
    title = f"{length} days of {POSTS:,} posts; each day one post edited, one late, one erased"
    table = Table("day", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in (
        "erase, CPU s", "day, CPU s", "memory, MB", "open files",
        "database, MB", "PocketBase, MB", "problems",
    ):  # fmt: skip
        table.add_column(column, justify="right", no_wrap=True)
    with tempfile.TemporaryDirectory() as name:
        folder, password = Path(name), secrets.token_hex()
        supply = posts_without_end(read_posts(files, folder))
        with serve(folder / "pb", free_address(), password) as server:
            project = Project(folder / "groundswell.duckdb", server.settings)
            if vectors:
                give_vectors(project, vectors)
            past: list[list[Post]] = []
            days = [date.fromisoformat(DAY) - timedelta(days=length - 1 - number) for number in range(length)]
            for number, day in enumerate(track(days, "Days", disable=not sys.stderr.isatty()), 1):
                posts = on(day, list(islice(supply, POSTS)))
                past.append(posts)
                row = measure_day(project, folder, day, past)
                sys.stderr.write("\t".join((str(number), *row)) + "\n")
                if number % 5 == 0 or number == 1:
                    table.add_row(str(number), *row)
    return table


def measure_day(project: Project, folder: Path, day: date, past: list[list[Post]]) -> list[str]:
    """Erase a post of an earlier day, then collect, build and push a day; returns the row of the table."""
    environment = project.environment({})
    collected = list(past[-1])
    if len(past) > 1:
        collected.append(past[-2][7] | {"title": f"{past[-2][7]['title']} (edited)"})
    if len(past) > 3:
        collected.append(past[-4][9] | {"url": f"https://example.com/late/{day}"})
    file = folder / "day.jsonl"
    file.write_text("".join(json.dumps(post) + "\n" for post in collected))
    commands = []
    if len(past) > 2:
        commands.append([sys.executable, "-m", "ingest", "forget", "--url", past[-3][11]["url"]])
    commands.append([sys.executable, "-m", "groundswell", "day", "--date", str(day), "--", "--file", str(file)])
    used = []
    for command in commands:
        measured, output = watched(command, environment)
        if measured.status:
            sys.exit(f"{day}: {' '.join(command)} ended with {measured.status}\n{output}")
        used.append(measured)
    [(problems,)] = project.query("select count(*) from gold.problems")
    board = sum(each.stat().st_size for each in (folder / "pb").rglob("*") if each.is_file())
    return [
        f"{used[0].seconds:.1f}" if len(used) > 1 else "",
        f"{used[-1].seconds:.1f}",
        f"{max(each.megabytes for each in used):,.0f}",
        f"{max(each.files for each in used):,}",
        f"{project.database.stat().st_size / 1e6:,.0f}",
        f"{board / 1e6:,.0f}",
        f"{problems:,}",
    ]
