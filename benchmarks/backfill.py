"""Measures a backfill against one dbt build a day of an earlier commit: python -m benchmarks.backfill.

Both sides build the same days, with the vectors of all posts at hand, at the same time, so that both meet the same
machine. CPU seconds say more than the clock where other programs run.
"""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.commits import BEFORE, Used, checked_out, take_vectors, timed
from benchmarks.month import on, posts_without_end, read_posts
from tests.support.project import DAY, DBT, ROOT, Project


def ingested(folder: Path, days: list[date], posts: int, files: list[Path]) -> Project:
    """A database with so many posts of each day, and with the vectors of their texts."""
    folder.mkdir()
    project = Project(folder / "groundswell.duckdb")
    supply = posts_without_end(read_posts(files, folder))
    file = folder / "posts.jsonl"
    dealt = [post for day in days for post in on(day, list(islice(supply, posts)))]
    file.write_text("".join(f"{json.dumps(post)}\n" for post in dealt))
    finished = project.ingest("--file", str(file))
    assert finished.status == 0, finished.output
    (folder / "whole").mkdir()
    whole = project.copy_to(folder / "whole")
    timed(fill(days), ROOT, whole.environment({}))
    take_vectors(project.database, whole.database)
    return project


def fill(days: list[date]) -> list[str]:
    """The command that builds days in one process."""
    return [sys.executable, "-m", "groundswell", "backfill", "--from", str(days[0]), "--to", str(days[-1])]


def main(
    days: Annotated[int, typer.Option(help="Days to build.")] = 4,
    posts: Annotated[int, typer.Option(help="Posts of each day.")] = 300,
    commit: Annotated[str, typer.Option(help="The commit to compare with.")] = BEFORE,
    database: Annotated[
        Path | None,
        typer.Option(help="A database with posts of the days and their vectors, not built, instead of files."),
    ] = None,
    files: Annotated[list[Path] | None, typer.Option("--file", help="Files of posts. Default: the sample.")] = None,
) -> None:
    """Build the same days with one dbt build a day of a commit, and with a backfill of this one."""
    last = date.fromisoformat(DAY)
    span = [last - timedelta(days=days - 1 - number) for number in range(days)]
    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name), Path(name) / "before"
        with checked_out(commit, before):
            project = Project(database) if database else ingested(folder / "made", span, posts, files or [])
            for side in ("one", "other"):
                (folder / side).mkdir()
            one, other = project.copy_to(folder / "one"), project.copy_to(folder / "other")
            old = {**one.environment({}), "PYTHONPATH": str(before), "DBT_PARTIAL_PARSE": "False"}
            left_out = ("--exclude-resource-type", "unit_test")
            with ThreadPoolExecutor(2) as both:
                builds = both.submit(
                    lambda: [timed([DBT, "build", "--vars", f"date: {day}", *left_out], before, old) for day in span]
                )
                filled = both.submit(timed, fill(span), ROOT, other.environment({}))
            each = builds.result()
            before_used = Used(
                sum(used.seconds for used in each),
                sum(used.cpu_seconds for used in each),
                max(used.megabytes for used in each),
            )
    table = Table("", title=f"{days} days of {posts:,} posts, vectors at hand", title_justify="left", box=SIMPLE_HEAD)
    for column in ("seconds", "ratio", "CPU seconds", "ratio", "CPU seconds a day", "memory, MB"):
        table.add_column(column, justify="right")
    for what, used in ((f"{days} dbt build, {commit}", before_used), ("backfill", filled.result())):
        table.add_row(
            what,
            f"{used.seconds:.0f}",
            f"{used.seconds / before_used.seconds:.2f}",
            f"{used.cpu_seconds:.0f}",
            f"{used.cpu_seconds / before_used.cpu_seconds:.2f}",
            f"{used.cpu_seconds / days:.1f}",
            f"{used.megabytes:,.0f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
