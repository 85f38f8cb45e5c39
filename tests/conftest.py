"""Fixtures of all tests: an empty project, the built sample day, a real PocketBase, a loopback HTTP server."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loopback import Loopback
from tests.support.project import DAY, SAMPLE, Project, Server, free_address, serve


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The project on an empty database."""
    return Project(tmp_path / "test.duckdb")


@pytest.fixture(scope="session")
def pocketbase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PocketBase for the whole session."""
    with serve(tmp_path_factory.mktemp("pb"), free_address(), secrets.token_hex()) as server:
        yield server


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, pocketbase: Server) -> Project:
    """The sample day, built and pushed; read only."""
    project = Project(tmp_path_factory.mktemp("built") / "sample.duckdb", pocketbase.settings)
    for finished in (project.ingest("--date", DAY, "--replay", str(SAMPLE)), project.build()):
        assert finished.status == 0, finished.output
    return project


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """An HTTP server that answers as a test tells it to, and remembers what it was asked."""
    with Loopback() as server:
        yield server
