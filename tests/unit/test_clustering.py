"""models/silver/cluster_assignments.py: clusters of unit vectors."""

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from benchmarks import clusters as quality
from tests.support.models import load

clustering: Any = load("cluster_assignments")
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
    assert clustering.number_of_clusters(items, items) == clusters


@pytest.mark.parametrize("different", [1, 2, 5, 10])
def test_no_more_clusters_than_different_vectors(different: int) -> None:
    vectors = np.repeat(blobs(different, different)[0], 30, axis=0)
    labels = clustering.cluster_day(vectors)
    assert set(labels) == set(range(1, different + 1))
    assert all(len(set(labels[start : start + 30])) == 1 for start in range(0, len(labels), 30))


def test_equal_vectors_share_a_cluster() -> None:
    vectors, _ = blobs(300, 60)
    labels = clustering.cluster_day(np.repeat(vectors, 3, axis=0)).reshape(300, 3)
    assert (labels == labels[:, :1]).all()
    assert labels.max() <= clustering.MIN_CLUSTERS


def test_clusters_are_found_and_numbered_by_size() -> None:
    vectors, truth = blobs(600, 10)
    labels = clustering.cluster_day(vectors)
    assert adjusted_mutual_info_score(truth, labels) > 0.99
    sizes = np.bincount(labels)[1:]
    assert list(sizes) == sorted(sizes, reverse=True)


def test_parts_of_a_large_day_are_clustered_one_by_one() -> None:
    vectors, truth = blobs(2_000, 20)
    weights = np.ones(len(vectors))
    labels = clustering.cluster_distinct(vectors, weights, 20, whole=600, part=200)
    assert adjusted_mutual_info_score(truth, labels) > 0.9
    assert 15 <= len(set(labels)) <= 25
    # The numbers of two parts do not overlap.
    assert set(labels) == set(range(len(set(labels))))
    whole = clustering.cluster_distinct(vectors, weights, 20, whole=2_000)
    assert (whole == clustering.k_means(vectors, weights, 20)).all()


def test_the_same_items_give_the_same_clusters() -> None:
    vectors, _ = blobs(500, 30, spread=0.1)
    assert (clustering.cluster_day(vectors) == clustering.cluster_day(vectors.copy())).all()


def test_late_items_join_the_nearest_cluster_or_found_new_ones() -> None:
    vectors, truth = blobs(400, 12)
    known, late = truth < 10, truth >= 10
    known_labels = clustering.cluster_day(vectors[known])
    near, far = vectors[known][:20], vectors[late]
    labels = clustering.assign_new_posts(np.vstack([near, far]), vectors[known], known_labels, JOIN)
    assert (labels[:20] == known_labels[:20]).all()
    assert set(labels[20:]) == {known_labels.max() + 1, known_labels.max() + 2}
    assert adjusted_mutual_info_score(truth[late], labels[20:]) == 1


def test_one_late_item_far_from_everything() -> None:
    vectors, _ = blobs(50, 10)
    labels = clustering.cluster_day(vectors)
    stranger = np.zeros((1, 384), dtype=np.float32)
    stranger[0, 0] = 1
    assert clustering.assign_new_posts(stranger, vectors, labels, JOIN) == [labels.max() + 1]


def test_many_late_items_far_from_everything() -> None:
    vectors, _ = blobs(50, 10)
    labels = clustering.cluster_day(vectors)
    late, truth = blobs(clustering.MAX_LINKED + 1, 15, seed=2)
    placed = clustering.assign_new_posts(late, vectors, labels, JOIN)
    assert placed.min() > labels.max()
    assert adjusted_mutual_info_score(truth, placed) > 0.8


def test_similarity_to_the_centroids() -> None:
    vectors = np.eye(4, 384, dtype=np.float32)
    vectors[3] = vectors[2]
    own, runner_up = clustering.similarity_to_centroids(vectors, np.array([1, 1, 2, 3]))
    assert own == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 1, 1])
    assert runner_up == pytest.approx([0, 0, 1, 1])
    own, runner_up = clustering.similarity_to_centroids(vectors[:2], np.array([1, 1]))
    assert np.isnan(runner_up).all()


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = blobs(300, 12)
    labels = clustering.cluster_day(vectors)
    whole = clustering.similarity_to_centroids(vectors, labels)
    monkeypatch.setattr(clustering, "CHUNK", 7)
    assert np.array(clustering.similarity_to_centroids(vectors, labels)) == pytest.approx(np.array(whole), abs=1e-6)
    assert (clustering.cluster_day(vectors) == labels).all()


class Run:
    """What dbt hands to a Python model, for tables of these names in a database in memory."""

    is_incremental = False

    def __init__(self, session: duckdb.DuckDBPyConnection) -> None:
        self.session = session
        self.config = self

    def __call__(self, **_: Any) -> None:
        """dbt.config(materialized=...)."""

    def meta_get(self, name: str) -> str:
        return {"run_date": "2026-11-20", "embedding_model": "MiniLM", "join_similarity": str(JOIN)}[name]

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        return self.session.table(name)


def assignments(vectors: np.ndarray, order: np.ndarray) -> dict[str, tuple[Any, ...]]:
    """The model's rows by url_hash, for posts whose rows arrived in this order."""
    with duckdb.connect() as session:
        session.execute(
            "create table texts (url_hash text, content_hash text, collection_date date);"
            "create table embeddings (content_hash text, model text, embedding float[384])"
        )
        posts = pa.table(  # noqa: F841  (DuckDB finds it by name)
            {
                "url_hash": [f"u{number:04}" for number in order],
                "content_hash": [f"c{number:04}" for number in order],
                "embedding": list(vectors[order]),
            }
        )
        session.execute("insert into texts select url_hash, content_hash, '2026-11-20' from posts")
        session.execute("insert into embeddings select content_hash, 'MiniLM', embedding::float[384] from posts")
        # Another model's vector of the same text, which must not be seen.
        session.execute(
            "insert into embeddings select content_hash, 'other',"
            " list_transform(embedding::float[], lambda x: -x)::float[384] from embeddings"
        )
        rows = clustering.model(Run(session), session).to_pylist()
    return {row["url_hash"]: tuple(row.values()) for row in rows}


def test_the_order_in_which_posts_arrived_does_not_matter() -> None:
    vectors, _ = blobs(240, 15, spread=0.08)
    forwards = assignments(vectors, np.arange(240))
    shuffled = assignments(vectors, np.random.default_rng(3).permutation(240))
    assert len(forwards) == 240
    assert forwards == shuffled


def test_items_far_from_every_centroid_are_outliers() -> None:
    vectors, _ = blobs(400, 10, spread=0.03)
    strangers, _ = blobs(6, 6, seed=9)
    rows = assignments(np.vstack([vectors, strangers]), np.arange(406))
    outliers = {url_hash for url_hash, row in rows.items() if row[-1]}
    # A stranger may be given a cluster of its own; none of the others is one.
    assert outliers
    assert outliers <= {f"u{number:04}" for number in range(400, 406)}
    for _, _, cluster_id, similarity, runner_up, is_outlier in rows.values():
        assert cluster_id >= 1
        assert is_outlier == (similarity < JOIN)
        assert -1 <= runner_up <= similarity + 0.2


def test_confidence_ranks_clusters_by_purity() -> None:
    posts = quality.read_labelled(quality.OURS)
    assert np.mean(quality.rank_correlations(posts)) >= 0.6


def test_clusters_agree_with_what_people_say_the_posts_are_about() -> None:
    posts = quality.read_labelled(quality.OURS)
    assert adjusted_mutual_info_score(posts.labels, clustering.cluster_day(posts.vectors)) >= 0.6
