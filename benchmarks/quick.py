"""Measures what people wait for most often against an earlier commit: python -m benchmarks.quick, or make bench-quick.

Both sides do the same at the same time, on a core each, so that both meet the same machine. The measure is CPU seconds:
the median of three runs, for a first build of one run. The commit is checked out in a temporary folder, and runs with
the packages that are installed here.
"""

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.commits import BEFORE, checked_out, take_vectors, timed
from tests.support.project import DAY, DBT, ROOT, SAMPLE, Project

RUNS = 3
VARS = ("--vars", f"date: {DAY}")
# Without unit tests on both sides: `dbt build` leaves them out since 0.2.0, and ran them before.
BUILD = [DBT, "build", *VARS, "--exclude-resource-type", "unit_test"]
# What a day before leaves: the parsed project, made for other vars.
DAY_BEFORE = [DBT, "--quiet", "parse", "--vars", "date: 2026-11-19"]


def with_vectors(folder: Path, posts: Path | None) -> Project:
    """A database with the posts of the sample day, or of a file, and with the vectors of their texts."""
    made = Project(folder / "made" / "groundswell.duckdb")
    made.database.parent.mkdir()
    source = ("--file", str(posts)) if posts else ("--replay", str(SAMPLE))
    ingested = made.ingest("--date", DAY, *source)
    if ingested.status:
        sys.exit(ingested.output)
    (folder / "whole").mkdir()
    whole = made.copy_to(folder / "whole")
    untested = ("--exclude-resource-type", "test", "unit_test")
    timed([DBT, "build", *VARS, "--select", "+embeddings", *untested], ROOT, whole.environment({}))
    take_vectors(made.database, whole.database)
    return made


def main(
    base: Annotated[str, typer.Option(help="The commit to compare with.")] = BEFORE,
    posts: Annotated[Path | None, typer.Option(help=f"A file with posts of {DAY}. Default: the bundled day.")] = None,
) -> None:
    """Print the CPU seconds of a commit and of these files, and their ratio."""
    new_project, next_day = "first build, vectors at hand", "the same, a day after another one"
    steps: list[tuple[str, Sequence[str], int]] = [
        (new_project, BUILD, 1),
        (next_day, BUILD, 1),
        ("build of an unchanged day", BUILD, RUNS),
        ("dbt ls", [DBT, "ls", "--quiet", *VARS], RUNS),
        ("dbt show", [DBT, "show", "--quiet", "--select", "daily_report", *VARS], RUNS),
    ]
    table = Table("", title="CPU seconds", title_justify="left", box=SIMPLE_HEAD)
    for column in (base[:12], "now", "ratio"):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name), Path(name) / "before"
        with checked_out(base, before):
            made = with_vectors(folder, posts)
            sides = []
            for side, root in (("base", before), ("now", ROOT)):
                (folder / side).mkdir()
                environment = made.copy_to(folder / side).environment({"PYTHONPATH": str(root)})
                # Both watch the same names, whatever a developer watches.
                environment["GROUNDSWELL_WATCHLIST"] = str(ROOT / "tests" / "support" / "watchlist.yml")
                sides.append((root, environment))
            with ThreadPoolExecutor(2) as both:
                for what, command, runs in steps:
                    if what == next_day:
                        list(both.map(lambda side: timed(DAY_BEFORE, *side), sides))
                        for side in ("base", "now"):
                            made.copy_to(folder / side)
                    used = [
                        list(both.map(lambda side, command=command: timed([*command], *side).cpu_seconds, sides))
                        for _ in range(runs)
                    ]
                    old, new = (median(column) for column in zip(*used, strict=True))
                    table.add_row(what, f"{old:.1f}", f"{new:.1f}", f"{new / old:.2f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    typer.run(main)
