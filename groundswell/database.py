"""The project's DuckDB database: its path, connections and transactions, with errors in one line."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from groundswell.errors import GroundswellError


class DatabaseError(GroundswellError):
    """The database can not be opened or written."""


def database_path() -> str:
    """The path of the database: GROUNDSWELL_DB, or groundswell.duckdb in the current folder."""
    return os.environ.get("GROUNDSWELL_DB") or "groundswell.duckdb"


def connect(path: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, by default the project's.

    Raises DatabaseError if another process has the file open or if the file is no database.
    """
    path = path or database_path()
    try:
        return duckdb.connect(path)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        holder = re.search(r"PID (\d+)", reason)
        if holder:
            reason = f"process {holder.group(1)} is using it; try again when that has ended"
        raise DatabaseError(f"{path} can not be opened: {reason}") from error


def table(schema: str, name: str) -> str:
    """The quoted name of a table, for a command that runs without dbt."""
    return f'"{schema}"."{name}"'


def existing(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a table or view with this quoted name exists and can be read."""
    try:
        connection.execute(f"select 1 from {name} limit 0")
    except duckdb.CatalogException:
        return False
    return True


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run a with block in one transaction: all of its statements are committed, or none is.

    Raises DatabaseError if the database can not be written.
    """
    with write_errors():
        connection.begin()
        try:
            yield
            connection.commit()
        except BaseException:
            # A commit that failed has rolled back already.
            with suppress(duckdb.TransactionException):
                connection.rollback()
            raise


@contextmanager
def write_errors() -> Iterator[None]:
    """Turn DuckDB's errors inside a with block into a DatabaseError of one line. Most often the disk is full."""
    try:
        yield
    except duckdb.Error as error:
        raise DatabaseError(f"{database_path()} can not be written: {str(error).splitlines()[0]}") from error
