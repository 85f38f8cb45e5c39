"""groundswell/neighbours.py: the nearest neighbours, pair by pair and with an index."""

import numpy as np
import numpy.typing as npt
import pytest

from groundswell import neighbours
from groundswell.grouping.links import nearest_pairs

Vectors = npt.NDArray[np.float32]

COUNT, NEAREST = 1_500, 25


def crowd(count: int, seed: int) -> Vectors:
    """Vectors (n, 384) around a tenth as many centres, as posts about the same matters have them."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(count // 10, 384))
    vectors = centres[chance.integers(len(centres), size=count)] + 0.6 * chance.normal(size=(count, 384))
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def recall(found: neighbours.Neighbours, vectors: Vectors) -> float:
    """The share of the nearest neighbours that were found; of equally near ones, any count."""
    farthest = neighbours.exact(vectors, NEAREST).similarity[:, -1:]
    return float((found.similarity >= farthest - 1e-6).mean())


@pytest.fixture
def faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss", reason="faiss is not installed: pip install -e '.[large]'")
    monkeypatch.setattr(neighbours, "EXACT", 0)


@pytest.mark.usefixtures("faiss")
def test_the_index_finds_the_nearest() -> None:
    vectors = crowd(COUNT, 1)
    found = neighbours.nearest(vectors, NEAREST)
    assert recall(found, vectors) >= 0.98
    rows = np.arange(COUNT)[:, None]
    assert (found.nodes != rows).all()
    assert found.similarity == pytest.approx((vectors[rows] * vectors[found.nodes]).sum(axis=2), abs=1e-6)
    assert (np.diff(found.similarity, axis=1) <= 1e-6).all()


@pytest.mark.usefixtures("faiss")
def test_copies_do_not_hide_others() -> None:
    # A fifth of the posts are copies: 15 texts, 20 times each.
    vectors = crowd(COUNT, 2)
    vectors[-300:] = np.repeat(vectors[:15], 20, axis=0)
    vectors = np.random.default_rng(3).permutation(vectors)
    found = neighbours.nearest(vectors, NEAREST)
    assert recall(found, vectors) >= 0.98
    assert (found.nodes != np.arange(COUNT)[:, None]).all()
    assert all(len(set(row)) == NEAREST for row in found.nodes.tolist())


@pytest.mark.usefixtures("faiss")
@pytest.mark.parametrize(("count", "nearest"), [(2, 1), (5, 4), (60, 25)])
def test_a_text_of_which_all_are_copies(count: int, nearest: int) -> None:
    found = neighbours.nearest(np.repeat(crowd(10, 1)[:1], count, axis=0), NEAREST)
    assert (found.nodes >= 0).sum(axis=1).tolist() == [nearest] * count
    assert (found.similarity[found.nodes < 0] == 0).all()


@pytest.mark.usefixtures("faiss")
def test_the_number_of_threads_changes_nothing() -> None:
    import faiss

    vectors, threads = crowd(COUNT, 4), faiss.omp_get_max_threads()
    found = []
    for each in (1, 3):
        faiss.omp_set_num_threads(each)
        found.append(neighbours.nearest(vectors, NEAREST))
    faiss.omp_set_num_threads(threads)
    for one, other in zip(*found, strict=True):
        assert (one == other).all()


@pytest.mark.usefixtures("faiss")
def test_the_links_are_those_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = crowd(COUNT, 5)
    links = nearest_pairs(vectors)
    monkeypatch.setattr(neighbours, "EXACT", COUNT)
    expected = nearest_pairs(vectors)
    keys = [set(zip(each.a.tolist(), each.b.tolist(), strict=True)) for each in (links, expected)]
    assert len(keys[1]) > COUNT
    assert len(keys[0] & keys[1]) >= 0.98 * len(keys[1])
    assert len(keys[0] - keys[1]) <= 0.02 * len(keys[1])


def test_without_the_index_all_pairs_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = crowd(300, 6)
    expected = neighbours.nearest(vectors, NEAREST)
    monkeypatch.setattr(neighbours, "EXACT", 0)
    monkeypatch.setattr(neighbours, "has_index", lambda: False)
    warnings: list[str] = []
    monkeypatch.setattr(neighbours.log, "warning", warnings.append)
    found = neighbours.nearest(vectors, NEAREST)
    assert (found.nodes == expected.nodes).all()
    [warning] = warnings
    assert "300 complaints" in warning
    assert "pip install -c constraints.txt -e '.[large]'" in warning
    assert not neighbours.is_large(300)
