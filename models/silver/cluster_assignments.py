"""Which cluster each post of a day belongs to.

Grain: one row per url_hash. Append-only: an assignment, once made, stands, so a cluster keeps its number
and its label for good.
Method: MiniBatchKMeans (Sculley 2010, Web-scale k-means clustering) on the unit vectors of the day,
k = max(10, n / 100), never more than there are different vectors. Clusters are numbered from 1, largest
first. Posts that come after the day was clustered join the nearest cluster from a cosine similarity of
`join_similarity` on; the others form new clusters among themselves by average linkage at that similarity.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.cluster import AgglomerativeClustering, MiniBatchKMeans

Vectors = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

MIN_CLUSTERS = 10
ITEMS_PER_CLUSTER = 100
SEED = 20_261_120

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("cluster_date", pa.date32()),
        ("cluster_id", pa.int32()),
        ("similarity", pa.float32()),
    ]
)


def number_of_clusters(vectors: Vectors) -> int:
    """The rule max(10, n / 100), bounded by the number of different rows of vectors (n, 384)."""
    return min(max(MIN_CLUSTERS, len(vectors) // ITEMS_PER_CLUSTER), len(np.unique(vectors, axis=0)))


def cluster_day(vectors: Vectors) -> Labels:
    """Cluster unit vectors (n, 384), n >= 1: labels (n,) from 1, larger clusters first."""
    kmeans = MiniBatchKMeans(n_clusters=number_of_clusters(vectors), n_init=10, random_state=SEED)
    return number_by_size(kmeans.fit_predict(vectors))


def cluster_leftovers(vectors: Vectors, join_similarity: float) -> Labels:
    """Group unit vectors (n, 384), n >= 1, by average linkage: labels (n,) from 1, larger groups first."""
    if len(vectors) == 1:
        return np.ones(1, dtype=np.int64)
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
    """The labels in use (k,), ascending, and the unit mean vector of each (k, 384)."""
    names, index = np.unique(labels, return_inverse=True)
    sums = np.zeros((len(names), vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, index, vectors)
    return names, sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)


def place(vectors: Vectors, known: Vectors, known_labels: Labels, join_similarity: float) -> Labels:
    """Assign new vectors (n, 384) to the clusters of known ones (m, 384) with labels (m,), or to new clusters."""
    if not len(known):
        return cluster_day(vectors)
    names, centres = centroids(known, known_labels)
    similarities = vectors @ centres.T
    labels: Labels = names[similarities.argmax(axis=1)]
    left_over = similarities.max(axis=1) < join_similarity
    if left_over.any():
        labels[left_over] = known_labels.max() + cluster_leftovers(vectors[left_over], join_similarity)
    return labels


def similarity_to_centroid(vectors: Vectors, labels: Labels) -> npt.NDArray[np.float32]:
    """Cosine of each unit vector (n, 384) to the centroid of its cluster, (n,), in -1..1."""
    names, centres = centroids(vectors, labels)
    similarities: npt.NDArray[np.float32] = np.einsum("ij,ij->i", vectors, centres[np.searchsorted(names, labels)])
    return similarities


def to_vectors(column: pa.ChunkedArray) -> Vectors:
    """A column of FLOAT[384] as a float32 array (n, 384)."""
    components = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    vectors: Vectors = components.reshape(-1, column.type.list_size).astype(np.float32)
    return vectors


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the assignments of the posts that have none yet."""
    dbt.config(materialized="incremental", incremental_strategy="append")
    documents = dbt.ref("documents")  # noqa: F841  (DuckDB finds both by name, below)
    embeddings = dbt.ref("embeddings")  # noqa: F841
    run_date = dbt.config.meta_get("run_date")
    join_similarity = float(dbt.config.meta_get("join_similarity"))

    known = "null"
    if dbt.is_incremental:
        known = f"(select cluster_id from {dbt.this} as assigned where assigned.url_hash = documents.url_hash)"
    items = session.sql(
        f"""
        select url_hash, embedding, coalesce({known}, 0)::int as cluster_id
        from documents
        inner join embeddings using (content_hash)
        where collection_date = date '{run_date}'
        order by url_hash
        """
    ).to_arrow_table()
    # 0 stands for none yet: clusters are numbered from 1.
    labels: Labels = items["cluster_id"].to_numpy().astype(np.int64)
    new = labels == 0
    if not new.any():
        return SCHEMA.empty_table()

    vectors = to_vectors(items["embedding"])
    labels[new] = place(vectors[new], vectors[~new], labels[~new], join_similarity)
    assignments = pa.Table.from_arrays(
        [
            items["url_hash"],
            pa.array([run_date] * len(new)).cast(pa.date32()),
            pa.array(labels.astype(np.int32)),
            pa.array(similarity_to_centroid(vectors, labels)),
        ],
        schema=SCHEMA,
    )
    return assignments.filter(pa.array(new))
