"""The bundled sample day from files to a live board: python -m sync demo, which is what `make demo` runs."""

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

DAY = "2026-11-20"
SAMPLE = Path("ingest/sample")
# Of its own, so that invented posts never mix with collected ones.
FOLDER = Path(".demo")

SHORT = {"github": "GH", "stackoverflow": "SO", "reddit": "R", "hackernews": "HN"}

PROBLEMS = """
with sources as (
    select problem_id, map_from_entries(list((source, posts) order by source)) as source_counts
    from (select problem_id, source, count(*) as posts from gold.problem_posts group by all)
    group by all
)
select title, category, impact_level, would_pay_signal, voices, demand_score, source_counts
from gold.problems
inner join sources using (problem_id)
order by demand_score desc, problem_id
"""

ISSUES = """
select day_rank, canonical_title, category, impact_level, would_pay_signal, cluster_size, confidence, source_counts
from gold.issues
where cluster_date = $day
order by day_rank
"""


def demo(address: str, console: Console) -> None:
    """Collect, build and push the sample day, print its problems and issues, and keep the board up until Ctrl-C.

    Raises SyncError where a step fails; the step has said why.
    """
    FOLDER.mkdir(exist_ok=True)
    database = FOLDER / "groundswell.duckdb"
    shutil.rmtree(FOLDER / "pb_data", ignore_errors=True)
    credentials = {"POCKETBASE_EMAIL": "demo@example.com", "POCKETBASE_PASSWORD": secrets.token_urlsafe(24)}
    with running(address, FOLDER / "pb_data", credentials) as url:
        settings = {
            "GROUNDSWELL_DB": str(database),
            # Invented authors need no secret.
            "AUTHOR_SALT": "demo",
            "LLM_MODEL": "",
            "POCKETBASE_URL": url,
            "POCKETBASE_TOKEN": "",
        }
        environment = os.environ | settings | credentials
        step([sys.executable, "-m", "ingest", "--date", DAY, "--replay", str(SAMPLE)], environment)
        step([str(Path(sys.executable).with_name("dbt")), "build", "--vars", f"date: {DAY}"], environment)
        # Wide enough for the table also in a pipe, which rich takes for 80 columns.
        Console(width=None if console.is_terminal else 120).print(ranked_problems(database), ranked_issues(database))
        console.print(f"The board is live at {url}/?date={DAY} (Ctrl-C ends it)")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            console.print("Ended. `make demo` starts it again; .demo/ holds its data.")


def step(command: list[str], environment: dict[str, str]) -> None:
    """Run a command of ours in sight of the user. Raises SyncError where it fails."""
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise SyncError(f"{' '.join(command[1:])} ended with status {status}")


def ranked_problems(database: Path) -> Table:
    """The problems as a table, those with the most demand first."""
    table = ranking("Problems", "problem", "voices", "demand")
    with duckdb.connect(str(database), read_only=True) as connection:
        for rank, row in enumerate(connection.execute(PROBLEMS).fetchall(), 1):
            title, category, impact, pays, voices, demand, sources = row
            add_row(table, rank, title, category, impact, pays, f"{voices}", f"{demand:.1f}", sources)
    return table


def ranked_issues(database: Path) -> Table:
    """The day's issues as a table, most important first."""
    table = ranking(f"Issues of {DAY}", "issue", "posts", "conf.")
    with duckdb.connect(str(database), read_only=True) as connection:
        for row in connection.execute(ISSUES, {"day": DAY}).fetchall():
            rank, title, category, impact, pays, size, confidence, sources = row
            add_row(table, rank, title, category, impact, pays, f"{size}", f"{confidence:.2f}", sources)
    return table


def ranking(title: str, what: str, *numbers: str) -> Table:
    """An empty table of what is ranked, with columns for two numbers."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("#", justify="right")
    table.add_column(what, min_width=20)
    for column in ("category", "impact", "pays"):
        table.add_column(column, no_wrap=True)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("sources", no_wrap=True)
    return table


def add_row(
    table: Table,
    rank: int,
    title: str,
    category: str,
    impact: str,
    pays: bool,
    first: str,
    second: str,
    sources: dict[str, int],
) -> None:
    """Add a row to a ranking, with its two numbers."""
    counts = " ".join(f"{SHORT.get(source, source)} {count}" for source, count in sources.items())
    # Text, not str: titles are posts, and rich would read their brackets as markup.
    table.add_row(f"{rank}", Text(title), category, impact, "yes" if pays else "", first, second, counts)
