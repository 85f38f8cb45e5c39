"""UTC days: on the command line, and those that a database holds."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import duckdb
import typer

from groundswell.clock import today, yesterday
from groundswell.database import existing, table

# A list of days names this many runs of days at most, the latest ones.
NAMED_RUNS = 8


# Clocks of computers begin here.
FIRST_YEAR = 1970


def parse_day(text: str) -> date:
    """The day that a text writes as YYYY-MM-DD, from 1970 on. Raises typer.BadParameter."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day: write it as 2026-11-20") from None
    if day.year < FIRST_YEAR:
        raise typer.BadParameter(f"{text!r} is before {FIRST_YEAR}: there are no posts of that day")
    return day


FirstDay = Annotated[date | None, typer.Option("--from", parser=parse_day, metavar="D1", help="First of several days.")]
LastDay = Annotated[
    date | None, typer.Option("--to", parser=parse_day, metavar="D2", help="Last of several days, included.")
]


def days_between(day: date | None, first: date | None, last: date | None) -> list[date]:
    """The days that --date, or --from and --to ask for; without any of them yesterday. Raises typer.BadParameter."""
    if day and (first or last):
        raise typer.BadParameter("--date goes with neither --from nor --to")
    if not (first or last):
        return [day or yesterday()]
    if not (first and last):
        raise typer.BadParameter("--from and --to go together: they are the first and the last of several days")
    if last < first:
        raise typer.BadParameter(f"--to {last} is before --from {first}")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def refuse_days_to_come(days: Sequence[date]) -> None:
    """Raise typer.BadParameter if a day is in the future."""
    if days[-1] > today():
        raise typer.BadParameter(f"{days[-1]} has not begun: today is {today()}, UTC")


def collected_days(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """The days that have posts, in order."""
    posts = table("bronze", "raw_items")
    if not existing(connection, posts):
        return []
    return [
        day for (day,) in connection.execute(f"select distinct collection_date from {posts} order by all").fetchall()
    ]


def built_days(connection: duckdb.DuckDBPyConnection) -> list[date]:
    """The days that a build has written, in order. A build whose push failed has written its issues, and no report."""
    sources = (("daily_report", "report_date"), ("issues", "cluster_date"))
    queries = [
        f"select {column} as day from {table('gold', name)}"
        for name, column in sources
        if existing(connection, table("gold", name))
    ]
    if not queries:
        return []
    return [day for (day,) in connection.execute(f"{' union '.join(queries)} order by day").fetchall()]


def in_words(days: Sequence[date]) -> str:
    """Days in order as one text; days that follow each other are written as a span."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    words = [f"{first}" if first == last else f"{first} to {last}" for first, last in runs[-NAMED_RUNS:]]
    return ", ".join([*(["…"] if len(runs) > NAMED_RUNS else []), *words]) or "none"
