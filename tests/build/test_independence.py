"""Issues and problems are two products: what keeps one back leaves the other built and published."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.project import DAY, Project, Server, serve_folder


@pytest.fixture
def server(empty_board: Path) -> Iterator[Server]:
    """A PocketBase that holds nothing yet."""
    with serve_folder(empty_board) as server:
        yield server


@pytest.fixture
def unpublished(built: Project, tmp_path: Path, server: Server) -> Project:
    """The built sample day, not published anywhere."""
    copy = built.copy_to(tmp_path)
    copy.settings.update(server.settings)
    copy.query("delete from gold.live_issues")
    copy.query("delete from gold.live_problems")
    copy.query("delete from gold.live_themes")
    return copy


def published(server: Server) -> dict[str, int]:
    """How many issues, problems and themes the server holds."""
    return {
        collection: httpx.get(f"{server.url}/api/collections/{collection}/records").json()["totalItems"]
        for collection in ("issues", "problems", "themes")
    }


# A row of another day that a data test finds, the test, and what is kept back. The rest is published.
FAULTS = [
    (
        "insert into silver.clusters by name"
        " select * replace (date '2020-01-01' as cluster_date, 5 as confidence) from silver.clusters limit 1",
        "between_clusters_confidence",
        ["issues"],
    ),
    (
        "insert into silver.problem_assignments by name"
        " select * replace (date '2020-01-01' as as_of_date, null as voice) from silver.problem_assignments limit 1",
        "no_nulls_in_problem_assignments",
        ["problems", "themes"],
    ),
    (
        "insert into silver.theme_assignments by name"
        " select * replace (date '2020-01-01' as as_of_date, null as voice) from silver.theme_assignments limit 1",
        "no_nulls_in_theme_assignments",
        ["themes"],
    ),
]


@pytest.mark.parametrize(("fault", "test", "kept_back"), FAULTS)
def test_a_failed_test_of_one_leaves_the_others_published(
    unpublished: Project, server: Server, fault: str, test: str, kept_back: list[str]
) -> None:
    unpublished.query(fault)
    finished = unpublished.build(DAY)
    assert finished.status == 1
    named = " and the ".join(kept_back)
    assert f"Not published: the {named} of {DAY}, since these failed: {test}" in finished.output
    for collection, count in published(server).items():
        [(expected,)] = unpublished.query(f"select count(*) from gold.{collection}")
        assert expected > 0, collection
        assert count == (0 if collection in kept_back else expected), collection


def test_one_fault_holds_one_row_back(unpublished: Project, server: Server) -> None:
    for attempts, row in (("gold.problem_label_attempts", "problems"), ("gold.issue_label_attempts", "issues")):
        unpublished.query(
            f"""
            update {attempts} set description = ' '
            where attempt_id = (
                select min(attempt_id) from {attempts} inner join gold.{row} using (description)
            )
            """
        )
    finished = unpublished.build(DAY)
    assert finished.status == 1
    assert "Held back: the problem " in finished.output
    assert "Held back: the issue " in finished.output
    assert "the description is blank" in finished.output
    assert "Not published" not in finished.output
    counts = published(server)
    for collection, held_back in (("issues", 1), ("problems", 1), ("themes", 0)):
        [(expected,)] = unpublished.query(f"select count(*) from gold.{collection}")
        assert counts[collection] == expected - held_back, collection
