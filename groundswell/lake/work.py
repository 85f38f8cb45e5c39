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
from groundswell.lake.pull import Pulled, attached, keep_hashes, pull
from groundswell.lake.scope import ELSEWHERE, POST_KEY, Everything, Scope
from groundswell.lake.tables import Table, tables_of
from groundswell.relations import arrow_view

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

    def bring_posts(self, arriving: pa.Table) -> None:
        """Pull the posts of other days that are among arriving ones, since they may have moved to another day.

        arriving: a table with column match_url. Raises LakeError.
        """
        items = Table("bronze", "raw_items", {})
        with arrow_view(self.connection, "arriving_keys", arriving.select(["match_url"])) as view:
            known = self.connection.execute(
                f"select match_url from {view} semi join temp.{ELSEWHERE} as elsewhere"
                f" on hash(match_url) = elsewhere.key_hash where match_url not in (select {POST_KEY} from {items.here})"
            ).to_arrow_table()
        if not known.num_rows:
            return
        with (
            duckdb.connect() as other,
            attached(other, self.lake, read_only=True),
            arrow_view(other, "known", known) as view,
        ):
            rows = other.execute(
                f"select * from {items.there} where {POST_KEY} in (select match_url from {view})"
            ).to_arrow_table()
        with arrow_view(self.connection, "brought", rows) as view:
            self.connection.execute(f"insert into {items.here} by name select * from {view}")
            pulled = self.pulled.tables[items.full_name]
            keep_hashes(self.connection, pulled, self.pulled, f"url_hash in (select url_hash from {view})")

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
        pull(connection, found, Everything(reads=True))


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
