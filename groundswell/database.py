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
# Bytes. File systems allow 255, and DuckDB adds an ending.
LONGEST_NAME = 200
PROJECT = Path(__file__).parents[1]
# DuckDB begins its files with these four bytes, after a checksum of eight bytes.
MAGIC = b"DUCK"
KINDS = {b"SQLite format 3": "a SQLite database", b"PAR1": "a Parquet file"}
# What DuckDB raises if it can not make sense of a file, besides errors of reading.
BROKEN = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
# A file up to this size is read through before it is used: that takes 0.1 s for a day, and some seconds for 2 GB.
READ_THROUGH_BYTES = 2 * 1024**3
# What DuckDB keeps in memory of the blocks that it has read through.
READ_THROUGH_MEMORY = "512MB"
# The check needs nothing from the network.
CHECKING: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
RESTORE = "move the file away and restore a backup: python -m groundswell restore FOLDER"


def database_path() -> str:
    """The path of the database: GROUNDSWELL_DB, or groundswell.duckdb in the current folder."""
    return os.environ.get("GROUNDSWELL_DB") or "groundswell.duckdb"


def posts_place() -> str:
    """What a message calls the place that the posts are in: the lake, or the path of the file."""
    return "the lake" if os.environ.get("GROUNDSWELL_LAKE") else database_path()


def refuse_name(path: str) -> None:
    """Raise DatabaseError if dbt could not build into a database of this name, or with the project in its folder."""
    name = Path(path).name
    if len(name.encode()) > LONGEST_NAME:
        raise DatabaseError(f"{path[:40]}… is too long for the name of a file: give the database another name")
    # DuckDB and dbt name the database after its file, up to the first dot.
    if name.lstrip(".").partition(".")[0].lower() in RESERVED:
        raise DatabaseError(f"{path} has a name that DuckDB or the project needs: give the database another name")
    if found := [character for character in UNSAFE if character in name]:
        raise DatabaseError(f"{path} has a {found[0]} in its name, which dbt can not read: give it another name")
    link = Path(path)
    if link.is_symlink() and link.name != (target := Path(os.path.realpath(link))).name:
        raise DatabaseError(
            f"{path} is a link to a file of another name, which dbt can not find in it: name {target} in GROUNDSWELL_DB"
        )
    if "'" in str(PROJECT) and (PROJECT / "dbt_project.yml").exists():
        raise DatabaseError(f"{PROJECT} has a ' in its name, which dbt can not read: move the project")


def existing_path(path: str | None = None) -> str:
    """The path of a database, by default the project's. Raises DatabaseError if there is no such file."""
    path = path or database_path()
    refuse_name(path)
    if path != IN_MEMORY and not Path(path).exists():
        raise DatabaseError(
            f"{Path(path).absolute()} does not exist: no posts were collected into it. Collect a day first, "
            "python -m ingest --date DAY, or say with GROUNDSWELL_DB where the database is"
        )
    return path


def connect(path: str | None = None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, by default the project's.

    Raises DatabaseError if another process has the file open, if the file is no database or damaged, or for its name.
    """
    path = path or database_path()
    refuse_name(path)
    if path != IN_MEMORY and not Path(path).absolute().parent.is_dir():
        raise DatabaseError(f"{path} can not be opened: the folder {Path(path).absolute().parent} does not exist")
    refuse_damage(path)
    with opening_errors(path):
        return duckdb.connect(path, read_only=read_only)


@contextmanager
def open_shared() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the project's database to read and write it.

    With GROUNDSWELL_LAKE the file has what the lake has, and the lake gets what the with block changes.

    Raises DatabaseError as connect does, and if nothing was collected yet; raises LakeError.
    """
    if not os.environ.get("GROUNDSWELL_LAKE"):
        with connect(existing_path()) as connection:
            yield connection
        return
    from groundswell.lake.scope import Everything
    from groundswell.lake.work import working

    with connect() as connection, working(connection, ["problems"], Everything(reads=True)):
        yield connection


def bring_from_lake() -> None:
    """With GROUNDSWELL_LAKE, replace the tables of the file by those of the lake, for a command that reads.

    Raises LakeError.
    """
    if os.environ.get("GROUNDSWELL_LAKE"):
        from groundswell.lake.work import pull_all

        with connect() as connection:
            pull_all(connection)


def refuse_damage(path: str) -> None:
    """Raise DatabaseError if a file is no DuckDB database, or is damaged. The file is only read.

    DuckDB would open a SQLite file with an extension that it downloads. It would also open a file that was cut short or
    damaged, and write into it.
    """
    file = Path(path)
    if path == IN_MEMORY or not file.is_file():
        return
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise DatabaseError(f"{path} can not be opened: {error.strerror}") from error
    if head[8:12] != MAGIC:
        kind = next((kind for start, kind in KINDS.items() if head.startswith(start)), "another file")
        raise DatabaseError(
            f"{path} is no DuckDB database but {kind if head else 'an empty file'}: say with GROUNDSWELL_DB where the"
            " database is, or move the file away"
        )
    with opening_errors(path), duckdb.connect(path, read_only=True, config=CHECKING) as connection:
        # The count of blocks says nothing: DuckDB counts free blocks at the end that it has never written.
        if file.stat().st_size <= READ_THROUGH_BYTES:
            names = connection.execute(
                'select format(\'"{}"."{}"."{}"\', database_name, schema_name, table_name) from duckdb_tables()'
                " where not internal"
            ).fetchall()
            # Only now: opening a file can need more, for what a killed process left. The limit may have no room for
            # that, nor for 2,048 rows with long texts, which DuckDB reads at once; that says nothing of damage.
            with suppress(duckdb.OutOfMemoryException):
                connection.execute(f"set memory_limit = '{READ_THROUGH_MEMORY}'")
            for (name,) in names:
                with suppress(duckdb.OutOfMemoryException):
                    connection.execute(f"select count(hash(entry)) from {name} as entry").fetchall()


@contextmanager
def opening_errors(path: str) -> Iterator[None]:
    """Turn DuckDB's errors inside a with block into a DatabaseError of one line."""
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if holder := re.search(r"PID (\d+)", reason):
            message = f"can not be opened: process {holder.group(1)} is using it; try again when that has ended"
        elif isinstance(error, BROKEN) or re.search(r"[Cc]orrupt|enough bytes|deserialize", reason):
            where = re.sub(r' (from|in) file ".*?"', "", reason.removeprefix("IO Error: "))
            message = f"is damaged ({where}): {RESTORE}"
        else:
            message = f"can not be opened: {reason}"
        raise DatabaseError(f"{path} {message}") from error


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


def refuse_foreign(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise DatabaseError if another program has made bronze.raw_items, before anything is written."""
    posts = table("bronze", "raw_items")
    if not existing(connection, posts):
        return
    found = {name for name, *_ in connection.execute(f"describe {posts}").fetchall()}
    if missing := [name for name in ("url_hash", "source", "url", "collection_date") if name not in found]:
        raise DatabaseError(
            f"{database_path()} is the database of another program: its table bronze.raw_items has no column"
            f" {missing[0]}. Say with GROUNDSWELL_DB where the database is"
        )


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run a with block in one transaction: all of its statements are committed, or none is.

    Raises DatabaseError if the database can not be written.
    """
    with write_errors(), one_transaction(connection):
        yield


@contextmanager
def one_transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run a with block in one transaction. DuckDB's errors stay as they are."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        # A commit that failed has rolled back already.
        with suppress(duckdb.Error):
            connection.rollback()
        raise


def create_in_any_order(connection: duckdb.DuckDBPyConnection, statements: list[str]) -> list[str]:
    """Run statements; one that reads a view or table that is not there yet runs after the others.

    Returns the statements in the order in which they ran, without those that can not run at all: a view may read a
    column that the table of an earlier version does not have.
    """
    made: list[str] = []
    while statements:
        left = []
        for statement in statements:
            try:
                connection.execute(statement)
                made.append(statement)
            except (duckdb.CatalogException, duckdb.BinderException):
                left.append(statement)
        if len(left) == len(statements):
            break
        statements = left
    return made


@contextmanager
def write_errors() -> Iterator[None]:
    """Turn DuckDB's errors inside a with block into a DatabaseError of one line. Most often the disk is full."""
    try:
        yield
    except duckdb.Error as error:
        raise DatabaseError(f"{database_path()} can not be written: {str(error).splitlines()[0]}") from error
