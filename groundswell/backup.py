"""Backups of the database, by DuckDB's own export: Parquet files and two files of SQL, which later versions read."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from groundswell.clock import now
from groundswell.database import (
    IN_MEMORY,
    DatabaseError,
    connect,
    create_in_any_order,
    database_path,
    existing_path,
    opening_errors,
    refuse_name,
)

SCHEMA = "schema.sql"
LOAD = "load.sql"
# The posts, which each backup has.
POSTS = "bronze_raw_items.parquet"


def back_up(parent: Path) -> Path:
    """Export the database into a new folder below another one; returns the new folder.

    Raises DatabaseError if the database can not be read, or the folder not be written. Then nothing stays behind.
    """
    path = existing_path()
    folder = parent / f"{Path(path).stem}-{now():%Y-%m-%dT%H-%M-%SZ}"
    unfinished = folder.with_name(folder.name + ".unfinished")
    with connect(path, read_only=True) as connection, removed_after_errors(unfinished), backup_errors(folder):
        parent.mkdir(parents=True, exist_ok=True)
        connection.execute(f"export database {quoted(unfinished)} (format parquet, compression zstd)")
        order_views(unfinished / SCHEMA)
        unfinished.rename(folder)
    return folder


def restore(folder: Path) -> Path:
    """Make the database from a backup; returns its path.

    Raises DatabaseError if the database or its log exists, since nothing is overwritten, or if the backup can not be
    read. Then there is no new database.
    """
    if database_path() == IN_MEMORY:
        raise DatabaseError(f"GROUNDSWELL_DB={IN_MEMORY} keeps nothing: name a file")
    path = Path(database_path())
    refuse_name(str(path))
    if not path.absolute().parent.is_dir():
        raise DatabaseError(f"{path} can not be made: {path.absolute().parent} is no folder")
    if path.exists():
        raise DatabaseError(
            f"{path} exists and is not overwritten: move it away, or name another file in GROUNDSWELL_DB"
        )
    # A database that was not closed has one. DuckDB would write what stands in it into the new database.
    log = path.with_name(path.name + ".wal")
    if log.exists():
        raise DatabaseError(f"{log} is the log of the database that was here: move it to that database")
    if not (folder / LOAD).is_file():
        raise DatabaseError(f"{folder} is no backup: it has no {LOAD}")
    unfinished = path.with_name(path.name + ".unfinished")
    for each in (unfinished, unfinished.with_name(unfinished.name + ".wal")):
        if each.is_dir():
            raise DatabaseError(f"{each} is a folder, and the database is first written under this name: move it away")
    with removed_after_errors(unfinished), backup_errors(folder):
        refuse_half(folder)
        unfinished.unlink(missing_ok=True)
        with duckdb.connect(unfinished) as connection:
            connection.execute(f"import database {quoted(folder)}")
        unfinished.rename(path)
    return path


def refuse_half(folder: Path) -> None:
    """Raise DatabaseError if a backup lacks its posts, or has files that LOAD does not load: its copy broke off."""
    load = (folder / LOAD).read_text(errors="replace")
    if unknown := next((file.name for file in sorted(folder.glob("*.parquet")) if f"{file.name}'" not in load), None):
        raise DatabaseError(f"{folder} is half a backup: its {LOAD} does not load {unknown}")
    if POSTS not in load:
        raise DatabaseError(f"{folder} is half a backup, or none of this project: its {LOAD} loads no posts")


def order_views(schema: Path) -> None:
    """Write each view after those that it reads. A view that reads what is not there any more is left out.

    DuckDB 1.5.5 exports views in the order of their names. It can not import a view before those that the view reads
    (duckdb/duckdb#22512).
    """
    with duckdb.connect() as trial:
        # Two semicolons end a statement of the file.
        statements = [statement.query.strip(" ;\n") for statement in trial.extract_statements(schema.read_text())]
        made = create_in_any_order(trial, statements)
    schema.write_text("".join(f"{statement};\n" for statement in made))


def quoted(path: Path) -> str:
    """A path as a text of SQL. `export database` takes no parameters."""
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def removed_after_errors(path: Path) -> Iterator[None]:
    """Remove a file or folder if a with block fails."""
    try:
        yield
    except BaseException:
        # What can not be removed was not made here. The error says what is wrong.
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            path.with_name(path.name + ".wal").unlink(missing_ok=True)
        raise


@contextmanager
def backup_errors(folder: Path) -> Iterator[None]:
    """Turn errors of DuckDB and of the disk inside a with block into a DatabaseError of one line."""
    try:
        with opening_errors(str(folder)):
            yield
    except OSError as error:
        raise DatabaseError(f"{error.filename or folder} can not be written: {error.strerror}") from error
