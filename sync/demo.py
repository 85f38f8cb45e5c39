"""Runs the bundled sample days from files to a live board: python -m sync demo, for `make demo`."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sync.errors import SyncError
from sync.server import running

# Gaps of some days let the later half of the window of problems be compared with the earlier half.
DAYS = ("2026-11-12", "2026-11-17", "2026-11-20")
# A separate folder, so that invented posts never mix with collected ones.
FOLDER = Path(".demo")

PROBLEMS = """
with sources as (
    select problem_id, map_from_entries(list((source, posts) order by source)) as source_counts
    from (select problem_id, source, count(*) as posts from gold.problem_posts group by all)
    group by all
)
select
    row_number() over (order by is_from_program, is_burst, demand_score desc, problem_id) as rank,
    title, category, impact_level, would_pay_signal, voices, format('{:.1f}', demand_score), source_counts
from gold.problems
inner join sources using (problem_id)
order by rank
"""

ISSUES = """
select
    day_rank, canonical_title, category, impact_level, would_pay_signal,
    cluster_size, format('{:.2f}', confidence), source_counts
from gold.issues
where cluster_date = $day
order by day_rank
"""


def demo(address: str, console: Console) -> None:
    """Collect, build and push the sample days, print the problems and the last day's issues, and keep the board up.

    Ctrl-C ends it.

    Raises SyncError if a step fails. The step has printed the reason.
    """
    if not Path("dbt_project.yml").exists():
        raise SyncError(
            "the demo builds the dbt project: run it in a clone of the repository, which holds dbt_project.yml"
        )
    FOLDER.mkdir(exist_ok=True)
    database = FOLDER / "groundswell.duckdb"
    shutil.rmtree(FOLDER / "pb_data", ignore_errors=True)
    credentials = {"POCKETBASE_EMAIL": "demo@example.com", "POCKETBASE_PASSWORD": secrets.token_urlsafe(24)}
    with running(address, FOLDER / "pb_data", credentials) as url:
        settings = {
            "GROUNDSWELL_DB": str(database),
            # The authors are invented, so their salt need not be secret.
            "AUTHOR_SALT": "demo",
            "LLM_MODEL": "",
            "POCKETBASE_URL": url,
            "POCKETBASE_TOKEN": "",
        }
        environment = os.environ | settings | credentials
        for day in DAYS:
            step([sys.executable, "-m", "ingest", "--date", day, "--sample"], environment)
            # Unit tests give the models rows of their own: they say nothing about these days.
            build = ["build", "--vars", f"date: {day}", "--exclude-resource-type", "unit_test"]
            step([str(Path(sys.executable).with_name("dbt")), *build], environment)
        # Without a terminal rich assumes 80 columns, which is too narrow for the table.
        Console(width=None if console.is_terminal else 120).print(
            ranking(database, "Problems", PROBLEMS, {}, "problem", "voices", "demand"),
            ranking(database, f"Issues of {DAYS[-1]}", ISSUES, {"day": DAYS[-1]}, "issue", "posts", "conf."),
        )
        console.print(f"The board is live at {url}, the issues of the day at {url}/issues.html (Ctrl-C ends it)")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            console.print("Ended. `make demo` starts it again; .demo/ holds its data.")


def step(command: list[str], environment: dict[str, str]) -> None:
    """Run a command and show its output. Raises SyncError if it fails."""
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise SyncError(f"{' '.join(command[1:])} ended with status {status}")


def ranking(database: Path, title: str, query: str, parameters: dict[str, str], *columns: str) -> Table:
    """A table of a query's rows. columns: the heading of the ranked things, and those of their two numbers."""
    what, *numbers = columns
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("#", justify="right")
    table.add_column(what, min_width=20)
    for column in ("category", "impact", "pays"):
        table.add_column(column, no_wrap=True)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("sources", no_wrap=True)
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(query, parameters).fetchall()
        short_names = dict(connection.execute("select name, short_name from silver.sources").fetchall())
    for rank, name, category, impact, pays, first, second, sources in rows:
        counts = " ".join(f"{short_names.get(source, source)} {count}" for source, count in sources.items())
        # Text and not str: titles come from posts, and rich would read brackets in a str as markup.
        table.add_row(f"{rank}", Text(name), category, impact, "yes" if pays else "", f"{first}", second, counts)
    return table
