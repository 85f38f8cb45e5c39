"""The lake's ground, with a real Postgres and a real S3 server: addresses, locks, errors, upkeep."""

import logging
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import duckdb
import pytest

from groundswell.__main__ import app
from groundswell.environment import SettingError
from groundswell.lake import LakeError, address, upkeep
from groundswell.lake.address import Lake, attach, lake, lake_errors, load_extension
from groundswell.lake.locks import lock, locks_held
from groundswell.lake.upkeep import status, sums, tidy
from tests.support.lake import Bucket, Postgres
from tests.support.project import ROOT

ERASED = "zzz a text that its author has erased"
MONTH = timedelta(days=30)
# A worker in a process of its own: it writes a file into the lake, says so, and waits to be killed before its commit.
WORKER = f"""
import sys, time, duckdb
from groundswell.lake.address import attach, lake
from groundswell.lake.locks import lock
found = lake()
with lock(found, "publish"), duckdb.connect() as connection:
    attach(connection, found)
    connection.begin()
    connection.execute("insert into lake.bronze.raw_items select '2026-11-20', 'unfinished' from range(100000)")
    print("written", flush=True)
    time.sleep({60})
"""


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """A database in memory."""
    return duckdb.connect()


def found(settings: dict[str, str]) -> Lake:
    """The lake of some settings."""
    lake_ = lake(settings)
    assert lake_
    return lake_


@contextmanager
def attached(lake_: Lake, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that has the lake. All of them are cursors of one database, which loads the extensions once."""
    with engine().cursor() as connection:
        try:
            attach(connection, lake_, read_only=read_only)
            yield connection
        finally:
            with suppress(duckdb.Error):
                connection.rollback()
            with suppress(duckdb.Error):
                connection.execute("detach database if exists lake")


def fault(settings: dict[str, str], query: str = "select 1", *, read_only: bool = False) -> str:
    """The one line that attaching a lake and a query end in."""

    def use() -> None:
        lake_ = found(settings)
        with attached(lake_, read_only=read_only) as connection, lake_errors(lake_):
            connection.execute(query)

    with pytest.raises((LakeError, SettingError)) as raised:
        use()
    # A traceback must not show more than the message does.
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    message = str(raised.value)
    assert "\n" not in message
    return message


def publish(lake_: Lake, day: str, *texts: str) -> None:
    """Write a day anew, as a publisher does: delete and insert in one transaction."""
    with attached(lake_) as connection:
        connection.execute("create schema if not exists lake.bronze")
        connection.execute("create table if not exists lake.bronze.raw_items (collection_date date, body varchar)")
        connection.begin()
        connection.execute("delete from lake.bronze.raw_items where collection_date = ?", [day])
        for text in ("a post", "another post", *texts):
            connection.execute("insert into lake.bronze.raw_items values (?, ?)", [day, text])
        connection.commit()


def bodies(lake_: Lake) -> list[str]:
    """The texts of the lake."""
    with attached(lake_, read_only=True) as connection:
        return [
            body for (body,) in connection.execute("select body from lake.bronze.raw_items order by all").fetchall()
        ]


def texts_of_catalog(server: Postgres, settings: dict[str, str]) -> str:
    """All rows of all tables of a catalog."""
    database = settings["GROUNDSWELL_LAKE"].partition("dbname=")[2].split()[0]
    tables = server.execute(database, "select tablename from pg_tables where schemaname = 'public'")
    return "".join(repr(server.execute(database, f'select * from "{name}"')) for (name,) in tables)


def files(settings: dict[str, str]) -> list[Path]:
    """The Parquet files of a lake in a folder."""
    return sorted(Path(settings["GROUNDSWELL_LAKE_DATA"]).rglob("*.parquet"))


# --- settings


def test_without_the_setting_there_is_no_lake_and_nothing_is_imported() -> None:
    """Commands on one file must not become slower."""
    assert lake({}) is None
    assert lake({"GROUNDSWELL_LAKE": " "}) is None
    program = (
        "import sys, groundswell.__main__; print([n for n in sys.modules if 'psycopg' in n or n.startswith"
        "('groundswell.lake')])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True) == "[]\n"


@pytest.mark.parametrize(
    "value",
    ["hunter2", "ducklake:", "postgres://u:hunter2@h/d", "ducklake:postgres:hunter2", "ducklake:postgres://[hunter2"],
)
def test_an_address_that_is_none_is_refused_without_being_shown(value: str) -> None:
    pytest.importorskip("psycopg")
    message = fault({"GROUNDSWELL_LAKE": value})
    assert message.startswith("GROUNDSWELL_LAKE is no address of")
    assert "hunter2" not in message


def test_all_ways_to_write_the_address_are_the_same_lake(
    lake_postgres: Postgres, lake_settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, data = lake_postgres, lake_settings["GROUNDSWELL_LAKE_DATA"]
    publish(found(lake_settings), "2026-11-20")
    database = lake_settings["GROUNDSWELL_LAKE"].partition("dbname=")[2].split()[0]
    url = f"postgresql://groundswell:{server.password}@127.0.0.1:{server.port}/{database}"
    # DuckDB keeps secrets in the home folder.
    monkeypatch.setenv("HOME", str(tmp_path))
    with duckdb.connect() as connection:
        load_extension(connection, "ducklake")
        load_extension(connection, "postgres_scanner")
        connection.execute(
            f"create persistent secret whole (type ducklake, metadata_path 'postgres:{server.address(database)}',"
            f" data_path '{data}')"
        )
        connection.execute(
            f"create persistent secret server (type postgres, host '127.0.0.1', port {server.port}, user 'groundswell',"
            f" database '{database}', password '{server.password}')"
        )
        connection.execute(
            "create persistent secret parts (type ducklake, metadata_path '', metadata_parameters"
            f" map {{'TYPE': 'postgres', 'SECRET': 'server'}}, data_path '{data}')"
        )
    for value in (f"postgres:{url}", url, "whole", "parts"):
        lake_ = found({"GROUNDSWELL_LAKE": f"ducklake:{value}"})
        assert server.password not in repr(lake_)
        with attached(lake_) as connection:
            assert connection.execute("select count(*) from lake.bronze.raw_items").fetchall() == [(2,)]
            shown = connection.execute("select path from duckdb_databases()").fetchall()
            assert server.password not in repr(shown)
    assert "secret nobody of DuckDB does not exist" in fault({"GROUNDSWELL_LAKE": "ducklake:nobody"})
    assert "secret server of DuckDB is one of type postgres" in fault({"GROUNDSWELL_LAKE": "ducklake:server"})


@pytest.mark.parametrize("kind", ["", "sqlite:"])
def test_a_file_may_be_the_catalog(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("duckdb_extension_ducklake")
    data = tmp_path / "data"
    settings = {"GROUNDSWELL_LAKE": f"ducklake:{kind}{tmp_path}/catalog", "GROUNDSWELL_LAKE_DATA": str(data)}
    assert "mkdir -p" in fault(settings)
    data.mkdir()
    assert "the first command that collects posts makes it" in fault(settings, read_only=True)
    publish(found(settings), "2026-11-20", ERASED)
    publish(found(settings), "2026-11-20")
    assert bodies(found(settings | {"GROUNDSWELL_LAKE_DATA": ""})) == ["a post", "another post"]
    assert "has its data elsewhere" in fault(settings | {"GROUNDSWELL_LAKE_DATA": str(tmp_path)})
    assert "is not there" in fault(settings | {"GROUNDSWELL_LAKE": f"ducklake:{tmp_path}/nowhere/catalog"})
    tidy(found(settings), MONTH, erase_now=True)
    assert len(files(settings)) == 1
    with lock(found(settings), "day 2026-11-20") as held, lock(found(settings), "publish"):
        held.require()
        assert dict(locks_held(found(settings))) == {"day 2026-11-20": "another process", "publish": "another process"}
        with lock(found(settings), "publish", wait=False) as second:
            assert not second
            with pytest.raises(LakeError, match="another worker holds"):
                second.require()
    assert locks_held(found(settings)) == []


# --- errors


def test_each_fault_of_the_catalog_is_one_line_without_the_password(
    lake_postgres: Postgres, lake_settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, settings = lake_postgres, lake_settings
    database = settings["GROUNDSWELL_LAKE"].partition("dbname=")[2].split()[0]
    other = {"GROUNDSWELL_LAKE": f"ducklake:postgres:{server.address(database, password='hunter2')}"}
    assert "the first command that collects posts makes it" in fault(settings, read_only=True)
    with pytest.raises(LakeError, match="the first command that collects posts makes it"):
        tidy(found(settings), MONTH)
    assert "GROUNDSWELL_LAKE_DATA does not say" in fault(settings | {"GROUNDSWELL_LAKE_DATA": ""})
    publish(found(settings), "2026-11-20")
    assert "of the lake's data is not there" in fault(
        settings
        | {"GROUNDSWELL_LAKE": server.settings("")["GROUNDSWELL_LAKE"], "GROUNDSWELL_LAKE_DATA": f"{tmp_path}/no"}
    )
    assert "holds files of another lake" in fault(server.settings(settings["GROUNDSWELL_LAKE_DATA"]))
    assert "has its data in" in fault(settings | {"GROUNDSWELL_LAKE_DATA": str(tmp_path)})
    assert "password authentication failed" in (wrong := fault(settings | other))
    assert "hunter2" not in wrong
    assert 'database "nix" does not exist' in fault(server.settings("", "nix"))
    for version, advice in (("0.3", "migrate it once"), ("9.9", "install a newer Groundswell"), ("odd", "migrate")):
        server.execute(database, f"update ducklake_metadata set value = '{version}' where key = 'version'")
        assert f"has version {version} of DuckLake, and this Groundswell knows 1.0: {advice}" in fault(settings)
    server.execute(database, "update ducklake_metadata set value = '1.0' where key = 'version'")
    # A clock of this database that is six minutes ahead.
    server.execute(database, "create schema ahead")
    server.execute(
        database,
        "create function ahead.now() returns timestamptz language sql as $$ select pg_catalog.now() + '6 minutes' $$",
    )
    server.execute(database, f"alter database {database} set search_path = ahead, pg_catalog, public")
    assert "the clocks are apart" in fault(settings)


def test_a_postgres_that_dies_is_one_line_and_comes_back(
    lake_postgres: Postgres, lake_settings: dict[str, str]
) -> None:
    lake_ = found(lake_settings)
    publish(lake_, "2026-11-20")
    with attached(lake_) as connection:
        connection.begin()
        connection.execute("delete from lake.bronze.raw_items")
        lake_postgres.kill()
        with pytest.raises(LakeError, match="went away") as during, lake_errors(lake_):
            connection.commit()
        away = fault(lake_settings)
        lake_postgres.start()
    assert "Connection refused" in away
    assert lake_postgres.password not in f"{during.value} {away}"
    assert bodies(lake_) == ["a post", "another post"]


def test_a_conflict_is_one_line(lake_settings: dict[str, str]) -> None:
    """Of those who forget the lock one stores its rows."""
    lake_ = found(lake_settings)
    publish(lake_, "2026-11-20")
    with duckdb.connect() as other, attached(lake_) as connection:
        attach(other, lake_)
        for one in (connection, other):
            one.begin()
            one.execute("delete from lake.bronze.raw_items where body = 'a post'")
        other.commit()
        with (
            pytest.raises(LakeError, match=r"another worker changed the lake .*conflict") as raised,
            lake_errors(lake_),
        ):
            connection.commit()
    assert "\n" not in str(raised.value)
    assert bodies(lake_) == ["another post"]


def test_workers_make_one_lake(lake_settings: dict[str, str]) -> None:
    """Each of the first ones finds that there is none."""
    lake_ = found(lake_settings)
    all_of_them = threading.Barrier(3)
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            with duckdb.connect() as connection:
                load_extension(connection, "ducklake")
                load_extension(connection, "postgres_scanner")
                all_of_them.wait(30)
                attach(connection, lake_)
                connection.execute(f"create table lake.made_by_{number} (number integer)")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(status(lake_).rows) == 3


def test_a_password_of_any_letters_is_hidden(lake_postgres: Postgres) -> None:
    """DuckDB and libpq write it in several ways."""
    import psycopg

    password = "a b'c\\d@e:f/g%h;i"
    name = f"odd_{secrets.token_hex(4)}"
    database = lake_postgres.create_database()
    lake_postgres.execute("postgres", f"create role {name} login password '{password.replace(chr(39), chr(39) * 2)}'")
    lake_postgres.execute(database, f"grant all on schema public to {name}")
    written = psycopg.conninfo.make_conninfo(lake_postgres.address(database), user=name, password=password)
    settings = {"GROUNDSWELL_LAKE": f"ducklake:postgres:{written}", "GROUNDSWELL_LAKE_DATA": "/"}
    lake_ = found(settings)
    assert lake_.password == password
    with psycopg.connect(lake_.conninfo):
        pass
    for text in (
        f'at "{written}" x',
        f"password='{password}' y",
        f"://{name}:a%20b%27c%5Cd%40e%3Af%2Fg%25h%3Bi@host z",
    ):
        shown = address.one_line(lake_, text)
        assert "***" in shown
        assert not any(part in shown for part in ("a b", "b'c", "d@e", "e%3Af", "g%25h"))


def test_a_missing_extension_names_the_extra(tmp_path: Path) -> None:
    """One that has no wheel here, and a site that nobody reaches."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "extension_directory": str(tmp_path),
        "custom_extension_repository": "http://127.0.0.1:1",
    }
    with duckdb.connect(config=config) as connection, pytest.raises(LakeError) as raised:
        load_extension(connection, "spatial")
    assert "DuckDB's extension spatial can not be loaded" in str(raised.value)
    assert "pip install -c constraints.txt -e '.[lake]'" in str(raised.value)


@pytest.mark.parametrize("name", ["ducklake", "httpfs", "postgres_scanner", "sqlite_scanner"])
def test_extensions_come_from_their_wheels(name: str) -> None:
    pytest.importorskip("duckdb_extension_ducklake")
    assert address.wheel_of(name), "the wheel is for another version of DuckDB"


def test_each_fault_of_an_object_store_is_one_line(
    lake_postgres: Postgres, lake_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake_bucket.environment.items():
        monkeypatch.setenv(name, value)
    settings = lake_postgres.settings("s3://lake/faults")
    publish(found(settings), "2026-11-20")
    assert bodies(found(settings)) == ["a post", "another post"]
    assert "holds files of another lake" in fault(lake_postgres.settings("s3://lake/faults/"))
    assert "the bucket or a file of the lake is not there" in fault(lake_postgres.settings("s3://nobody/lake"))
    for name, value in (("AWS_SECRET_ACCESS_KEY", "hunter2hunter2"), ("AWS_ACCESS_KEY_ID", "nobody")):
        with monkeypatch.context() as wrong:
            wrong.setenv(name, value)
            assert "the object store refuses the key" in (message := fault(settings))
            assert "hunter2" not in message
    with monkeypatch.context() as wrong:
        wrong.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert "the object store can not be reached" in fault(settings)


def test_the_key_of_a_bucket_may_be_a_secret_of_duckdb(
    lake_postgres: Postgres, lake_bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = lake_postgres.settings("s3://lake/secret")
    host = lake_bucket.url.removeprefix("http://")
    # DuckDB keeps secrets in the home folder.
    monkeypatch.setenv("HOME", str(tmp_path))
    with duckdb.connect() as connection:
        load_extension(connection, "httpfs")
        connection.execute(
            f"create persistent secret bucket (type s3, key_id '{lake_bucket.key}', secret '{lake_bucket.secret}',"
            f" region 'us-east-1', endpoint '{host}', use_ssl false, url_style 'path')"
        )
    with duckdb.connect() as connection:
        attach(connection, found(settings))
        connection.execute("create table lake.texts as select 'a text' as body")
    assert any(key.startswith("secret/main/texts/") for key in lake_bucket.objects())


def test_a_store_that_dies_or_is_full_stores_nothing(
    lake_postgres: Postgres, lake_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake_bucket.environment.items():
        monkeypatch.setenv(name, value)
    settings = lake_postgres.settings("s3://lake/full")
    publish(found(settings), "2026-11-20")
    insert = "insert into lake.bronze.raw_items select '2026-11-21', 'x' from range(10000)"
    lake_bucket.server.kill()
    with duckdb.connect() as connection:
        # The keys and the extension only: a store that is away is noticed by attach itself.
        assert "the object store can not be reached" in fault(settings)
        lake_bucket.start(full=True)
        attach(connection, found(settings))
        with pytest.raises(LakeError, match="the object store is full or fails"), lake_errors(found(settings)):
            connection.execute(insert)
    lake_bucket.server.kill()
    lake_bucket.start()
    assert bodies(found(settings)) == ["a post", "another post"]


def test_a_full_disk_stores_nothing(lake_postgres: Postgres, tmp_path: Path) -> None:
    data = tmp_path / "small"
    data.mkdir()
    with suppress(OSError):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", data], capture_output=True, check=False)
    if not data.is_mount():
        pytest.skip("only root may mount a small disk")
    try:
        settings = lake_postgres.settings(data)
        publish(found(settings), "2026-11-20")
        insert = "insert into lake.bronze.raw_items select '2026-11-21', md5(i::varchar) from range(100000) as many (i)"
        assert "the lake is full" in fault(settings, insert)
        assert bodies(found(settings)) == ["a post", "another post"]
    finally:
        subprocess.run(["umount", data], check=True)


# --- locks


def test_a_lock_holds_against_others_until_it_is_left(
    lake_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    lake_ = found(lake_settings)
    caplog.set_level(logging.INFO)
    order: list[str] = []
    is_waiting, done = threading.Event(), threading.Event()

    class Waiting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
            is_waiting.set()

    def second_worker() -> None:
        with lock(lake_, "day 2026-11-20") as held:
            order.append("second")
            assert held
            held.require()
        done.set()

    handler = Waiting()
    logging.getLogger("groundswell.lake.locks").addHandler(handler)
    thread = threading.Thread(target=second_worker)
    try:
        with lock(lake_, "day 2026-11-20") as first:
            assert first
            first.require()
            with lock(lake_, "day 2026-11-21", wait=False) as other, lock(lake_, "day 2026-11-20", wait=False) as same:
                assert other
                assert not same
                assert [name for name, _ in locks_held(lake_)] == ["day 2026-11-20", "day 2026-11-21"]
            thread.start()
            assert is_waiting.wait(20)
            order.append("first")
        assert done.wait(20)
    finally:
        logging.getLogger("groundswell.lake.locks").removeHandler(handler)
        thread.join()
    assert order == ["first", "second"]
    assert (
        f"Waiting for the lock 'day 2026-11-20' of the lake: process {os.uname().nodename} {os.getpid()}" in caplog.text
    )
    assert locks_held(lake_) == []


def test_two_lakes_of_one_server_do_not_share_locks(lake_postgres: Postgres, lake_settings: dict[str, str]) -> None:
    one, other = found(lake_settings), found(lake_postgres.settings("/"))
    with lock(one, "publish"), lock(other, "publish", wait=False) as held:
        assert held
        assert len(locks_held(one)) == len(locks_held(other)) == 1


def test_a_lost_lock_is_noticed_before_the_commit(lake_postgres: Postgres, lake_settings: dict[str, str]) -> None:
    lake_ = found(lake_settings)
    with lock(lake_, "publish") as held:
        held.require()
        lake_postgres.execute(
            "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%publish%'"
        )
        with pytest.raises(LakeError, match="the lock 'publish' of the lake was lost"):
            held.require()
        # Another worker may have it by now.
        with lock(lake_, "publish", wait=False) as other:
            other.require()


def test_locks_out_of_order_are_refused(lake_settings: dict[str, str]) -> None:
    """Two workers could wait for each other."""
    lake_ = found(lake_settings)
    with lock(lake_, "day 2026-11-20"), lock(lake_, "publish"):
        for name in ("day 2026-11-20", "problems", "publish"):
            with pytest.raises(ValueError, match="must be taken before 'publish'"), lock(lake_, name):
                pass
    with lock(lake_, "problems"):
        pass


# --- upkeep


def test_a_killed_worker_frees_its_lock_and_its_files_are_removed(lake_settings: dict[str, str]) -> None:
    lake_ = found(lake_settings)
    publish(lake_, "2026-11-20")
    environment = os.environ | lake_settings
    with subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"written\n"
        assert [name for name, _ in locks_held(lake_)] == ["publish"]
        worker.kill()
    orphans = [path for path in files(lake_settings) if path.stat().st_size > 0]
    done = tidy(lake_, MONTH, erase_now=True)
    assert done.orphaned == 1
    assert len(files(lake_settings)) < len(orphans)
    assert bodies(lake_) == ["a post", "another post"]


def test_tidy_merges_and_keeps_what_the_last_days_need(lake_settings: dict[str, str]) -> None:
    lake_ = found(lake_settings)
    for day in range(1, 5):
        publish(lake_, f"2026-11-0{day}")
    before = files(lake_settings)
    done = tidy(lake_, MONTH)
    assert done.merged == len(before) == 8
    # The snapshots are young, and so are the files that were merged.
    assert (done.snapshots, done.cleaned, done.orphaned) == (0, 0, 0)
    assert len(files(lake_settings)) == 9
    told = status(lake_)
    assert told.days == (date(2026, 11, 1), date(2026, 11, 4), 4)
    assert told.rows == {"bronze.raw_items": 8}
    assert told.snapshots > 4
    assert sums(told.stored).files == sums(done.after).files == 9
    assert sums(told.stored).bytes == sum(path.stat().st_size for path in files(lake_settings))
    assert tidy(lake_, timedelta()).cleaned == 0
    done = tidy(lake_, MONTH, erase_now=True)
    assert sums(done.before).files > sums(done.after).files == len(files(lake_settings)) == 1
    assert status(lake_).rows == told.rows


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_what_was_erased_is_gone(
    place: str,
    lake_postgres: Postgres,
    lake_settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    settings = lake_settings
    if place == "bucket":
        bucket: Bucket = request.getfixturevalue("lake_bucket")
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        settings = lake_postgres.settings("s3://lake/erased")
    lake_ = found(settings)

    def is_anywhere() -> bool:
        contents = (
            [path.read_bytes() for path in files(settings)]
            if place == "folder"
            else [content for key, content in bucket.objects().items() if key.startswith("erased/")]
        )
        assert contents
        return any(ERASED.encode() in content for content in contents) or ERASED in texts_of_catalog(
            lake_postgres, settings
        )

    # Parquet would squeeze it, and DuckLake keeps the greatest value in the catalog.
    with attached(lake_) as connection:
        connection.execute("call lake.set_option('parquet_compression', 'uncompressed')")
    publish(lake_, "2026-11-20", ERASED)
    publish(lake_, "2026-11-21", ERASED)
    # One of them goes with its whole file, and the other one leaves a file with a deleted row.
    publish(lake_, "2026-11-20")
    with attached(lake_) as connection:
        connection.execute("delete from lake.bronze.raw_items where body = ?", [ERASED])
    assert bodies(lake_) == ["a post", "a post", "another post", "another post"]
    assert is_anywhere()
    tidy(lake_, MONTH)
    assert is_anywhere()
    tidy(lake_, MONTH, erase_now=True)
    assert not is_anywhere()
    # The narrower statistics still find every row, the new ones included.
    publish(lake_, "2026-11-22", "0", "zz")
    with attached(lake_, read_only=True) as connection:
        for condition, number in (("body < 'a'", 1), ("body > 'b'", 1), ("body like 'a%'", 6)):
            (rows,) = connection.execute(f"select count(*) from lake.bronze.raw_items where {condition}").fetchall()
            assert rows == (number,), condition
    assert status(lake_).snapshots > 1


def test_the_values_of_a_table_without_rows_are_gone_too(
    lake_postgres: Postgres, lake_settings: dict[str, str]
) -> None:
    lake_ = found(lake_settings)
    publish(lake_, "2026-11-20", ERASED)
    with attached(lake_) as connection:
        connection.execute("delete from lake.bronze.raw_items")
    tidy(lake_, MONTH, erase_now=True)
    assert "a post" not in texts_of_catalog(lake_postgres, lake_settings)
    publish(lake_, "2026-11-20", "m")
    with attached(lake_, read_only=True) as connection:
        assert connection.execute("select count(*) from lake.bronze.raw_items where body > 'b'").fetchall() == [(1,)]


def test_a_reader_keeps_tidy_from_compacting_and_nobody_waits(
    lake_postgres: Postgres, lake_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    lake_ = found(lake_settings)
    publish(lake_, "2026-11-20")
    monkeypatch.setattr(upkeep, "COMPACT_PATIENCE", "50ms")
    with psycopg.connect(lake_.conninfo) as reader:
        reader.execute("select count(*) from ducklake_snapshot")
        with pytest.raises(LakeError, match=r"all is erased, but .*lock timeout.*run the command again"):
            tidy(lake_, MONTH, erase_now=True)
        assert bodies(lake_) == ["a post", "another post"]
    tidy(lake_, MONTH, erase_now=True)


def test_attach_leaves_no_transaction_open(lake_postgres: Postgres, lake_settings: dict[str, str]) -> None:
    """Postgres cleans up nothing that is younger than the oldest transaction."""
    database = lake_settings["GROUNDSWELL_LAKE"].partition("dbname=")[2].split()[0]
    for read_only in (False, True):
        with attached(found(lake_settings), read_only=read_only):
            query = f"select state from pg_stat_activity where datname = '{database}'"
            states = lake_postgres.execute("postgres", query)
        assert {state for (state,) in states} == {"idle"}


def test_files_that_are_not_the_lake_s_are_not_deleted(lake_settings: dict[str, str]) -> None:
    lake_ = found(lake_settings)
    publish(lake_, "2026-11-20")
    foreign = Path(lake_settings["GROUNDSWELL_LAKE_DATA"]) / "other" / "posts" / "ducklake-1.parquet"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"PAR1")
    with pytest.raises(LakeError, match="lies among the lake's data and is none of it"):
        tidy(lake_, MONTH, erase_now=True)
    assert foreign.exists()
    assert bodies(lake_) == ["a post", "another post"]


def test_the_commands_print_what_they_find(
    lake_settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    # Where no .env lies.
    monkeypatch.chdir(tmp_path)
    for name, value in lake_settings.items():
        monkeypatch.setenv(name, value)
    publish(found(lake_settings), "2026-11-20")
    app(["lake", "status"], standalone_mode=False)
    app(["lake", "tidy", "--erase-now"], standalone_mode=False)
    assert capsys.readouterr().out.count("bronze.raw_items") == 2
    assert "Posts of 1 days, from 2026-11-20 to 2026-11-20" in caplog.text
    assert "No lock is held" in caplog.text
    assert "Expired" in caplog.text
    monkeypatch.setenv("GROUNDSWELL_LAKE", "")
    assert app(["lake", "tidy"], standalone_mode=False) == 2
    assert "GROUNDSWELL_LAKE is not set: there is no lake to look after" in caplog.text
