"""Locks that hold over all machines that share a lake."""

import hashlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from groundswell.lake import LakeError
from groundswell.lake.address import Lake, connect_catalog, one_line, require_package, value_of

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)
# The locks of this thread, as names.
holding = threading.local()

# Postgres notices within a minute that the machine of a lock's holder is dead. By default that takes two hours.
# The other settings keep a server's own rules from ending a session that only holds a lock.
SESSION = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "10s",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
}
# Who holds advisory locks of one 64-bit key: half of the key is in each column.
HOLDERS = """
    select activity.application_name
    from pg_catalog.pg_locks as locks
    left join pg_catalog.pg_stat_activity as activity using (pid)
    where locks.locktype = 'advisory' and locks.granted and locks.objsubid = 1
        and locks.database = (select oid from pg_catalog.pg_database where datname = current_database())
"""
HOLDER = f"{HOLDERS} and (locks.classid::bigint << 32) | locks.objid::bigint = %s"
ALL_HOLDERS = f"{HOLDERS} and activity.application_name like 'groundswell %' order by 1"


@dataclass(frozen=True)
class Held:
    """A lock: true if it is held, false if another worker holds it."""

    name: str
    is_held: bool
    check: Callable[[], None]

    def __bool__(self) -> bool:
        return self.is_held

    def require(self) -> None:
        """Raise LakeError if the lock is not held any more. Call it right before a commit.

        Postgres frees the lock when its connection ends, and another worker may have it by then.
        """
        if not self.is_held:
            raise LakeError(f"another worker holds the lock {self.name!r}")
        self.check()


@contextmanager
def lock(lake: Lake, name: str, *, wait: bool = True) -> Iterator[Held]:
    """Hold the lock of this name for a with block, against all processes that use the lake.

    Take it before the transaction that it protects begins: a transaction sees the lake as it was at its begin. Yields
    Held, which is false if wait is false and another worker has the lock. A process that is killed frees its locks.
    Raises LakeError if the lake is away, and ValueError if the thread waits for a lock out of order: locks within locks
    are taken in the order of their names (collect, day, problems, publish, setup), or two workers could wait for each
    other for ever. Postgres would not notice, because each lock has a session of its own.
    """
    mine = holding.__dict__.setdefault("names", [])
    if wait and any(other >= name for other in mine):
        raise ValueError(f"the lock {name!r} must be taken before {max(mine)!r}")
    with (lock_in_postgres if lake.kind == "postgres" else lock_of_file)(lake, name, wait=wait) as held:
        mine.append(name)
        try:
            yield held
        finally:
            mine.remove(name)


def lock_key(lake: Lake, name: str) -> int:
    """The 64 bits by which Postgres knows a lock. Postgres itself keeps the locks of its databases apart."""
    digest = hashlib.sha256("\0".join(("groundswell", lake.schema or "", name)).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


@contextmanager
def lock_in_postgres(lake: Lake, name: str, *, wait: bool) -> Iterator[Held]:
    """An advisory lock of a session of its own."""
    require_package("psycopg")
    import psycopg

    key = lock_key(lake, name)
    with connect_catalog(lake, f"{name} | {socket.gethostname()} {os.getpid()}") as session:
        try:
            for setting, value in SESSION.items():
                # A setting that this version of Postgres or its machine does not have is left out.
                with suppress(psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue):
                    session.execute("select set_config(%s, %s, false)", (setting, value))
            is_held = value_of(session, "select pg_try_advisory_lock(%s)", key)
            if not is_held and wait:
                log.info("Waiting for the lock %r of the lake: %s has it", name, holder(session, key))
                value_of(session, "select pg_advisory_lock(%s)", key)
                is_held = True
        except psycopg.Error as error:
            raise LakeError(f"the lock {name!r} of the lake can not be had ({one_line(lake, str(error))})") from None
        try:
            yield Held(name, bool(is_held), lambda: require_session(lake, name, session))
        finally:
            # A connection that only closes leaves the lock for some milliseconds.
            with suppress(psycopg.Error):
                if is_held and not session.closed:
                    session.execute("select pg_advisory_unlock(%s)", (key,))


def require_session(lake: Lake, name: str, session: "psycopg.Connection[Any]") -> None:
    """Raise LakeError if a lock's session has ended."""
    import psycopg

    try:
        value_of(session, "select 1")
    except psycopg.Error as error:
        raise LakeError(
            f"the lock {name!r} of the lake was lost, because its connection ended ({one_line(lake, str(error))}):"
            " nothing of this was stored; run the command again"
        ) from None


def holder(session: "psycopg.Connection[Any]", key: int) -> str:
    """Who holds a lock: machine and process."""
    found = value_of(session, HOLDER, key) or ""
    return f"process {found.rpartition(' | ')[2]}" if found else "another process"


@contextmanager
def lock_of_file(lake: Lake, name: str, *, wait: bool) -> Iterator[Held]:
    """A lock of a file beside the catalog, which holds on one machine."""
    require_package("filelock")
    from filelock import FileLock, Timeout

    path = lock_file(lake, name)
    try:
        # A build takes a lock in one thread of dbt, and lets it go in another one.
        held = FileLock(path, thread_local=False)
        try:
            held.acquire(blocking=False)
        except Timeout:
            if wait:
                log.info("Waiting for the lock %r of the lake: another process has it", name)
                held.acquire()
    except OSError as error:
        raise LakeError(f"{path} can not be locked: {error.strerror}") from error
    try:
        yield Held(name, held.is_locked, lambda: None)
    finally:
        held.release()


def lock_file(lake: Lake, name: str) -> Path:
    """The file of a lock."""
    return Path(f"{lake.catalog}.{quote(name, safe='')}.lock")


def locks_held(lake: Lake) -> list[tuple[str, str]]:
    """The locks that are held now, as (name, holder)."""
    if lake.kind == "postgres":
        with connect_catalog(lake, "status") as session:
            rows = session.execute(ALL_HOLDERS.encode()).fetchall()
        parts = [row[0].removeprefix("groundswell ").partition(" | ") for row in rows]
        return [(name, f"process {where}") for name, _, where in parts]
    require_package("filelock")
    from filelock import FileLock, Timeout

    found = []
    catalog = Path(lake.catalog)
    for path in sorted(catalog.parent.glob(f"{catalog.name}.*.lock")):
        try:
            with FileLock(path, blocking=False):
                pass
        except Timeout:
            found.append((unquote(path.name[len(catalog.name) + 1 : -len(".lock")]), "another process"))
    return found
