"""models/silver/problems/near_complaints.py: near complaints and their groups, from texts made by hand."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.pairs import Candidates
from groundswell.vectors import from_vectors
from tests.support.models import load
from tests.support.project import least_chance, pair_weights

near_complaints: Any = load("near_complaints")
WEIGHTS = pair_weights()
DAY = "2026-11-20"


def complaints(
    texts: list[str],
    axes: list[int],
    alone: list[bool] | None = None,
    frames: list[str] | None = None,
    complains: list[bool] | None = None,
) -> pa.Table:
    """Complaints as the query gives them: texts with the same axis have a cosine of 0.95, others of about 0."""
    noise = np.eye(64, dtype=np.float32)[[40 + number for number in range(len(texts))]]
    vectors = np.eye(64, dtype=np.float32)[axes] * np.sqrt(0.95) + noise * np.sqrt(0.05)
    return pa.table(
        {
            "url_hash": [f"u{number}" for number in range(len(texts))],
            "content_hash": [f"u{number}" for number in range(len(texts))],
            "voice": [f"v{number}" for number in range(len(texts))],
            "is_alone": alone or [True] * len(texts),
            "text": texts,
            "title": texts,
            "frame": frames or [""] * len(texts),
            "differing_words": [""] * len(texts),
            "complains": complains or [True] * len(texts),
            "embedding": from_vectors(vectors.astype(np.float32)),
            "title_embedding": from_vectors(vectors.astype(np.float32)),
        }
    )


def rows(table: pa.Table, near: float = 0.5, loose: float | None = None) -> dict[str, dict[str, Any]]:
    loose = least_chance("emerging") if loose is None else loose
    found = near_complaints.rows_of_day(table, DAY, WEIGHTS, near, loose)
    assert found.schema == near_complaints.SCHEMA
    return {row["url_hash"]: row for row in found.to_pylist()}


LOGIN = ["login timed out, work lost", "lost work as login timed out", "login timed out and work was lost"]
OTHERS = [f"matter{number} hurts place{number} much{number}" for number in range(12)]


def test_near_complaints_are_grouped() -> None:
    found = rows(complaints(LOGIN + OTHERS, [0, 0, 0, *range(1, 13)]))
    assert {name: row["group_hash"] for name, row in found.items()} == {"u0": "u0", "u1": "u0", "u2": "u0"}
    assert [row["near_posts"] for row in found.values()] == [2, 2, 2]
    assert all(0.5 <= row["chance"] <= 1 for row in found.values())
    assert {row["voice"] for row in found.values()} == {"v0", "v1", "v2"}


def test_what_a_program_wrote_is_near_to_no_person() -> None:
    found = rows(complaints(LOGIN + OTHERS, [0, 0, 0, *range(1, 13)], frames=["crash <*>", *[""] * 14]))
    assert {name: row["group_hash"] for name, row in found.items()} == {"u1": "u1", "u2": "u1"}


def test_weak_complaints_are_in_groups_but_near_to_none() -> None:
    found = rows(complaints(LOGIN + OTHERS, [0, 0, 0, *range(1, 13)], complains=[False, *[True] * 14]))
    assert {row["group_hash"] for row in found.values()} == {"u0"}
    assert [row["near_posts"] for row in found.values()] == [0, 1, 1]


def test_a_group_is_looser_than_what_is_near() -> None:
    found = rows(complaints(LOGIN + OTHERS, [0, 0, 0, *range(1, 13)]), near=1.0)
    assert {row["group_hash"] for row in found.values()} == {"u0"}
    assert [row["near_posts"] for row in found.values()] == [0, 0, 0]


def test_the_posts_of_problems_are_near_but_in_no_group() -> None:
    found = rows(complaints(LOGIN + OTHERS, [0, 0, 0, *range(1, 13)], [False, True, True, *[True] * 12]))
    assert {name: row["group_hash"] for name, row in found.items()} == {"u0": None, "u1": "u1", "u2": "u1"}
    assert found["u0"]["chance"] is None
    assert [row["near_posts"] for row in found.values()] == [2, 2, 2]


def test_complaints_that_resemble_nothing_have_no_row() -> None:
    assert rows(complaints(OTHERS, list(range(12)))) == {}


@pytest.mark.parametrize("number", [0, 1])
def test_fewer_than_two_complaints(number: int) -> None:
    assert rows(complaints(LOGIN[:1], [0]).slice(0, number)) == {}


def test_pairs_that_are_no_candidates_have_no_chance() -> None:
    # Three posts in a group, of which two pairs are candidates; one pair leads out of it.
    found = Candidates(np.array([0, 1, 2]), np.array([1, 2, 3]), np.empty((3, 0)))
    size, means = near_complaints.pair_means(np.array([0, 0, 0, 1]), found, np.array([0.9, 0.6, 0.8]))
    assert size.tolist() == [3, 3, 3, 1]
    assert means == pytest.approx([0.5, 0.5, 0.5, 0])


@pytest.mark.parametrize("is_same", [True, False])
def test_what_a_language_model_says_joins_and_parts_groups(is_same: bool) -> None:
    table = complaints(LOGIN + OTHERS, [0, 0, 0, *range(1, 13)])
    pair = ("u0", "u5") if is_same else ("u0", "u1")
    loose = least_chance("emerging")
    found = near_complaints.rows_of_day(table, DAY, WEIGHTS, 0.5, loose, {pair: is_same}, 0.9).to_pylist()
    groups = {row["url_hash"]: row["group_hash"] for row in found}
    assert (groups[pair[0]] == groups[pair[1]]) == is_same
