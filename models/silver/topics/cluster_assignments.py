"""Which cluster each post of a day belongs to.

Grain: one row per url_hash. Append-only: an assignment, once made, stands, so a cluster keeps its number
and its label for good.
Method: MiniBatchKMeans (Sculley 2010, Web-scale k-means clustering) on the unit vectors of the day,
k = max(10, n / 100), never more than there are different vectors; of three starts the one of least inertia
is kept. Clusters are numbered from 1, largest first. A post whose cosine similarity to its centroid
is below `join_similarity` is an outlier: it keeps its cluster, and has no say in it.
Posts that come after the day was clustered join the nearest cluster from that similarity on; the others
form new clusters among themselves by average linkage at that similarity.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.cluster import AgglomerativeClustering, MiniBatchKMeans

from groundswell.relations import subquery
from groundswell.vectors import Vectors, read_vectors

Labels = npt.NDArray[np.int64]

MIN_CLUSTERS = 10
ITEMS_PER_CLUSTER = 100
STARTS = 3
SEED = 20_261_120
# Items whose similarities to all centroids are computed at once: 65 MB for 2,000 clusters.
CHUNK = 8_192
# Average linkage holds all pairs in memory; 200 MB at this many items.
MAX_LINKED = 5_000

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("cluster_date", pa.date32()),
        ("cluster_id", pa.int32()),
        ("similarity", pa.float32()),
        ("runner_up_similarity", pa.float32()),
        ("is_outlier", pa.bool_()),
    ]
)


def distinct_rows(vectors: Vectors) -> Labels:
    """For each of vectors (n, d) the index of the first row that equals it, (n,)."""
    first: dict[int, int] = {}
    # Rows by their hash: a set of the rows themselves would double the memory.
    return np.array([first.setdefault(hash(row.tobytes()), index) for index, row in enumerate(vectors)], dtype=np.int64)


def select_rows(vectors: Vectors, rows: Labels) -> Vectors:
    """Rows of an array by their numbers, ascending and different; itself where that is all of them."""
    return vectors if len(rows) == len(vectors) else vectors[rows]


def number_of_clusters(items: int, different: int) -> int:
    """The rule max(10, n / 100), bounded by the number of different vectors."""
    return min(max(MIN_CLUSTERS, items // ITEMS_PER_CLUSTER), different)


def cluster_day(vectors: Vectors) -> Labels:
    """Cluster unit vectors (n, d), n >= 1: labels (n,) from 1, larger clusters first."""
    rows = distinct_rows(vectors)
    different, counts = np.unique(rows, return_counts=True)
    k = number_of_clusters(len(vectors), len(different))
    if k == len(different):
        return number_by_size(rows)
    # Equal rows count as one that weighs more, so that no two clusters begin at the same place.
    labels = k_means(select_rows(vectors, different), counts, k)
    return number_by_size(labels[np.searchsorted(different, rows)])


def k_means(vectors: Vectors, weights: npt.NDArray[Any], k: int) -> Labels:
    """Labels (n,) of different unit vectors (n, d) with weights (n,) in at most k clusters, the best of STARTS."""
    starts = [
        MiniBatchKMeans(
            n_clusters=k,
            n_init=1,
            batch_size=2_048,
            # Choosing the first centroids from more items takes longer than all the rest, and gains nothing.
            init_size=max(1_024, 3 * k),
            random_state=SEED + start,
        ).fit(vectors, sample_weight=weights)
        for start in range(STARTS)
    ]
    labels: Labels = min(starts, key=lambda start: start.inertia_).labels_.astype(np.int64)
    # The last batches moved the centroids of the others; what is nearest now decides.
    names, centres = centroids(vectors, labels)
    return names[nearest_centroid(vectors, centres)[0]]


def cluster_leftovers(vectors: Vectors, join_similarity: float) -> Labels:
    """Group unit vectors (n, d), n >= 1, by average linkage: labels (n,) from 1, larger groups first."""
    if len(vectors) == 1:
        return np.ones(1, dtype=np.int64)
    if len(vectors) > MAX_LINKED:
        return cluster_day(vectors)
    linkage = AgglomerativeClustering(
        n_clusters=None, distance_threshold=1 - join_similarity, metric="cosine", linkage="average"
    )
    return number_by_size(linkage.fit_predict(vectors))


def number_by_size(labels: npt.NDArray[Any]) -> Labels:
    """Renumber labels (n,) from 1: larger clusters first, equal ones by their first member."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    numbers = np.empty(len(names), dtype=np.int64)
    numbers[order] = np.arange(1, len(names) + 1)
    renumbered: Labels = numbers[np.searchsorted(names, labels)]
    return renumbered


def centroids(vectors: Vectors, labels: Labels) -> tuple[Labels, Vectors]:
    """The labels in use (k,), ascending, and the unit mean vector of each (k, d)."""
    names, index = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(names), vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, index, vectors)
    return names, sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def cosines_by_chunk(vectors: Vectors, centres: Vectors) -> Iterator[tuple[slice, Vectors]]:
    """Cosines of unit vectors (n, d) to unit centres (k, d), a slice of the rows at a time."""
    for start in range(0, len(vectors), CHUNK):
        rows = slice(start, start + CHUNK)
        yield rows, vectors[rows] @ centres.T


def nearest_centroid(vectors: Vectors, centres: Vectors) -> tuple[Labels, Vectors]:
    """The nearest of the unit centres (k, d) to each of unit vectors (n, d): its row (n,) and the cosine (n,)."""
    best = np.empty(len(vectors), dtype=np.int64)
    cosine = np.empty(len(vectors), dtype=np.float32)
    for rows, cosines in cosines_by_chunk(vectors, centres):
        best[rows] = cosines.argmax(axis=1)
        cosine[rows] = cosines.max(axis=1)
    return best, cosine


def assign_new_posts(vectors: Vectors, known: Vectors, known_labels: Labels, join_similarity: float) -> Labels:
    """Assign new vectors (n, d) to the clusters of known ones (m, d) with labels (m,), or to new clusters."""
    if not len(known):
        return cluster_day(vectors)
    names, centres = centroids(known, known_labels)
    best, cosine = nearest_centroid(vectors, centres)
    labels: Labels = names[best]
    left_over = cosine < join_similarity
    if left_over.any():
        labels[left_over] = known_labels.max() + cluster_leftovers(vectors[left_over], join_similarity)
    return labels


def similarity_to_centroids(vectors: Vectors, labels: Labels) -> tuple[Vectors, Vectors]:
    """Cosine of each unit vector (n, d) to its own centroid and to the nearest other one, (n,) each, in -1..1.

    The second is NaN where there is one cluster only.
    """
    names, centres = centroids(vectors, labels)
    index = np.searchsorted(names, labels)
    own = np.empty(len(vectors), dtype=np.float32)
    runner_up = np.full(len(vectors), np.nan, dtype=np.float32)
    for rows, cosines in cosines_by_chunk(vectors, centres):
        items = np.arange(len(cosines))
        own[rows] = cosines[items, index[rows]]
        cosines[items, index[rows]] = -np.inf
        if len(names) > 1:
            runner_up[rows] = cosines.max(axis=1)
    return own, runner_up


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the assignments of the posts that have none yet."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    texts = dbt.ref("texts")
    embeddings = dbt.ref("embeddings")
    run_date = dbt.config.meta_get("run_date")
    embedding_model = dbt.config.meta_get("embedding_model")
    join_similarity = float(dbt.config.meta_get("join_similarity"))

    known = "null"
    if dbt.is_incremental:
        known = f"(select cluster_id from {dbt.this} as assigned where assigned.url_hash = texts.url_hash)"
    # A table, since a query with parameters would hold its whole result beside the vectors that are read from it.
    session.sql(
        f"""
        create or replace temp table day_items as
        select url_hash, embedding, coalesce({known}, 0)::int as cluster_id
        from {subquery(texts)} as texts
        inner join {subquery(embeddings)} as embeddings using (content_hash)
        where collection_date = date '{run_date}' and model = $model
        """,
        params={"model": embedding_model},
    )
    # In the order of their hashes, so that the clusters do not depend on the order in which posts arrived.
    hashes_and_labels = session.execute(
        "select url_hash, cluster_id from temp.day_items order by url_hash"
    ).to_arrow_table()
    # 0 stands for none yet: clusters are numbered from 1.
    labels: Labels = hashes_and_labels["cluster_id"].to_numpy().astype(np.int64)
    new = labels == 0
    if not new.any():
        return SCHEMA.empty_table()

    embedded = session.execute("select embedding from temp.day_items order by url_hash")
    vectors = read_vectors(embedded.to_arrow_reader(CHUNK), "embedding", len(labels))
    session.execute("drop table temp.day_items")
    labels[new] = assign_new_posts(
        select_rows(vectors, np.flatnonzero(new)), vectors[~new], labels[~new], join_similarity
    )
    own, runner_up = similarity_to_centroids(vectors, labels)
    assignments = pa.Table.from_arrays(
        [
            hashes_and_labels["url_hash"],
            pa.array([run_date] * len(new)).cast(pa.date32()),
            pa.array(labels.astype(np.int32)),
            pa.array(own),
            pa.array(runner_up, from_pandas=True),
            pa.array(own < join_similarity),
        ],
        schema=SCHEMA,
    )
    return assignments.filter(pa.array(new))
