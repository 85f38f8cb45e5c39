"""Pairs for a language model, and what its verdicts do: silver.unsure_pairs and groundswell.verdicts."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from groundswell.linkage import average_linkage
from groundswell.pairs import Candidates
from groundswell.vectors import from_vectors
from groundswell.verdicts import NO_VERDICTS, VERDICT, Verdicts, updated_chances, verdicts_of, with_verdicts
from tests.support.models import load
from tests.support.project import pair_weights

unsure_pairs: Any = load("unsure_pairs")
DAY = date(2026, 11, 20)
BEFORE = date(2026, 11, 19)


def candidates_of(*pairs: tuple[int, int], similarity: float = 0.5) -> Candidates:
    """Candidates a < b, sorted; all have this similarity."""
    a, b = np.array(sorted(pairs), np.int64).T
    return Candidates(a, b, np.full((len(a), 11), similarity))


def test_the_forest_takes_the_surest_pair_between_any_two_groups() -> None:
    found = candidates_of((0, 1), (0, 2), (1, 2), (2, 3), (1, 3), (4, 5))
    chance = {(0, 1): 0.9, (0, 2): 0.2, (1, 2): 0.3, (1, 3): 0.12, (2, 3): 0.1, (4, 5): 1.0}
    pairs = list(zip(found.a.tolist(), found.b.tolist(), strict=True))
    forest = unsure_pairs.spanning_forest(found, np.array([chance[pair] for pair in pairs]), 6)
    assert [pairs[index] for index in forest] == [(0, 1), (1, 2), (1, 3), (4, 5)]


def complaints(dates: list[date], cosine: float = 0.6, weak: int = 0) -> pa.Table:
    """Complaints that have a word in common, with vectors of this cosine; the first ones are weak."""
    count = len(dates)
    own = np.eye(64, dtype=np.float32)[1 : count + 1]
    vectors = own * np.sqrt(1 - cosine) + np.eye(64, dtype=np.float32)[0] * np.sqrt(cosine)
    texts = [f"login fails word{number} thing{number}" for number in range(count)]
    return pa.table(
        {
            "url_hash": [f"u{number}" for number in range(count)],
            "text": texts,
            "title": texts,
            "frame": [""] * count,
            "differing_words": [""] * count,
            "complains": [number >= weak for number in range(count)],
            "collection_date": dates,
            "embedding": from_vectors(vectors.astype(np.float32)),
            "title_embedding": from_vectors(vectors.astype(np.float32)),
        }
    )


def asked(table: pa.Table, monkeypatch: pytest.MonkeyPatch, chance: float = 0.2) -> list[dict[str, Any]]:
    """The pairs that are asked about if all pairs have this chance."""
    monkeypatch.setattr(unsure_pairs, "possible_chances", lambda found, _, __: np.full(len(found.a), chance))
    found = unsure_pairs.rows_of_day(table, str(DAY), pair_weights(), 0.7)
    assert found.schema == unsure_pairs.SCHEMA
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def test_one_post_of_a_pair_is_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    days = [BEFORE, BEFORE, BEFORE, DAY, DAY]
    pairs = asked(complaints(days), monkeypatch)
    # The forest has four pairs; those of the day before were asked about then.
    assert 1 < len(pairs) < 5
    assert all({"u3", "u4"} & {pair["url_hash"], pair["other_url_hash"]} for pair in pairs)
    assert {pair["as_of_date"] for pair in pairs} == {DAY}
    assert len(asked(complaints([DAY] * 5), monkeypatch)) == 4
    assert asked(complaints([BEFORE] * 5), monkeypatch) == []


@pytest.mark.parametrize(("chance", "count"), [(0.07, 0), (0.08, 4), (0.59, 4), (0.6, 0)])
def test_only_unsure_pairs_are_asked_about(chance: float, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(asked(complaints([DAY] * 5), monkeypatch, chance)) == count


@pytest.mark.parametrize(("cosine", "count"), [(0.6, 13), (0.8, 0)])
def test_nobody_is_asked_about_dense_ground(cosine: float, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(asked(complaints([DAY] * 14, cosine), monkeypatch)) == count


def test_dense_ground_takes_no_place_in_the_forest() -> None:
    # Posts 0 to 10 are dense ground; 11 and 12 are surest with one of them, and unsure with each other.
    crowd = [(one, other) for one in range(11) for other in range(one + 1, 11)]
    found = candidates_of(*crowd, (0, 11), (0, 12), (11, 12))
    similarity = np.where(found.b <= 10, 0.8, 0.5)
    found = found._replace(features=np.tile(similarity[:, None], 11))
    chance = np.where((found.a == 11) & (found.b == 12), 0.3, 0.9)
    asked_about = unsure_pairs.unsure_candidates(found, chance, 13, 0.7)
    assert [(found.a[index], found.b[index]) for index in asked_about] == [(11, 12)]


def test_nobody_is_asked_about_two_weak_complaints(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = asked(complaints([DAY] * 5, weak=3), monkeypatch)
    assert len(pairs) == 4
    assert all({"u3", "u4"} & {pair["url_hash"], pair["other_url_hash"]} for pair in pairs)
    assert asked(complaints([DAY] * 5, weak=5), monkeypatch) == []


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_complaints_are_no_pair(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(complaints([DAY]).slice(0, count), monkeypatch) == []


# -- Verdicts.


def test_verdicts_are_of_texts_that_are_there() -> None:
    opinions = {("a", "b"): True, ("b", "x"): True, ("a", "c"): False}
    verdicts = verdicts_of(["c", "b", "b", "a"], opinions, 0.9)
    # The first post with a text stands for it.
    assert list(zip(verdicts.a.tolist(), verdicts.b.tolist(), verdicts.is_same.tolist(), strict=True)) == [
        (0, 3, False),
        (1, 3, True),
    ]
    assert verdicts.accuracy == 0.9
    assert verdicts_of(["x"], opinions, 0.9) is NO_VERDICTS


def test_a_chance_is_updated_by_bayes_rule() -> None:
    found = candidates_of((0, 1), (0, 2), (1, 2))
    verdicts = Verdicts(np.array([0, 1, 1]), np.array([2, 2, 3]), np.array([True, False, True]), 0.875)
    chance = np.array([0.3, 0.2, 0.2])
    updated = updated_chances(found, chance, verdicts, 4)
    assert updated == pytest.approx([0.3, 0.25 * 7 / (1 + 0.25 * 7), 0.25 / 7 / (1 + 0.25 / 7)])
    assert chance.tolist() == [0.3, 0.2, 0.2]
    assert updated_chances(found, chance, NO_VERDICTS, 4).tolist() == chance.tolist()
    nothing = Candidates(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 11)))
    assert updated_chances(nothing, np.empty(0), verdicts, 4).tolist() == []


@pytest.mark.parametrize(("said", "groups"), [([True], 1), ([False], 2), ([True, True], 1), ([False, False], 2)])
def test_a_verdict_outweighs_the_chances_between_two_groups(said: list[bool], groups: int) -> None:
    # Two groups of three, each sure of itself; all pairs between them have half of the chance that joins.
    inside = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
    between = [(one, other) for one in range(3) for other in range(3, 6)]
    found = candidates_of(*inside, *between)
    chance = np.where((found.a < 3) & (found.b >= 3), 0.1, 0.9)
    ends = np.array(between[: len(said)], np.int64)
    verdicts = Verdicts(ends[:, 0], ends[:, 1], np.array(said), 0.9)
    group = average_linkage(*with_verdicts(found, chance, verdicts), np.arange(6), 0.2)
    assert len(np.unique(group)) == groups
    assert VERDICT / 0.17 > 7 * 8
