"""Runs the bundled sample days from files to a live board: python -m sync demo, for `make demo`."""

import os
import secrets
import shutil
import time
from datetime import date
from pathlib import Path

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundswell.day import Outcome, run_day
from groundswell.environment import USUAL_ADDRESS, known_names
from groundswell.stages import Stages, end_on_signals, say
from sync.errors import SyncError
from sync.server import free_address, running

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


def demo(address: str | None, console: Console, *, is_verbose: bool) -> None:
    """Collect, build and push the sample days, print the problems and the last day's issues, and keep the board up.

    address: host:port of the board; None: the usual port, or a free one if that is taken. Ctrl-C, SIGTERM and SIGHUP
    end the board with the demo.

    Raises SyncError if a step fails.
    """
    if not Path("dbt_project.yml").exists():
        raise SyncError(
            "the demo builds the dbt project: run it in a clone of the repository, which holds dbt_project.yml"
        )
    end_on_signals()
    FOLDER.mkdir(exist_ok=True)
    database = FOLDER / "groundswell.duckdb"
    shutil.rmtree(FOLDER / "pb_data", ignore_errors=True)
    credentials = {"POCKETBASE_EMAIL": "demo@example.com", "POCKETBASE_PASSWORD": secrets.token_urlsafe(24)}
    with running(address or free_address(USUAL_ADDRESS), FOLDER / "pb_data", credentials) as url:
        # None of your settings counts: the invented posts must reach neither your lake nor a language model. The
        # commands read .env, and what the environment has wins, empty or not.
        os.environ |= dict.fromkeys(known_names(), "") | {
            "GROUNDSWELL_DB": str(database),
            # The authors are invented, so their salt need not be secret.
            "AUTHOR_SALT": "demo",
            "POCKETBASE_URL": url,
            **credentials,
        }
        stages = Stages(console, FOLDER / "logs", is_verbose=is_verbose)
        outcome = Outcome()
        for day in DAYS:
            run_day(date.fromisoformat(day), stages, ["--sample"], outcome)
            if outcome.faults:
                raise SyncError(outcome.faults[0])
        # Without a terminal rich assumes 80 columns, which is too narrow for the table.
        Console(width=None if console.is_terminal else 120).print(
            ranking(database, "Problems", PROBLEMS, {}, "problem", "voices", "demand"),
            ranking(database, f"Issues of {DAYS[-1]}", ISSUES, {"day": DAYS[-1]}, "issue", "posts", "conf."),
        )
        say(console, f"The board is live at {url}, the issues of the day at {url}/issues.html (Ctrl-C ends it)")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            console.print("Ended. `make demo` starts it again; .demo/ holds its data.")


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
    # Not only "sources": there are more posts than voices if somebody has written twice.
    table.add_column("posts by source", no_wrap=True)
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(query, parameters).fetchall()
        short_names = dict(connection.execute("select name, short_name from silver.sources").fetchall())
    for rank, name, category, impact, pays, first, second, sources in rows:
        counts = " ".join(f"{short_names.get(source, source)} {count}" for source, count in sources.items())
        # Text and not str: titles come from posts, and rich would read brackets in a str as markup.
        table.add_row(f"{rank}", Text(name), category, impact, "yes" if pays else "", f"{first}", second, counts)
    return table
