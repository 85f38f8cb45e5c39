"""A database that is damaged, cut short or no database ends each command in one line; backups are restored."""

import hashlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from groundswell.database import DatabaseError, connect
from tests.support.project import DATABASE, DAY, DBT, ROOT, Project

BLOCK = 262_144
HEADERS = 12_288


def cut(kept: float) -> Callable[[Path], None]:
    """A function that leaves a part of a file, as a copy that broke off."""

    def apply(file: Path) -> None:
        with file.open("r+b") as opened:
            opened.truncate(int(file.stat().st_size * kept) - 1)

    return apply


def used_blocks(project: Project) -> list[int]:
    """The blocks of the file that hold rows of a table. A file has free blocks, too, which nothing reads."""
    tables = project.query("select format('{}.{}', schema_name, table_name) from duckdb_tables() where not internal")
    segments = " union ".join(f"select block_id from pragma_storage_info('{name}')" for (name,) in tables)
    return [block for (block,) in project.query(f"select block_id from ({segments}) where block_id >= 0 order by all")]


def zero_a_block(number: int) -> Callable[[Path], None]:
    """A function that overwrites one block, as a failing disk."""

    def apply(file: Path) -> None:
        with file.open("r+b") as opened:
            opened.seek(HEADERS + number * BLOCK)
            opened.write(bytes(BLOCK))

    return apply


def zero_a_used_block(file: Path) -> None:
    """Overwrite the first block with rows."""
    zero_a_block(used_blocks(Project(file))[0])(file)


def become_sqlite(file: Path) -> None:
    """DuckDB would fetch an extension for such a file."""
    file.unlink()
    with sqlite3.connect(file) as other:
        other.execute("create table t (a)")
    other.close()


def test_a_damaged_or_foreign_file_is_refused_and_left_as_it_is(built: Project, tmp_path: Path) -> None:
    damages = [(cut(part), "is damaged") for part in (0.9, 0.5, 0.1)]
    damages += [(zero_a_block(number), "is damaged") for number in used_blocks(built)[::7]]
    damages += [
        (become_sqlite, "no DuckDB database but a SQLite database"),
        (lambda file: file.write_text("source,url,title\n" * 2), "no DuckDB database but another file"),  # type: ignore[list-item]
        (lambda file: file.write_bytes(b""), "no DuckDB database but an empty file"),  # type: ignore[list-item]
    ]
    for number, (damage, reason) in enumerate(damages):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = built.copy_to(folder).database
        damage(file)
        before = hashlib.sha256(file.read_bytes()).digest()
        with pytest.raises(DatabaseError, match=reason) as refused:
            connect(str(file))
        assert str(file) in str(refused.value)
        assert "\n" not in str(refused.value)
        assert hashlib.sha256(file.read_bytes()).digest() == before
        file.unlink()


@pytest.mark.parametrize(
    ("damage", "reason"), [(zero_a_used_block, "is damaged"), (become_sqlite, "is no DuckDB database")]
)
def test_each_command_names_the_damaged_file(
    built: Project, tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    project = built.copy_to(tmp_path)
    damage(project.database)
    before = project.database.read_bytes()
    commands = (
        (sys.executable, "-m", "ingest", "--date", DAY, "--sample"),
        (sys.executable, "-m", "sync", "--date", DAY),
        (DBT, "build", "--vars", f"date: {DAY}"),
        (sys.executable, "-m", "groundswell", "backup", str(tmp_path / "backups")),
    )
    for command in commands:
        finished = project.run(*command, POCKETBASE_URL="http://127.0.0.1:9", POCKETBASE_TOKEN="x")
        assert finished.status != 0
        assert f"{project.database} {reason}" in finished.output
        assert not re.search("Traceback|download|extension", finished.output), finished.output
    assert project.database.read_bytes() == before
    assert not (tmp_path / "backups").exists()


def test_a_backup_is_restored_and_built_upon(built: Project, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    backups = tmp_path / "back'ups"
    saved = project.run(sys.executable, "-m", "groundswell", "backup", str(backups))
    assert saved.status == 0, saved.output
    [backup] = backups.iterdir()
    restore = (sys.executable, "-m", "groundswell", "restore")
    refused = project.run(*restore, str(backup))
    assert refused.status == 1
    assert f"{project.database} exists and is not overwritten" in refused.output

    # A backup moves as a folder.
    moved = backup.rename(tmp_path / "moved")
    (tmp_path / "new").mkdir()
    new = Project(tmp_path / "new" / DATABASE, parsed=project.parsed)
    # The log of the database before would be written into the new one.
    log = new.database.with_name(f"{DATABASE}.wal")
    log.write_bytes(b"rows")
    refused = new.run(*restore, str(moved))
    assert refused.status == 1
    assert f"{log} is the log of the database that was here" in refused.output
    log.unlink()
    restored = new.run(*restore, str(moved))
    assert restored.status == 0, restored.output
    assert new.contents() == project.contents()
    structure = (
        "select schema_name, table_name, column_name, data_type, is_nullable from duckdb_columns() where not internal"
        " order by all"
    )
    assert new.query(structure) == project.query(structure)
    # Comments are not part of DuckDB's export; the build brings them back, and changes nothing else.
    finished = new.build(data_tests=False)
    assert finished.status == 0, finished.output
    comments = "select schema_name, table_name, comment from duckdb_tables() where schema_name = 'gold' order by all"
    assert new.query(comments) == project.query(comments)
    assert new.contents() == project.contents()

    # A damaged backup leaves no database behind.
    zeroed = moved / "bronze_raw_items.parquet"
    zeroed.write_bytes(bytes(zeroed.stat().st_size))
    other = Project(tmp_path / "new" / "other.duckdb", parsed=project.parsed)
    failed = other.run(*restore, str(moved))
    assert failed.status == 1
    assert f"{moved} can not be" in failed.output
    assert "Traceback" not in failed.output
    assert sorted(file.name for file in (tmp_path / "new").glob("*.duckdb*")) == [DATABASE]


def test_a_link_of_another_name_is_refused(project: Project, tmp_path: Path) -> None:
    # DuckDB names the database after the file behind the link, dbt after the link.
    assert project.ingest("--date", DAY, "--sample").status == 0
    (tmp_path / "links").mkdir()
    links = [tmp_path / "links" / name for name in ("other.duckdb", DATABASE)]
    for link in links:
        link.symlink_to(project.database)
    finished = project.ingest("--date", DAY, "--sample", GROUNDSWELL_DB=str(links[0]))
    assert (finished.status, finished.output.count("\n")) == (1, 1), finished.output
    assert f"{links[0]} is a link to a file of another name, which dbt can not find in it" in finished.output
    assert f"name {project.database} in GROUNDSWELL_DB" in finished.output
    same = Project(links[1], parsed=project.parsed)
    finished = same.build(DAY, "--select", "posts", data_tests=False)
    assert finished.status == 0, finished.output


def test_a_backup_that_can_not_be_made_or_read_is_one_line(built: Project, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    backup, restore = ((sys.executable, "-m", "groundswell", name) for name in ("backup", "restore"))

    def refused(command: tuple[str, ...], argument: str, says: str, database: str = "new.duckdb") -> None:
        """Run a command that must end in one line, and leave nothing behind."""
        before = sorted(tmp_path.rglob("*"))
        finished = project.run(*command, argument, GROUNDSWELL_DB=str(tmp_path / database))
        assert (finished.status, finished.output.count("\n"), says in finished.output) == (1, 1, True), finished.output
        assert sorted(tmp_path.rglob("*")) == before

    for name in ("file", "file/inner", "link"):
        refused(backup, str(tmp_path / name), "can not be written", project.database.name)
    assert project.run(*backup, str(tmp_path / "backups")).status == 0
    [whole] = (tmp_path / "backups").iterdir()
    for name in ("file", "nowhere", "backups"):
        refused(restore, str(tmp_path / name), f"{tmp_path / name} is no backup: it has no load.sql")
    refused(restore, str(whole), "/file is no folder", "file/new.duckdb")
    refused(restore, str(whole), "/nowhere is no folder", "nowhere/new.duckdb")
    folder = tmp_path / "new.duckdb.unfinished"
    folder.mkdir()
    refused(restore, str(whole), f"{folder} is a folder, and the database is first written under this name")
    folder.rmdir()
    # A copy of a backup that broke off.
    load, schema = (whole / name for name in ("load.sql", "schema.sql"))
    lines = load.read_text()
    load.write_text("\n".join(lines.splitlines()[:9]))
    refused(restore, str(whole), f"{whole} is half a backup: its load.sql does not load ")
    load.write_text("")
    refused(restore, str(whole), f"{whole} is half a backup: its load.sql does not load bronze_")
    load.write_text(lines)
    (whole / "silver_texts.parquet").rename(tmp_path / "kept")
    refused(restore, str(whole), "silver_texts.parquet")
    (tmp_path / "kept").rename(whole / "silver_texts.parquet")
    schema.rename(tmp_path / "kept")
    refused(restore, str(whole), "schema.sql")
    for file in whole.glob("*.parquet"):
        file.unlink()
    load.write_text("")
    refused(restore, str(whole), f"{whole} is half a backup, or none of this project: its load.sql loads no posts")


def test_make_backup_runs_the_command() -> None:
    printed = subprocess.run(["make", "-n", "backup"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "python -m groundswell backup" in printed
