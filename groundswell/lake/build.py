"""A build of dbt over the lake: takes its locks, pulls what the day needs, and publishes what it has made.

The plugin (sync/plugin.py) calls begin before dbt looks at the file, and macro publish_to_lake calls end after all
models and tests. The state between the two is that of the process.
"""

from contextlib import ExitStack
from dataclasses import dataclass, replace

import duckdb

from groundswell.lake import LakeError
from groundswell.lake.address import Lake, lake
from groundswell.lake.locks import lock
from groundswell.lake.publish import Keys, keys_of_bronze, publish
from groundswell.lake.pull import Pulled, pull
from groundswell.lake.scope import Alone, Build, Everything, Scope

# The commands of dbt that write tables. Others read.
WRITING = ("build", "run", "seed")
OPERATION = "run-operation"
# Selectors (selectors.yml): what depends on the posts of the day only, which may be built for several days at once, and
# all else, which is built day after day; of later days of a backfill, only what they change.
ALONE, IN_ORDER = "alone", ("in_order", "next_in_order")


@dataclass
class Running:
    """The build of this process."""

    lake: Lake
    pulled: Pulled
    locks: ExitStack
    writes: bool


running: list[Running] = []


def begin(connection: duckdb.DuckDBPyConnection, command: str, selector: str | None, build: Build) -> None:
    """Take the locks of a command of dbt and pull what it needs into the file of a connection.

    build: what a build without a selector needs. Raises LakeError.
    """
    end_locks()
    found = lake()
    if found is None:
        raise LakeError("GROUNDSWELL_LAKE is not set")
    writes = command in WRITING
    with ExitStack() as locks:
        if writes and selector not in IN_ORDER:
            locks.enter_context(lock(found, f"day {build.day}"))
        if writes and selector != ALONE:
            locks.enter_context(lock(found, "problems"))
        scope: Scope
        if not writes:
            # Data tests of all days, for example. No operation reads texts or vectors.
            scope = Everything(reads=command == OPERATION)
        elif selector == ALONE:
            scope = Alone(build.day)
        else:
            scope = replace(build, in_order=selector in IN_ORDER)
        running.append(Running(found, pull(connection, found, scope), locks.pop_all(), writes))


def end(connection: duckdb.DuckDBPyConnection, keys: Keys) -> str:
    """Publish what the build has changed, and let the locks go; returns a message.

    keys: of the tables of models and seeds, as publish takes them. Raises LakeError.
    """
    [build] = running
    try:
        written = publish(
            connection, build.lake, build.pulled, {**keys_of_bronze(), **keys}, with_views=build.pulled.scope.has_views
        )
    finally:
        end_locks()
    return f"published to the lake: {len(written)} tables changed" if written else "the lake has all of this already"


def end_locks() -> None:
    """Let the locks of a build go."""
    while running:
        running.pop().locks.close()
