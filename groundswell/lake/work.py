"""A command that works on the lake without dbt: it pulls, works on its file, and publishes."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from groundswell.lake import LakeError
from groundswell.lake.address import Lake, lake
from groundswell.lake.locks import lock
from groundswell.lake.log import Log
from groundswell.lake.publish import Keys, keys_of_bronze, publish
from groundswell.lake.pull import Pulled, pull
from groundswell.lake.tables import Scope, tables_of

# So many times as long as a publish took, a command works on before the next one.
PAUSE = 4

# The command of this process.
under_way: list["Work"] = []

log = logging.getLogger("groundswell.lake")


@dataclass
class Work:
    """What a command has pulled, and where it publishes. log: open once something was added to it."""

    connection: duckdb.DuckDBPyConnection
    lake: Lake
    pulled: Pulled
    log: Log | None = None
    seconds: float = 0.0
    done: float = 0.0

    def add(self, schema: str, name: str, rows: pa.Table) -> None:
        """Add rows to a table of the lake at once; they need not be in the file yet. Raises LakeError."""
        self.log = self.log or Log.of(self.lake)
        self.log.add({(schema, name): rows})

    def publish_now_and_then(self) -> None:
        """Publish what has changed since, so that publishing takes a fifth of the time. Raises LakeError."""
        started = time.monotonic()
        if started - self.done >= PAUSE * self.seconds:
            self.publish()
            self.done = time.monotonic()
            self.seconds = self.done - started

    def publish(self) -> list[str]:
        """Publish what has changed since; returns the names of the tables that were written. Raises LakeError."""
        keys: Keys = {table.full_name: () for table in tables_of(self.connection)}
        return publish(self.connection, self.lake, self.pulled, {**keys, **keys_of_bronze()})


def pull_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace the tables of the file by those of the lake, for a command that reads. Raises LakeError."""
    if found := lake():
        pull(connection, found, Scope(reads=True))


@contextmanager
def working(connection: duckdb.DuckDBPyConnection, locks: Sequence[str], scope: Scope) -> Iterator[Work]:
    """Pull before a with block and publish after it, with these locks from the pull to the end.

    What the block has committed to the file is published even if it raises. Raises LakeError.
    """
    found = lake()
    if found is None:
        raise LakeError("GROUNDSWELL_LAKE is not set")
    with ExitStack() as held:
        for name in sorted(set(locks)):
            held.enter_context(lock(found, name))
        work = Work(connection, found, pull(connection, found, scope))
        under_way.append(work)
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
        finally:
            under_way.remove(work)
            if work.log:
                work.log.close()
        work.publish()
