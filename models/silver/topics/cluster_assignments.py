"""Which cluster each post of a day belongs to.

Grain: one row per url_hash. Append-only: an assignment never changes, so that a cluster keeps its number and its label.
Method: MiniBatchKMeans (Sculley 2010, Web-scale k-means clustering) on the unit vectors of the day, with k = max(10, n
/ 100), at most the number of different vectors. A day of more than 250,000 different posts is first split by k-means
into parts of about 100,000, which are clustered one by one. Of three starts, the start with the least inertia is kept.
Clusters are numbered from 1, the largest first. A post whose cosine similarity to its centroid is below
`join_similarity` is an outlier: it stays in its cluster, and does not count for summary, label and quality. A late post
(one that comes after its day was clustered) joins the nearest cluster if the similarity is at least `join_similarity`.
The other late posts form new clusters by average linkage at that similarity.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.cluster import AgglomerativeClustering, MiniBatchKMeans
from threadpoolctl import threadpool_limits

from groundswell.relations import subquery
from groundswell.vectors import Vectors, read_vectors

Labels = npt.NDArray[np.int64]

MIN_CLUSTERS = 10
ITEMS_PER_CLUSTER = 100
STARTS = 3
SEED = 20_261_120
# The posts whose similarities to all centroids are computed at once: 65 MB for 2,000 clusters.
CHUNK = 8_192
# Average linkage holds all pairs in memory: 200 MB for this many posts.
MAX_LINKED = 5_000
# k-means costs posts times clusters, and clusters grow with posts. Larger days are clustered in parts of about so many.
WHOLE, PART = 250_000, 100_000
# With fewer clusters several threads wait for each other longer than they work, because a batch is small.
MANY_CLUSTERS = 1_500

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
    """For each of n vectors (n, d), the index of the first equal vector (n,)."""
    first: dict[int, int] = {}
    # The keys are hashes of rows: the rows themselves would double the memory.
    return np.array([first.setdefault(hash(row.tobytes()), index) for index, row in enumerate(vectors)], dtype=np.int64)


def select_rows(vectors: Vectors, rows: Labels) -> Vectors:
    """The rows of an array with these numbers, which are ascending and different; no copy if they are all rows."""
    return vectors if len(rows) == len(vectors) else vectors[rows]


def number_of_clusters(items: int, different: int) -> int:
    """max(10, n / 100), at most the number of different vectors."""
    return min(max(MIN_CLUSTERS, items // ITEMS_PER_CLUSTER), different)


def cluster_day(vectors: Vectors) -> Labels:
    """Cluster n >= 1 unit vectors (n, d). Returns labels (n,) from 1, the largest cluster first."""
    rows = distinct_rows(vectors)
    different, counts = np.unique(rows, return_counts=True)
    k = number_of_clusters(len(vectors), len(different))
    if k == len(different):
        return number_by_size(rows)
    # Equal rows become one row with a greater weight, so that no two clusters start at the same vector.
    labels = cluster_distinct(select_rows(vectors, different), counts, k)
    return number_by_size(labels[np.searchsorted(different, rows)])


def cluster_distinct(
    vectors: Vectors, weights: npt.NDArray[Any], k: int, whole: int = WHOLE, part: int = PART
) -> Labels:
    """Cluster different unit vectors (n, d) with weights (n,) into about k clusters. Returns labels (n,).

    More than `whole` vectors are first split by k-means into parts of about `part` vectors.
    """
    if len(vectors) <= whole:
        return k_means(vectors, weights, k)
    parts = k_means(vectors, weights, -(-len(vectors) // part))
    labels = np.empty(len(vectors), dtype=np.int64)
    first = 0
    for number in np.unique(parts):
        [rows] = np.nonzero(parts == number)
        share = max(1, round(k * len(rows) / len(vectors)))
        # A part may be large, too; only if it is all of the vectors it can not be split.
        most = whole if len(rows) < len(vectors) else len(rows)
        labels[rows] = first + cluster_distinct(select_rows(vectors, rows), weights[rows], share, most, part)
        first = labels[rows].max() + 1
    return labels


def k_means(vectors: Vectors, weights: npt.NDArray[Any], k: int) -> Labels:
    """Cluster different unit vectors (n, d) with weights (n,) into at most k clusters. Returns labels (n,)."""
    with threadpool_limits(1 if k < MANY_CLUSTERS else None):
        starts = [
            MiniBatchKMeans(
                n_clusters=k,
                n_init=1,
                batch_size=2_048,
                # With more posts, the choice of the first centroids takes most of the time and improves nothing.
                init_size=max(1_024, 3 * k),
                random_state=SEED + start,
            ).fit(vectors, sample_weight=weights)
            for start in range(STARTS)
        ]
    labels: Labels = min(starts, key=lambda start: start.inertia_).labels_.astype(np.int64)
    # The last batches moved the centroids, so each vector gets the centroid that is nearest now.
    names, centres = centroids(vectors, labels)
    return names[nearest_centroid(vectors, centres)[0]]


def cluster_leftovers(vectors: Vectors, join_similarity: float) -> Labels:
    """Cluster n >= 1 unit vectors (n, d) by average linkage. Returns labels (n,) from 1, the largest cluster first."""
    if len(vectors) == 1:
        return np.ones(1, dtype=np.int64)
    if len(vectors) > MAX_LINKED:
        return cluster_day(vectors)
    linkage = AgglomerativeClustering(
        n_clusters=None, distance_threshold=1 - join_similarity, metric="cosine", linkage="average"
    )
    return number_by_size(linkage.fit_predict(vectors))


def number_by_size(labels: npt.NDArray[Any]) -> Labels:
    """Renumber labels (n,) from 1, the largest cluster first; the first member decides between equal sizes."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    numbers = np.empty(len(names), dtype=np.int64)
    numbers[order] = np.arange(1, len(names) + 1)
    renumbered: Labels = numbers[np.searchsorted(names, labels)]
    return renumbered


def centroids(vectors: Vectors, labels: Labels) -> tuple[Labels, Vectors]:
    """The k different labels (k,), ascending, and their centroids: mean vectors of unit length (k, d)."""
    names, index = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(names), vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, index, vectors)
    return names, sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def cosines_by_chunk(vectors: Vectors, centres: Vectors) -> Iterator[tuple[slice, Vectors]]:
    """Yield the cosines of unit vectors (n, d) to unit centroids (k, d), for one slice of the rows at a time."""
    for start in range(0, len(vectors), CHUNK):
        rows = slice(start, start + CHUNK)
        yield rows, vectors[rows] @ centres.T


def nearest_centroid(vectors: Vectors, centres: Vectors) -> tuple[Labels, Vectors]:
    """For each of n unit vectors (n, d), the row of the nearest unit centroid in (k, d) (n,), and the cosine (n,)."""
    best = np.empty(len(vectors), dtype=np.int64)
    cosine = np.empty(len(vectors), dtype=np.float32)
    for rows, cosines in cosines_by_chunk(vectors, centres):
        best[rows] = cosines.argmax(axis=1)
        cosine[rows] = cosines.max(axis=1)
    return best, cosine


def assign_new_posts(vectors: Vectors, known: Vectors, known_labels: Labels, join_similarity: float) -> Labels:
    """Assign new vectors (n, d) to the clusters of known vectors (m, d) with labels (m,), or to new clusters."""
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
    """The cosine of each unit vector (n, d) to its own centroid, and to the nearest other centroid; (n,) each, -1 to 1.

    The second array is NaN if there is only one cluster.
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
    """Return the assignments of the day's posts that have no cluster yet."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    texts = dbt.ref("texts")
    embeddings = dbt.ref("embeddings")
    run_date = dbt.config.meta_get("run_date")
    embedding_model = dbt.config.meta_get("embedding_model")
    join_similarity = float(dbt.config.meta_get("join_similarity"))

    known = "null"
    if dbt.is_incremental:
        known = f"(select cluster_id from {dbt.this} as assigned where assigned.url_hash = texts.url_hash)"
    # A temporary table saves memory: a query with parameters would hold its whole result beside the array of vectors.
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
    # The order by url_hash makes the clusters independent of the order in which the posts arrived.
    hashes_and_labels = session.execute(
        "select url_hash, cluster_id from temp.day_items order by url_hash"
    ).to_arrow_table()
    # 0 means no cluster yet, because clusters are numbered from 1.
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
