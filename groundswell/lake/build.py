"""A build of dbt over the lake: takes its locks, pulls what the day needs, and publishes what it has made.

The plugin (sync/plugin.py) calls begin before dbt looks at the file, and macro publish_to_lake calls end after all
models and tests. The state between the two is that of the process.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from groundswell.lake import LakeError
from groundswell.lake.address import Lake, lake
from groundswell.lake.locks import lock
from groundswell.lake.publish import Keys, keys_of_bronze, publish
from groundswell.lake.pull import Pulled, attached, exists, pull
from groundswell.lake.tables import LAKE, Scope

# The commands of dbt that write tables. Others read.
WRITING = ("build", "run", "seed")
# Selectors (selectors.yml): what depends on the posts of the day only, which may be built for several days at once, and
# all else, which is built day after day.
ALONE, IN_ORDER = "alone", "in_order"


@dataclass
class Running:
    """The build of this process."""

    lake: Lake
    pulled: Pulled
    locks: ExitStack
    writes: bool


running: list[Running] = []


def begin(
    connection: duckdb.DuckDBPyConnection, command: str, selector: str | None, day: date, memory_days: int
) -> None:
    """Take the locks of a command of dbt and pull what it needs into the file of a connection.

    memory_days: after so many days without a post a problem is closed. Raises LakeError.
    """
    end_locks()
    found = lake()
    if found is None:
        raise LakeError("GROUNDSWELL_LAKE is not set")
    writes = command in WRITING
    with ExitStack() as locks:
        if writes and selector != IN_ORDER:
            locks.enter_context(lock(found, f"day {day}"))
        if writes and selector != ALONE:
            locks.enter_context(lock(found, "problems"))
        since = day - timedelta(days=memory_days)
        if selector == ALONE:
            scope = Scope(alone=day)
        elif selector == IN_ORDER:
            scope = Scope(since=since, last=last_day(connection, found, day))
        else:
            scope = Scope(since=since)
        running.append(Running(found, pull(connection, found, scope), locks.pop_all(), writes))


def last_day(connection: duckdb.DuckDBPyConnection, found: Lake, day: date) -> date:
    """The last day that a build in order looks at: later days whose problems are built are built again with it."""
    with attached(connection, found):
        if not exists(connection, "silver", "problem_assignments"):
            return day
        [(last,)] = connection.execute(f"select max(as_of_date) from {LAKE}.silver.problem_assignments").fetchall()
    return max(day, last or day)


def end(connection: duckdb.DuckDBPyConnection, keys: Keys) -> str:
    """Publish what the build has changed, and let the locks go; returns a message.

    keys: of the tables of models and seeds, as publish takes them. Raises LakeError.
    """
    [build] = running
    try:
        written = publish(
            connection, build.lake, build.pulled, {**keys_of_bronze(), **keys}, with_views=not build.pulled.scope.alone
        )
    finally:
        end_locks()
    return f"published to the lake: {len(written)} tables changed" if written else "the lake has all of this already"


def end_locks() -> None:
    """Let the locks of a build go."""
    while running:
        running.pop().locks.close()
