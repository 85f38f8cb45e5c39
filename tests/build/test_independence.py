"""Issues and problems are two products: what keeps one back leaves the other built and published."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.project import DAY, Project, Server, free_address, serve


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A PocketBase that holds nothing yet."""
    with serve(tmp_path / "pb", free_address(), secrets.token_hex()) as server:
        yield server


@pytest.fixture
def unpublished(built: Project, tmp_path: Path, server: Server) -> Project:
    """The built sample day, not published anywhere."""
    copy = built.copy_to(tmp_path)
    copy.settings.update(server.settings)
    copy.query("delete from gold.live_issues")
    copy.query("delete from gold.live_problems")
    return copy


def published(server: Server) -> dict[str, int]:
    """How many issues and problems the server holds."""
    return {
        collection: httpx.get(f"{server.url}/api/collections/{collection}/records").json()["totalItems"]
        for collection in ("issues", "problems")
    }


# A row of another day that a data test finds, the test, what is kept back and what is published.
FAULTS = [
    (
        "insert into silver.clusters by name"
        " select * replace (date '2020-01-01' as cluster_date, 5 as confidence) from silver.clusters limit 1",
        "between_clusters_confidence",
        "issues",
        "problems",
    ),
    (
        "insert into silver.problem_assignments by name"
        " select * replace (date '2020-01-01' as as_of_date, null as voice) from silver.problem_assignments limit 1",
        "not_null_problem_assignments_voice",
        "problems",
        "issues",
    ),
]


@pytest.mark.parametrize(("fault", "test", "kept_back", "goes_on"), FAULTS)
def test_a_failed_test_of_one_leaves_the_other_published(
    unpublished: Project, server: Server, fault: str, test: str, kept_back: str, goes_on: str
) -> None:
    unpublished.query(fault)
    finished = unpublished.build(DAY)
    assert finished.status == 1
    assert f"Not published: the {kept_back} of {DAY}, since these failed: {test}" in finished.output
    [(expected,)] = unpublished.query(f"select count(*) from gold.{goes_on}")
    assert expected > 0
    assert published(server) == {kept_back: 0, goes_on: expected}
