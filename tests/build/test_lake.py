"""Workers with empty disks build days over a lake: the same tables as one file, whatever happens to the workers.

Postgres is a real one. Each build runs in a process of its own, with a folder of its own.
"""

import logging
import os
import random
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import duckdb
import pytest

from groundswell.lake.address import attach, lake
from groundswell.lake.pull import pull
from groundswell.lake.scope import Everything
from sync.demo import DAYS
from tests.support.bundled import SETTINGS, bundled_days
from tests.support.lake import Postgres, postgres
from tests.support.language_model import honest
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import DATABASE, DBT, ROOT, Project
from tests.support.shared import Shared

log = logging.getLogger("groundswell.tests")

FIRST, *_, LAST = DAYS
# How many workers are killed. The figures of docs/lake.md are of 30.
KILLS = int(os.environ.get("LAKE_KILLS", "1"))
# What two builds of the same posts write differently: random names, and the time of day.
DIFFERENT = {
    "attempt_id", "attempted_at", "labelled_at", "latency_seconds", "collected_at", "finished_at", "first_used_at",
}  # fmt: skip


@dataclass
class Fleet:
    """A lake, and workers that have nothing but its address."""

    postgres: Postgres
    database: str
    folder: Path
    parsed: Path
    count: Iterator[int] = field(default_factory=lambda: iter(range(1_000)))

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a worker."""
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        address = f"ducklake:postgres:{self.postgres.address(self.database)}"
        return SETTINGS | {"GROUNDSWELL_LAKE": address, "GROUNDSWELL_LAKE_DATA": str(data)}

    def worker(self) -> Project:
        """The project on an empty disk."""
        folder = self.folder / f"worker_{secrets.token_hex(4)}"
        folder.mkdir()
        return Project(folder / DATABASE, self.settings, self.parsed)

    def build(self, day: str, *arguments: str, data_tests: bool = False) -> str:
        """Build a day on an empty disk; returns what was printed."""
        finished = self.worker().build(day, *arguments, data_tests=data_tests)
        assert finished.status == 0, finished.output
        return finished.output

    def copy(self) -> "Fleet":
        """Another lake with the same tables. Files of data are never changed, so both can use them."""
        database = f"lake_{secrets.token_hex(6)}"
        self.postgres.execute("postgres", f"create database {database} template {self.database}")
        return Fleet(self.postgres, database, self.folder, self.parsed)

    def attached(self, *, read_only: bool = True) -> duckdb.DuckDBPyConnection:
        """A connection with the lake attached."""
        connection = duckdb.connect()
        found = lake(self.settings)
        assert found
        attach(connection, found, read_only=read_only)
        return connection

    def snapshot(self) -> int:
        """The number of the lake's last snapshot."""
        with self.attached() as connection:
            [(number,)] = connection.execute("select id from lake.current_snapshot()").fetchall()
        return int(number)

    def is_publishing(self) -> bool:
        """Whether a worker holds the lock under which it publishes, beside that of the problems."""
        [(held,)] = self.postgres.execute(
            self.database,
            "select count(*) from pg_locks where locktype = 'advisory' and granted and database ="
            " (select oid from pg_database where datname = current_database())",
        )
        return bool(held > 1)

    def contents(self) -> dict[str, list[tuple[int, int]]]:
        """The rows of each table of the lake, and the sum of their hashes."""
        with self.attached() as connection:
            return {
                name: connection.execute(
                    f"select count(*), sum(hash({', '.join(column for column, _ in columns)})) from lake.{name}"
                ).fetchall()
                for name in names_of(connection, "lake")
                if (columns := columns_of(connection, f"lake.{name}"))
            }

    def differences(self, other: Project) -> list[str]:
        """The tables of the lake that differ from those of a file, row by row."""
        with self.attached() as connection:
            connection.execute(f"attach '{other.database}' as file (read_only)")
            return list(differences(connection, "file", "lake"))


def names_of(connection: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    """The names of the project's tables in a database."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ?"
        " and schema_name in ('bronze', 'silver', 'gold')",
        [database],
    ).fetchall()
    return {f"{schema}.{name}" for schema, name in rows}


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """The names and types of the columns that two builds of the same posts write alike."""
    described = connection.execute(f"describe {table}").fetchall()
    return [(column, kind) for column, kind, *_ in described if column not in DIFFERENT]


def differences(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> Iterator[str]:
    """The names of tables that differ in two databases, or that only one of them has."""
    tables = [names_of(connection, database) for database in (one, other)]
    yield from sorted(tables[0] ^ tables[1])
    for name in sorted(tables[0] & tables[1]):
        columns = columns_of(connection, f"{one}.{name}")
        listed = ", ".join(f"{column}::float[]" if kind.startswith("FLOAT[") else column for column, kind in columns)
        queries = [f"select {listed} from {database}.{name}" for database in (one, other)]
        counts = connection.execute(
            f"select (select count(*) from ({queries[0]} except all {queries[1]})),"
            f" (select count(*) from ({queries[1]} except all {queries[0]}))"
        ).fetchall()
        if counts != [(0, 0)]:
            yield f"{name}: {counts[0]}"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A Postgres for all tests of this module."""
    pytest.importorskip("duckdb_extension_ducklake", reason="DuckLake is not installed: pip install -e '.[lake]'")
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def collected(server: Postgres, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """A lake with the posts of the three days, collected by three workers."""
    fleet = Fleet(server, server.create_database(), tmp_path_factory.mktemp("lake"), shared.parsed)
    for day in DAYS:
        finished = fleet.worker().ingest("--date", day, "--sample")
        assert finished.status == 0, finished.output
    return fleet


@pytest.fixture(scope="module")
def serial(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The three days, built one after the other on one file."""
    return bundled_days(shared, tmp_path_factory.mktemp("serial") / "days")


@pytest.fixture(scope="module")
def alone(collected: Fleet) -> Fleet:
    """A lake with the texts, vectors and topics of the three days, which three workers have made at once."""
    fleet = collected.copy()
    at_once(*(lambda day=day: fleet.build(day, "--selector", "alone") for day in DAYS))
    return fleet


@pytest.fixture(scope="module")
def first_day(alone: Fleet) -> Fleet:
    """The same, and the first day in order."""
    fleet = alone.copy()
    fleet.build(FIRST, "--selector", "in_order")
    return fleet


@pytest.fixture(scope="module")
def before_last(first_day: Fleet) -> Fleet:
    """The same, and all days in order but the last."""
    fleet = first_day.copy()
    for day in DAYS[1:-1]:
        fleet.build(day, "--selector", "in_order")
    return fleet


def at_once(*tasks: Callable[[], str]) -> list[str]:
    """What functions return that run at the same time."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def test_days_built_at_once_and_then_in_order_equal_a_serial_build(before_last: Fleet, serial: Project) -> None:
    fleet = before_last.copy()
    fleet.build(LAST, "--selector", "in_order")
    assert fleet.differences(serial) == []


def move_to_the_past(fleet: Fleet, day: str, days: int) -> None:
    """Move a day of the lake so many days back, in all tables."""
    with fleet.attached(read_only=False) as connection:
        for name in sorted(names_of(connection, "lake")):
            for column, kind, *_ in connection.execute(f"describe lake.{name}").fetchall():
                if kind == "DATE" or column in ("created_at", "posted_at", "window_start", "window_end"):
                    # A window ends with the day, at midnight. No posts are of the next day.
                    connection.execute(
                        f"update lake.{name} set {column} = {column} - interval {days} days"
                        f" where {column}::date between date '{day}' and date '{day}' + 1"
                    )


def test_a_build_pulls_what_it_needs_of_days_before_the_window(before_last: Fleet, tmp_path: Path) -> None:
    fleet, past = before_last.copy(), "2026-09-13"
    move_to_the_past(fleet, FIRST, 60)
    whole, worker = Project(tmp_path / DATABASE, SETTINGS, fleet.parsed), fleet.worker()
    found = lake(fleet.settings)
    assert found
    with duckdb.connect(str(whole.database)) as connection:
        pull(connection, found, Everything())
    # Else the build would need the days before it as a whole, which were built without data tests.
    for project, selection in ((whole, ()), (worker, ("--selector", "in_order"))):
        finished = project.build(LAST, *selection, variables=", publish: false")
        assert finished.status == 0, finished.output
    assert fleet.differences(whole) == []
    counts = "select count(*) from {} where collection_date = date '{}'"
    for name in ("bronze.raw_items", "silver.texts", "silver.documents", "silver.post_lines", "silver.post_signals"):
        query = counts.format(name, past)
        [(pulled,)], [(there,)] = worker.query(query), whole.query(query)
        assert 0 < pulled < there, (name, pulled, there)


def test_a_backfill_by_two_processes_ends_in_the_same_tables(collected: Fleet, serial: Project) -> None:
    fleet = collected.copy()
    command = ("backfill", "--from", FIRST, "--to", LAST, "--workers", "2")
    finished = fleet.worker().run(sys.executable, "-m", "groundswell", *command, POCKETBASE_URL="")
    # Some days between have no posts.
    assert finished.status == 5, finished.output
    # The serial build had no data tests.
    assert fleet.differences(serial) == ["bronze.built_days: (3, 3)"]
    again = fleet.worker().run(sys.executable, "-m", "groundswell", *command, POCKETBASE_URL="")
    assert again.output.count("stays") == 3


def test_of_two_workers_on_one_day_the_second_finds_it_built(
    collected: Fleet, first_day: Fleet, tmp_path: Path
) -> None:
    fleet = collected.copy()
    outputs = at_once(lambda: fleet.build(FIRST, data_tests=True), lambda: fleet.build(FIRST, data_tests=True))
    said = sorted("the lake has all of this already" in output for output in outputs)
    assert said == [False, True], outputs
    # A build of a whole day makes the same tables as its two parts do.
    with fleet.attached() as one, first_day.attached() as other:
        for name in ("silver.embeddings", "silver.problem_assignments", "gold.problems", "gold.issues"):
            columns = [
                column for column, *_ in one.execute(f"describe lake.{name}").fetchall() if column not in DIFFERENT
            ]
            query = f"select {', '.join(columns)} from lake.{name} {'{}'} order by all"
            where = f"where embedding_date = date '{FIRST}'" if name == "silver.embeddings" else ""
            assert one.execute(query.format(where)).fetchall() == other.execute(query.format(where)).fetchall()


def start_build(fleet: Fleet, variables: str, *arguments: str, **settings: str) -> tuple[ForkServerProcess, Path]:
    """Start a build on an empty disk; returns its process, and the file with what it prints."""
    command = (DBT, "build", "--vars", f"{{{variables}}}", *arguments, "--exclude-resource-type", "unit_test", "test")
    return fleet.worker().start(*command, **settings)


def killed_build(fleet: Fleet, wait: float, *, publishing: bool) -> str:
    """Kill a build of the last day after so many seconds, or so long after it begins to publish; says where it was."""
    process, output = start_build(fleet, f"date: {LAST}", "--selector", "in_order")
    while publishing and process.exitcode is None and not fleet.is_publishing():
        process.join(0.01)
    process.join(wait)
    process.kill()
    process.join()
    lines = [line for line in output.read_text().splitlines() if len(line.split()) > 1] if output.exists() else []
    if process.exitcode == 0:
        return "after its end"
    return " ".join(lines[-1].split()[1:])[:70] if lines else "at its start"


def test_a_killed_worker_leaves_all_of_a_day_or_nothing(before_last: Fleet, serial: Project) -> None:
    for number in range(KILLS):
        fleet = before_last.copy()
        before = fleet.snapshot()
        publishing = number % 2 == 0
        where = killed_build(fleet, random.uniform(0, 2.0 if publishing else 15), publishing=publishing)
        written = fleet.snapshot() - before
        log.info("kill %d, publishing: %s; %s; snapshots: %d", number + 1, publishing, where, written)
        assert written in (0, 1)
        fleet.build(LAST, "--selector", "in_order")
        assert fleet.differences(serial) == []


def test_what_a_lost_worker_has_paid_for_is_not_asked_again(first_day: Fleet, loopback: Loopback) -> None:
    fleet, in_flight, enough = first_day.copy(), 2, threading.Semaphore(0)
    with fleet.attached(read_only=False) as connection:
        connection.execute("delete from lake.gold.issue_label_attempts")
        [(topics,)] = connection.execute("select count(*) from lake.gold.label_requests").fetchall()

    def server(request: Request) -> Answer:
        enough.release()
        time.sleep(0.2)
        return honest(request)

    loopback.answer = server
    settings = {"LLM_MODEL": "openai/loopback", "LLM_BASE_URL": f"{loopback.url}/v1", "OPENAI_API_KEY": "unused"}
    variables = f"date: {FIRST}, llm_calls_in_flight: {in_flight}"
    selection = ("--select", "issue_label_attempts", "issue_labels")
    process, _ = start_build(fleet, variables, *selection, **settings)
    for _ in range(6):
        assert enough.acquire(timeout=120), "the build asked too little"
    process.kill()
    process.join()
    process, _ = start_build(fleet, variables, *selection, **settings)
    process.join()
    assert process.exitcode == 0
    assert topics <= len(loopback.requests) <= topics + in_flight
    with fleet.attached() as connection:
        counts = [
            connection.execute(f"select count(*), count(distinct attempt_id) from lake.{name}").fetchall()
            for name in ("bronze.llm_calls", "gold.issue_label_attempts")
        ]
        [(left,)] = connection.execute("select count(*) from lake.gold.issue_label_attempts__journal").fetchall()
    calls = len(loopback.requests)
    assert counts == [[(calls, calls)], [(calls, calls)]]
    assert left == 0


def test_what_is_forgotten_is_gone_from_the_lake(server: Postgres, shared: Shared, tmp_path: Path) -> None:
    fleet = Fleet(server, server.create_database(), tmp_path, shared.parsed)
    collected = fleet.worker().ingest("--date", FIRST, "--sample")
    assert collected.status == 0
    assert "Collected into the lake" in collected.output
    with fleet.attached() as connection:
        [(url,)] = connection.execute("select url from lake.bronze.raw_items limit 1").fetchall()
    files = set((tmp_path / "data").rglob("*.parquet"))
    forgotten = fleet.worker().ingest("forget", "--url", url)
    assert forgotten.status == 0, forgotten.output
    assert not {file for file in files if "raw_items" in file.parts and file.exists()}
    with fleet.attached() as connection:
        assert connection.execute("select 1 from lake.bronze.raw_items where url = ?", [url]).fetchall() == []
    assert fleet.worker().ingest("--date", FIRST, "--sample").status == 0
    with fleet.attached() as connection:
        assert connection.execute("select 1 from lake.bronze.raw_items where url = ?", [url]).fetchall() == []


def test_a_failed_test_keeps_a_build_out_of_the_lake(collected: Fleet) -> None:
    fleet = collected.copy()
    selection = ("--select", "control_posts", "no_nulls_in_bronze_ingest_requests")
    with fleet.attached(read_only=False) as connection:
        connection.execute("insert into lake.bronze.ingest_requests (request_id) values (1)")
    before = fleet.snapshot()
    failed = fleet.worker().build(FIRST, *selection)
    assert failed.status == 1
    [said] = [line for line in failed.output.splitlines() if f"Nothing of {FIRST} is published to the lake" in line]
    assert "no_nulls_in_bronze_ingest_requests" in said
    assert fleet.snapshot() == before


def test_a_lake_that_is_away_is_one_line(collected: Fleet) -> None:
    worker = collected.worker()
    worker.settings["GROUNDSWELL_LAKE"] = "ducklake:postgres:dbname=lake host=127.0.0.1 port=1 user=nobody"
    worker.settings["POCKETBASE_URL"] = "http://127.0.0.1:1"
    for finished in (
        worker.ingest("--date", FIRST, "--sample"),
        worker.build(FIRST),
        worker.run(sys.executable, "-m", "sync", "--date", FIRST),
    ):
        assert finished.status != 0
        assert "the lake's Postgres 127.0.0.1:1/lake can not be used" in finished.output
        assert "Traceback" not in finished.output


def test_without_a_lake_nothing_of_it_is_imported() -> None:
    program = (
        "import ingest.__main__, sync.__main__, sync.plugin, groundswell.__main__, groundswell.llm.ledger, sys;"
        " print([name for name in sys.modules if name.split('.')[0] in ('psycopg', 'duckdb_extension_ducklake')"
        " or name in ('groundswell.lake.address', 'groundswell.lake.build', 'groundswell.lake.work')])"
    )
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


def test_a_file_with_data_of_its_own_is_not_replaced(collected: Fleet) -> None:
    worker = collected.worker()
    with duckdb.connect(str(worker.database)) as connection:
        connection.execute("create schema bronze; create table bronze.raw_items as select 1 as mine")
    finished = worker.build(FIRST)
    assert finished.status != 0
    assert "holds tables of its own" in finished.output
    assert worker.query("from bronze.raw_items") == [(1,)]
