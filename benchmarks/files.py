"""Measures imports of files: posts per second and memory for each format, beside what DuckDB needs to read the file.

The posts of a file are varied: each round over them has other numbers in the addresses.
"""

import csv
import gzip
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import duckdb
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd
from rich.box import SIMPLE_HEAD
from rich.table import Table

from tests.support.project import ROOT

COUNT = 100_000
# The window of Pushshift's and Arctic Shift's dumps, 2 GB, and one that zstd allows by default.
WINDOWS = {"Reddit dump, zst, window of 2 GB": 31, "Reddit dump, zst, window of 8 MB": 23}

Post = dict[str, Any]
Writer = Callable[[Path, Iterable[Post]], None]


def varied(posts: list[Post], count: int) -> Iterator[Post]:
    """`count` posts: those of a list, again and again with other numbers, times and names."""
    chance = random.Random(1)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        turn, place = divmod(number, len(posts))
        post = posts[place]
        # The number of a post stands at the end of its address, or after /comments/.
        address = re.sub(r"(/comments/\w+|\d+$)", rf"\g<1>{turn or ''}", post["url"])
        yield {
            **dict.fromkeys(("comment_count", "vote_count")),
            **post,
            "id": 10_000_000 + number,
            "url": address,
            "author": f"user{chance.randrange(count)}",
            "created_at": (first + timedelta(seconds=number * 25_000_000 // count)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def seconds(post: Post) -> int:
    """The time of a post as Unix time."""
    return int(datetime.fromisoformat(post["created_at"]).timestamp())


def base36(number: int) -> str:
    """A number as Reddit writes those of posts."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def as_event(post: Post) -> Post:
    """A post as an event of GH Archive."""
    name = post["author"]
    issue = {
        "html_url": f"https://github.com/{name}/x/issues/{post['id']}",
        "number": post["id"],
        "title": post["title"],
        "user": {"login": name},
        "body": post["body"],
        "created_at": post["created_at"],
        "comments": 0,
    }
    return {
        "id": str(post["id"]),
        "type": "IssuesEvent",
        "actor": {"login": name},
        "repo": {"name": f"{name}/x"},
        "payload": {"action": "opened", "issue": issue},
        "created_at": post["created_at"],
    }


def as_submission(post: Post) -> Post:
    """A post as one of Pushshift and Arctic Shift."""
    name = base36(post["id"])
    return {
        "id": name,
        "author": post["author"],
        "created_utc": seconds(post),
        "title": post["title"],
        "selftext": post["body"] or "",
        "permalink": f"/r/x/comments/{name}/t/",
        "subreddit": "x",
        "num_comments": post["comment_count"] or 0,
        "score": post["vote_count"] or 0,
    }


def as_item(post: Post) -> Post:
    """A post as an item of Hacker News."""
    return {
        "by": post["author"],
        "id": post["id"],
        "time": seconds(post),
        "title": post["title"],
        "text": post["body"],
        "type": "story",
        "score": post["vote_count"],
        "descendants": post["comment_count"],
        "dead": None,
    }


def as_row(post: Post) -> str:
    """A post as a row of Posts.xml."""
    fields = {
        "Id": post["id"],
        "PostTypeId": 1,
        "CreationDate": post["created_at"].removesuffix("Z") + ".000",
        "Score": post["vote_count"] or 0,
        "Body": re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd]", "", post["body"] or ""),
        "Title": re.sub(r"[^\t\n\r -\ud7ff\ue000-\ufffd]", "", post["title"] or ""),
        "OwnerDisplayName": post["author"],
        "AnswerCount": post["comment_count"] or 0,
    }
    attributes = " ".join(f"{name}={quoteattr(str(value))}" for name, value in fields.items())
    return f"  <row {attributes} />\n"


def lines(form: Callable[[Post], Post]) -> Callable[[Iterable[Post]], Iterator[bytes]]:
    """Posts in a form, as lines of JSON."""

    def write(posts: Iterable[Post]) -> Iterator[bytes]:
        for post in posts:
            yield json.dumps(form(post)).encode() + b"\n"

    return write


def write_lines(form: Callable[[Post], Post], opened: Callable[[Path], Any]) -> Writer:
    """A writer of lines of JSON into what `opened` opens."""

    def write(path: Path, posts: Iterable[Post]) -> None:
        with opened(path) as file:
            file.writelines(lines(form)(posts))

    return write


def write_array(path: Path, posts: Iterable[Post]) -> None:
    """One array, a post a line."""
    with path.open("w") as file:
        file.write("[\n" + ",\n".join(json.dumps(post) for post in posts) + "\n]\n")


def write_csv(path: Path, posts: Iterable[Post]) -> None:
    """A table with a header."""
    columns = ("source", "url", "title", "body", "author", "created_at", "comment_count", "vote_count")
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(posts)


def write_parquet(path: Path, posts: Iterable[Post]) -> None:
    """One group of rows."""
    pq.write_table(pa.Table.from_pylist([as_item(post) for post in posts]), path, row_group_size=COUNT)


def write_xml(path: Path, posts: Iterable[Post]) -> None:
    """A Posts.xml."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
        file.writelines(map(as_row, posts))
        file.write("</posts>\n")


def write_bad(path: Path, posts: Iterable[Post]) -> None:
    """Lines that are no posts: every other one breaks off, the others are of a source that does not exist."""
    with path.open("wb") as file:
        for number, post in enumerate(posts):
            line = json.dumps(post if number == 0 else post | {"source": "twitter"}).encode()
            file.write((line[:-30] if number % 2 else line) + b"\n")


def zst(window: int) -> Callable[[Path], Any]:
    """Opens a compressed file with a window of 2^window bytes."""
    options: dict[int, int] = {zstd.CompressionParameter.window_log: window}
    return lambda path: zstd.open(path, "wb", options=options)


WRITERS: dict[str, Writer] = {
    "JSON lines": write_lines(lambda post: post, lambda path: path.open("wb")),
    "JSON lines, gz": write_lines(lambda post: post, lambda path: gzip.open(path, "wb", 1)),
    "JSON array": write_array,
    "CSV": write_csv,
    "Hacker News, Parquet": write_parquet,
    "GH Archive, gz": write_lines(as_event, lambda path: gzip.open(path, "wb", 1)),
    **{name: write_lines(as_submission, zst(window)) for name, window in WINDOWS.items()},
    "Stack Exchange, XML": write_xml,
    "bad lines": write_bad,
}


def import_of(file: Path, database: Path) -> tuple[float, float, float]:
    """Seconds of CPU, seconds on the clock, and the most MB (PSS) of all processes of an import."""
    environment = os.environ | {"GROUNDSWELL_DB": str(database), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ingest", "--file", str(file)]
    before, start, memory = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            memory = max(memory, proportional_size(process.pid))
            time.sleep(0.02)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, clock, memory / 1e6


def proportional_size(number: int) -> int:
    """The bytes of a process and those that it has made; memory that several share is counted once."""
    try:
        process = psutil.Process(number)
        return sum(each.memory_full_info().pss for each in (process, *process.children(recursive=True)))
    except psutil.Error:
        # One of them has just ended.
        return 0


def scan(file: Path, database: Path) -> float:
    """Seconds of CPU that DuckDB needs to read a file of JSON lines into a table."""
    code = (
        "import duckdb, resource, sys\n"
        "connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute('set threads = 1; set enable_progress_bar = false')\n"
        "posts = connection.read_json(sys.argv[2], format='newline_delimited')\n"
        "posts.create('posts')\n"
        "connection.close()\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime)\n"
    )
    command = [sys.executable, "-c", code, str(database), str(file)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure_files(posts: Path | None) -> Table:
    """Import a file of each format into an empty database."""
    source = posts or ROOT / "tests" / "support" / "red_team.jsonl"
    known = [json.loads(line) for line in source.read_text().rstrip("\n").split("\n")]
    table = Table("format", title=f"{COUNT:,} posts, varied from {len(known):,}", title_justify="left", box=SIMPLE_HEAD)
    for column in ("MB", "CPU, s", "posts per second of CPU", "clock, s", "memory, MB"):
        table.add_column(column, justify="right", no_wrap=True)
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, write) in enumerate(WRITERS.items()):
            file, database = Path(folder) / f"file{number}", Path(folder) / f"{number}.duckdb"
            write(file, varied(known, COUNT))
            cpu, wall, memory = import_of(file, database)
            with duckdb.connect(str(database)) as connection:
                [(stored, rejected)] = connection.execute(
                    "select (select count(*) from bronze.raw_items), (select count(*) from bronze.rejected_items)"
                ).fetchall()
            if stored + rejected < COUNT * 0.98:
                sys.exit(f"{name}: only {stored:,} posts were stored")
            size = file.stat().st_size / 1e6
            table.add_row(name, f"{size:,.0f}", f"{cpu:.1f}", f"{COUNT / cpu:,.0f}", f"{wall:.1f}", f"{memory:,.0f}")
            if number == 0:
                cpu = scan(file, Path(folder) / "scan.duckdb")
                table.add_row("the same, read by DuckDB alone", "", f"{cpu:.1f}", f"{COUNT / cpu:,.0f}", "", "")
            file.unlink()
            database.unlink()
    return table
