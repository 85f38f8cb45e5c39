"""models/silver/cluster_assignments.py: clusters of unit vectors."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from tests.models import load

clustering: Any = load("silver/cluster_assignments")
JOIN = 0.3


def blobs(count: int, centres: int, seed: int = 1, spread: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (count, 384) around random centres, and the number of each one's centre."""
    random = np.random.default_rng(seed)
    middles = random.normal(size=(centres, 384))
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    truth = random.integers(centres, size=count)
    vectors = middles[truth] + spread * random.normal(size=(count, 384))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


@pytest.mark.parametrize(
    ("items", "clusters"), [(1, 1), (3, 3), (10, 10), (250, 10), (1_000, 10), (1_250, 12), (2_000, 20)]
)
def test_the_rule_for_k(items: int, clusters: int) -> None:
    vectors, _ = blobs(items, 50)
    assert clustering.number_of_clusters(vectors) == clusters


@pytest.mark.parametrize("different", [1, 2, 5])
@pytest.mark.filterwarnings("error")
def test_no_more_clusters_than_different_vectors(different: int) -> None:
    vectors = np.repeat(blobs(different, different)[0], 30, axis=0)
    labels = clustering.cluster_day(vectors)
    assert set(labels) == set(range(1, different + 1))
    assert all(len(set(labels[start : start + 30])) == 1 for start in range(0, len(labels), 30))


def test_clusters_are_found_and_numbered_by_size() -> None:
    vectors, truth = blobs(600, 10)
    labels = clustering.cluster_day(vectors)
    assert adjusted_mutual_info_score(truth, labels) > 0.99
    sizes = np.bincount(labels)[1:]
    assert list(sizes) == sorted(sizes, reverse=True)


def test_the_same_items_give_the_same_clusters() -> None:
    vectors, _ = blobs(500, 30, spread=0.1)
    assert (clustering.cluster_day(vectors) == clustering.cluster_day(vectors.copy())).all()


def test_late_items_join_the_nearest_cluster_or_found_new_ones() -> None:
    vectors, truth = blobs(400, 12)
    known, late = truth < 10, truth >= 10
    known_labels = clustering.cluster_day(vectors[known])
    near, far = vectors[known][:20], vectors[late]
    labels = clustering.place(np.vstack([near, far]), vectors[known], known_labels, JOIN)
    assert (labels[:20] == known_labels[:20]).all()
    assert set(labels[20:]) == {known_labels.max() + 1, known_labels.max() + 2}
    assert adjusted_mutual_info_score(truth[late], labels[20:]) == 1


def test_one_late_item_far_from_everything() -> None:
    vectors, _ = blobs(50, 10)
    labels = clustering.cluster_day(vectors)
    stranger = np.zeros((1, 384), dtype=np.float32)
    stranger[0, 0] = 1
    assert clustering.place(stranger, vectors, labels, JOIN) == [labels.max() + 1]


def test_similarity_to_the_centroid() -> None:
    vectors = np.eye(4, 384, dtype=np.float32)
    similarities = clustering.similarity_to_centroid(vectors, np.array([1, 1, 2, 3]))
    assert similarities == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 1, 1])
