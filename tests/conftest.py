"""Fixtures of all tests: an empty project, the built sample day, a real PocketBase, a loopback HTTP server."""

import os
import secrets
import sys
from collections.abc import Generator, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.support import forked
from tests.support.lake import Bucket, Postgres, postgres, s3
from tests.support.loopback import Loopback
from tests.support.project import DATABASE, DAY, DBT, ROOT, SAMPLE, Project, Server, free_address, serve_folder
from tests.support.shared import Shared

# What a developer collects (ingest/sources.local.yml) and watches (watchlist.yml) must not reach the tests.
os.environ["INGEST_SOURCES"] = str(ROOT / "ingest" / "sources.yml")
os.environ["GROUNDSWELL_WATCHLIST"] = str(ROOT / "tests" / "support" / "watchlist.yml")
# And the tests must not reach a developer's lake.
os.environ.pop("GROUNDSWELL_LAKE", None)

# The tests start hundreds of processes, which compile the project's modules once, whatever a developer's shell says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


# The folders of long tests, and the number of short tests that take as long as a build of the sample day.
LONG = ("build", "board")
MEANWHILE = 150


def pytest_xdist_auto_num_workers() -> int:
    """A worker more than cores: some tests wait for a server or a clock."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    """Let all workers of pytest-xdist share one server that runs commands."""
    if hasattr(config, "workerinput"):
        forked.join_server()
    elif config.getoption("tx", None) and not config.option.collectonly:
        forked.share_server()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each worker begin with tests that build something: they are long, and none may be left for the end.

    pytest-xdist gives each worker an equal part of the list; a worker without tests takes over the end of another's
    part. The first worker builds the sample day at once. The others do something short meanwhile.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # pytest-randomly keeps the tests of a module together, and so does this: they share fixtures.
    modules = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    # Modules of few tests hold the longest ones.
    long = sorted((tests for tests in modules if tests[0].path.parent.name in LONG), key=len)
    short = [test for tests in modules if tests not in long for test in tests]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        part = [test for tests in long[worker::workers] for test in tests]
        if worker:
            part = [*short[:MEANWHILE], *part]
            del short[:MEANWHILE]
        else:
            part.sort(key=lambda item: "sample_day" not in getattr(item, "fixturenames", ()))
        size = (len(items) - len(ordered)) // (workers - worker)
        missing = max(0, size - len(part))
        ordered += [*part, *short[:missing]]
        del short[:missing]
    items[:] = ordered


def in_utf8(value: Any) -> Any:
    """A part of a report with a question mark for each half of a surrogate pair."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {key: in_utf8(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(in_utf8(each) for each in value)
        case _:
            return value


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a worker report whatever it captured. LiteLLM logs the halves that tests give it.

    pytest-xdist sends UTF-8 only, and ends the whole run at anything else.
    """
    return in_utf8((yield))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """What all workers share."""
    base = tmp_path_factory.getbasetemp()
    # pytest-xdist gives each worker a folder in the one of the session.
    return Shared((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared")


@pytest.fixture
def project(tmp_path: Path, shared: Shared) -> Project:
    """The project on an empty database."""
    return Project(tmp_path / DATABASE, parsed=shared.parsed)


def build_sample_day(folder: Path) -> None:
    """Build and push the sample day with the commands that a user types, each in a new interpreter."""
    (folder / "password").write_text(secrets.token_hex())
    with serve_folder(folder) as server:
        project = Project(folder / DATABASE, server.settings)
        # Without the selection dbt would leave out the unit tests.
        build = (DBT, "build", "--select", "*", "--vars", f"date: {DAY}")
        for finished in (project.ingest("--date", DAY, "--replay", str(SAMPLE)), project.run(*build)):
            assert finished.status == 0, finished.output


@pytest.fixture(scope="session")
def sample_day(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of the sample day, and with the data and the password of the PocketBase it is in."""
    return shared.copy("sample_day", build_sample_day, tmp_path_factory.mktemp("built") / "sample_day")


def start_once(folder: Path) -> None:
    """Let a PocketBase make its collections, which takes it half a second."""
    (folder / "password").write_text(secrets.token_hex())
    with serve_folder(folder):
        pass


@pytest.fixture
def empty_board(shared: Shared, tmp_path: Path) -> Path:
    """A folder with the data and the password of a PocketBase that has its collections and no records."""
    return shared.copy("empty_board", start_once, tmp_path / "board")


@pytest.fixture(scope="session")
def pocketbase(sample_day: Path) -> Iterator[Server]:
    """A PocketBase for the whole session; it holds the sample day."""
    with serve_folder(sample_day) as server:
        yield server


@pytest.fixture(scope="session")
def built(sample_day: Path, pocketbase: Server, shared: Shared) -> Project:
    """The sample day, built and pushed; read only."""
    return Project(sample_day / DATABASE, pocketbase.settings, shared.parsed)


@pytest.fixture(scope="session")
def loopback_port() -> int:
    """A port for the loopback server of every test.

    A language model's address is part of the parsed project: while it stays the same, the project is parsed once.
    """
    return int(free_address().rpartition(":")[2])


@pytest.fixture
def loopback(loopback_port: int) -> Iterator[Loopback]:
    """An HTTP server that answers as a test tells it to, and keeps the requests."""
    with Loopback(loopback_port) as server:
        yield server


@pytest.fixture(scope="session")
def lake_postgres() -> Iterator[Postgres]:
    """A Postgres for the catalogs of lakes."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def lake_bucket() -> Iterator[Bucket]:
    """A bucket of an S3 server for the data of lakes: each test takes a prefix of its own."""
    with s3() as bucket:
        yield bucket


@pytest.fixture
def lake_settings(lake_postgres: Postgres, tmp_path: Path) -> dict[str, str]:
    """The environment of a worker, with a lake that does not exist yet: an empty database and an empty folder."""
    data = tmp_path / "lake"
    data.mkdir()
    return lake_postgres.settings(data)
