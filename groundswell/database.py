"""The project's DuckDB database: its path, connections and transactions, with errors in one line."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from groundswell.errors import GroundswellError


class DatabaseError(GroundswellError):
    """The database can not be opened or written."""


IN_MEMORY = ":memory:"
# DuckDB's own databases, and the project's schemas. In a query nobody could tell a database of such a name from them.
RESERVED = ("main", "temp", "system", "bronze", "silver", "gold")
# dbt and DuckDB read these characters of a name in different ways, or end a text at them.
UNSAFE = "'\"?#;"
PROJECT = Path(__file__).parents[1]


def database_path() -> str:
    """The path of the database: GROUNDSWELL_DB, or groundswell.duckdb in the current folder."""
    return os.environ.get("GROUNDSWELL_DB") or "groundswell.duckdb"


def refuse_name(path: str) -> None:
    """Raise DatabaseError if dbt could not build into a database of this name, or with the project in its folder."""
    name = Path(path).name
    # DuckDB and dbt name the database after its file, up to the first dot.
    if name.lstrip(".").partition(".")[0].lower() in RESERVED:
        raise DatabaseError(f"{path} has a name that DuckDB or the project needs: give the database another name")
    if found := [character for character in UNSAFE if character in name]:
        raise DatabaseError(f"{path} has a {found[0]} in its name, which dbt can not read: give it another name")
    if "'" in str(PROJECT) and (PROJECT / "dbt_project.yml").exists():
        raise DatabaseError(f"{PROJECT} has a ' in its name, which dbt can not read: move the project")


def existing_path(path: str | None = None) -> str:
    """The path of a database, by default the project's. Raises DatabaseError if there is no such file."""
    path = path or database_path()
    if path != IN_MEMORY and not Path(path).exists():
        raise DatabaseError(
            f"{Path(path).absolute()} does not exist: no posts were collected into it. Collect a day first, "
            "python -m ingest --date DAY, or say with GROUNDSWELL_DB where the database is"
        )
    return path


def connect(path: str | None = None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, by default the project's.

    Raises DatabaseError if another process has the file open, if the file is no database, or for its name.
    """
    path = path or database_path()
    refuse_name(path)
    try:
        return duckdb.connect(path, read_only=read_only)
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
