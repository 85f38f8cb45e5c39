"""A command that works on the lake without dbt: it pulls, works on its file, and publishes."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import duckdb

from groundswell.lake import LakeError
from groundswell.lake.address import Lake, lake
from groundswell.lake.locks import lock
from groundswell.lake.publish import Keys, keys_of_bronze, publish
from groundswell.lake.pull import Pulled, pull
from groundswell.lake.tables import Scope

log = logging.getLogger("groundswell.lake")


@dataclass
class Work:
    """What a command has pulled, and where it publishes."""

    connection: duckdb.DuckDBPyConnection
    lake: Lake
    pulled: Pulled
    keys: Keys

    def publish(self) -> list[str]:
        """Publish what has changed since; returns the names of the tables that were written. Raises LakeError."""
        return publish(self.connection, self.lake, self.pulled, self.keys)


def pull_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace the tables of the file by those of the lake, for a command that reads. Raises LakeError."""
    if found := lake():
        pull(connection, found, Scope())


@contextmanager
def working(
    connection: duckdb.DuckDBPyConnection, locks: Sequence[str], scope: Scope, keys: Keys | None = None
) -> Iterator[Work]:
    """Pull before a with block and publish after it, with these locks from the pull to the end.

    What the block has committed to the file is published even if it raises. Raises LakeError.
    """
    found = lake()
    if found is None:
        raise LakeError("GROUNDSWELL_LAKE is not set")
    with ExitStack() as held:
        for name in sorted(set(locks)):
            held.enter_context(lock(found, name))
        work = Work(connection, found, pull(connection, found, scope), keys or keys_of_bronze())
        try:
            yield work
        except LakeError:
            raise
        except BaseException:
            try:
                work.publish()
            except LakeError as error:
                log.error("%s", error)
            raise
        work.publish()
