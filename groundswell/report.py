"""The report of a day on a terminal: what the build said about it, and the problems."""

from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from groundswell.database import connect, existing, table
from groundswell.stages import Built, printable, say
from groundswell.words import count

# So many problems, and so many lines of a build, are shown.
PROBLEMS = 10
NOTES = 7
# Characters: of all columns but the titles, and of the narrowest table.
OTHER_COLUMNS = 52
LEAST_WIDTH = 80

QUERY = f"""
select
    problems.title,
    problems.voices,
    problems.recent_voices,
    problems.trend,
    problems.first_seen,
    bool_or(problem_events.event is not null),
    count(*) over () as total,
from {table("gold", "problems")} as problems
inner join {table("gold", "problem_records")} as problem_records
    on problems.problem_id = problem_records.record_id
left join {table("gold", "problem_events")} as problem_events
    on problems.problem_id = problem_events.problem_id
    and problem_events.event_date = $day
    and problem_events.event in ('opened', 'continued', 'reopened')
group by all
order by any_value(problem_records.push_rank)
limit {PROBLEMS}
"""


def show_report(day: date, built: Built, console: Console) -> None:
    """Print what a build said about its day, and the problems in their order of rank."""
    console.print()
    for note in built.notes[:NOTES]:
        say(console, note)
    if more := built.notes[NOTES:]:
        say(console, f"({count(len(more), 'more line', 'more lines')} in the log)")
    if problems := ranked(day):
        # Without a terminal rich assumes 80 columns.
        wide = Console(width=max(console.width, LEAST_WIDTH) if console.is_terminal else 120, file=console.file)
        wide.print()
        wide.print(problem_table(problems, wide.width - OTHER_COLUMNS))


def ranked(day: date) -> list[tuple[Any, ...]]:
    """The first problems of all, by rank: title, voices, recent voices, trend, first day, news of the day, total."""
    with connect(read_only=True) as connection:
        if not existing(connection, table("gold", "problem_records")):
            return []
        return connection.execute(QUERY, {"day": day}).fetchall()


def problem_table(problems: list[tuple[Any, ...]], width: int) -> Table:
    """A table with one line for each problem. width: of the titles, in characters."""
    total = problems[0][-1]
    shown = f"The first {len(problems)} of {total:,} problems" if total > len(problems) else "All problems"
    columns = Table(title=shown, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    columns.add_column("#", justify="right")
    columns.add_column("problem", no_wrap=True, overflow="ellipsis", max_width=width)
    for name in ("voices", "recent\nvoices"):
        columns.add_column(name, justify="right", no_wrap=True)
    for name in ("trend", "first\nseen", "new\nposts"):
        columns.add_column(name, no_wrap=True)
    for rank, (title, voices, recent, trend, first, is_heard, _) in enumerate(problems, 1):
        cells = (f"{voices:,}", f"{recent:,}", trend, str(first), "yes" if is_heard else "")
        columns.add_row(str(rank), Text(printable(title)), *cells)
    return columns


def live_counts(day: date) -> str:
    """How many problems, issues of a day and themes the board holds, by the ledgers."""
    counts = []
    with connect(read_only=True) as connection:
        for ledger, what, scope in (
            ("live_problems", "problems", "$day is not null"),
            ("live_issues", "issues", "cluster_date = $day"),
            ("live_themes", "themes", "$day is not null"),
        ):
            [(number,)] = connection.execute(
                f"select count(*) from {table('gold', ledger)}"
                f" where synced_at is not null and action is distinct from 'delete' and {scope}",
                {"day": day},
            ).fetchall()
            counts.append(count(number, what.removesuffix("s"), what))
    return f"{', '.join(counts[:-1])} and {counts[-1]}"
