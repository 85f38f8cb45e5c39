"""Measures the first build of a day, vectors at hand: python -m benchmarks.first_build.

Builds with this code and with an earlier commit take turns, so that both meet the same machine. CPU seconds say more
than the clock where other programs run.
"""

import json
import os
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.backfill import ingested
from benchmarks.commits import BEFORE, Used, checked_out, timed
from tests.support.project import DAY, DBT, ROOT, Project

BUILD = (DBT, "build", "--vars", f"date: {DAY}", "--exclude-resource-type", "unit_test")
# What dbt keeps of the parsed project serves each command with the same vars.
PARSE = (DBT, "--quiet", "parse", "--vars", f"date: {DAY}")
SLOWEST = 12


def built(made: Project, folder: Path, code: Path, *, is_parsed: bool = False) -> tuple[Used, dict[str, float]]:
    """Build the day with the code of a folder on a new copy of a database; returns what it used, and seconds by model.

    is_parsed: whether dbt has parsed the project for a command with the same vars before.
    """
    folder.mkdir()
    project = made.copy_to(folder)
    environment = {**project.environment({}), "PYTHONPATH": str(code)}
    if is_parsed:
        timed([*PARSE], code, environment)
    used = timed([*BUILD], code, environment)
    return used, project.stage_seconds()


def main(
    rounds: Annotated[int, typer.Option(help="Builds of each side.")] = 3,
    posts: Annotated[int, typer.Option(help="Posts of the day.")] = 1200,
    commit: Annotated[str, typer.Option(help="The commit to compare with.")] = BEFORE,
    files: Annotated[list[Path] | None, typer.Option("--file", help="Files of posts. Default: the sample.")] = None,
) -> None:
    """Build a day for the first time with a commit and with this code, and print the medians of both."""
    with tempfile.TemporaryDirectory() as name:
        folder, before = Path(name), Path(name) / "before"
        with checked_out(commit, before):
            made = ingested(folder / "made", [date.fromisoformat(DAY)], posts, files or [])
            runs: dict[str, list[tuple[Used, dict[str, float]]]] = {}
            for number in range(rounds):
                for side, code, is_parsed in (
                    (commit, before, False),
                    ("this code", ROOT, False),
                    ("parsed before", ROOT, True),
                ):
                    run = built(made, folder / f"{number} {side}".replace(" ", "-"), code, is_parsed=is_parsed)
                    runs.setdefault(side, []).append(run)
                    print(json.dumps({"side": side, "load": os.getloadavg()[0], **run[0]._asdict()}), flush=True)  # noqa: T201
    console = Console(width=120)
    table = Table("", title="The first build of a day, vectors at hand", title_justify="left", box=SIMPLE_HEAD)
    for column in ("seconds", "ratio", "CPU seconds", "ratio", "memory, MB"):
        table.add_column(column, justify="right")
    middle = {side: [median(used[place] for used, _ in each) for place in range(3)] for side, each in runs.items()}
    for side, (seconds, cpu_seconds, megabytes) in middle.items():
        ratios = [seconds / middle[commit][0], cpu_seconds / middle[commit][1]]
        table.add_row(
            side, f"{seconds:.1f}", f"{ratios[0]:.2f}", f"{cpu_seconds:.1f}", f"{ratios[1]:.2f}", f"{megabytes:,.0f}"
        )
    console.print(table)
    models = Table("seconds of the clock", *runs, title="The slowest models", title_justify="left", box=SIMPLE_HEAD)
    seconds_of = {
        model: [median(seconds.get(model, 0) for _, seconds in each) for each in runs.values()]
        for model in runs[commit][0][1]
    }
    for model, taken in sorted(seconds_of.items(), key=lambda item: -item[1][0])[:SLOWEST]:
        models.add_row(model, *(f"{each:.2f}" for each in taken))
    console.print(models)


if __name__ == "__main__":
    typer.run(main)
