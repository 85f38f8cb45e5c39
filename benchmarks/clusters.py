"""Compares our clusters, and those of BERTopic on the same vectors, with topics that people gave to posts.

The labelled posts are in a file of lines `label<TAB>text`: topics.tsv, or another file.
"""

import importlib
import importlib.util
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE_HEAD
from rich.table import Table
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from groundswell import encoder
from tests.support.models import load

clustering: Any = load("cluster_assignments")

OURS = Path(__file__).with_name("topics.tsv")
JOIN_SIMILARITY = 0.3
# Confidence is compared with purity in this many random subsets, because one subset has only a few clusters.
SUBSETS = 8
# The posts are clustered in this many random orders, because the result depends a little on the order.
ORDERS = 5

Labels = npt.NDArray[np.int64]
Placed = npt.NDArray[np.bool_]
Cosines = npt.NDArray[np.floating[Any]]
Shares = npt.NDArray[np.float64]


class Labelled(NamedTuple):
    """Texts (n), their unit vectors (n, 384), and the numbers of their labels (n,)."""

    texts: list[str]
    vectors: npt.NDArray[np.float32]
    labels: Labels


def read_labelled(file: Path, precision: str = "auto") -> Labelled:
    """Read and encode the labelled posts of a file."""
    rows = [line.split("\t", 1) for line in file.read_text().splitlines()]
    texts = [text for _, text in rows]
    encode, _ = encoder.load_encoder(encoder.BUNDLED, precision)
    return Labelled(texts, encode(texts), np.unique([label for label, _ in rows], return_inverse=True)[1])


def purity_by_cluster(labels: Labels, clusters: Labels) -> Shares:
    """The share of the most common label in each cluster, ordered by the number of the cluster."""
    return (
        np.array([np.bincount(labels[clusters == cluster]).max() for cluster in np.unique(clusters)])
        / np.unique(clusters, return_counts=True)[1]
    )


def silhouettes(own: Cosines, runner_up: Cosines) -> Cosines:
    """The simplified silhouette of each post (n,), from the cosines to its own and to the nearest other centroid."""
    return (own - runner_up) / (1.000001 - np.minimum(own, runner_up))


def confidence_by_cluster(vectors: npt.NDArray[np.float32], clusters: Labels, silhouettes: Cosines) -> Shares:
    """The confidence of each cluster of unit vectors (n, 384), as in silver.clusters, ordered by cluster number."""
    confidences = []
    for cluster in np.unique(clusters):
        members = vectors[clusters == cluster].astype(np.float64)
        size = len(members)
        cohesion = (size * np.square(members.mean(axis=0)).sum() - 1) / (size - 1) if size > 1 else 0
        confidences.append(np.clip((cohesion + 0.5 * silhouettes[clusters == cluster].mean()) / 1.5, 0, 1))
    return np.array(confidences)


def rank_correlations(posts: Labelled) -> list[float]:
    """Spearman's correlation of confidence and purity over clusters, for SUBSETS random two thirds of the posts."""
    correlations = []
    for seed in range(SUBSETS):
        chosen = np.random.default_rng(seed).permutation(len(posts.labels))[: len(posts.labels) * 2 // 3]
        vectors, labels = posts.vectors[chosen], posts.labels[chosen]
        clusters = clustering.cluster_day(vectors)
        item_silhouettes = silhouettes(*clustering.similarity_to_centroids(vectors, clusters))
        confidences = confidence_by_cluster(vectors, clusters, item_silhouettes)
        correlations.append(float(spearmanr(confidences, purity_by_cluster(labels, clusters))[0]))
    return correlations


def agreement(posts: Labelled) -> str:
    """Mean and standard deviation of the AMI over ORDERS random orders of the posts."""
    amis = []
    for seed in range(ORDERS):
        order = np.random.default_rng(seed).permutation(len(posts.labels))
        clusters = clustering.cluster_day(posts.vectors[order])
        amis.append(adjusted_mutual_info_score(posts.labels[order], clusters))
    return f"{np.mean(amis):.3f} ± {np.std(amis, ddof=1):.3f}"


def measure_clusters(file: Path) -> Table:
    """Measure the agreement with the labels, the coverage and the seconds of each way to cluster."""
    posts = read_labelled(file)
    labels, vectors = posts.labels, posts.vectors
    kinds = len(np.unique(labels))
    rows: list[tuple[str, Labels, Placed, float]] = []

    started = time.perf_counter()
    clusters = clustering.cluster_day(vectors)
    own, _ = clustering.similarity_to_centroids(vectors, clusters)
    seconds = time.perf_counter() - started
    everything = np.ones(len(labels), dtype=bool)
    rows.append((f"ours, k = {len(np.unique(clusters))}", clusters, everything, seconds))
    rows.append((f"  without outliers (< {JOIN_SIMILARITY})", clusters, own >= JOIN_SIMILARITY, seconds))

    started = time.perf_counter()
    few = clustering.k_means(vectors, np.ones(len(vectors)), kinds)
    few_own, _ = clustering.similarity_to_centroids(vectors, few)
    few_seconds = time.perf_counter() - started
    rows.append((f"ours, k = {kinds} (the number of labels)", few, everything, few_seconds))

    if importlib.util.find_spec("bertopic"):
        bertopic = importlib.import_module("bertopic")
        started = time.perf_counter()
        topics = np.array(bertopic.BERTopic().fit_transform(posts.texts, vectors)[0])
        bertopic_seconds = time.perf_counter() - started
        placed = topics >= 0
        rows.append((f"  at BERTopic's coverage, k = {len(np.unique(clusters))}", clusters, top(own, placed), seconds))
        rows.append((f"  at BERTopic's coverage, k = {kinds}", few, top(few_own, placed), few_seconds))
        rows.append((f"BERTopic, {len(np.unique(topics[placed]))} topics", topics, placed, bertopic_seconds))

    correlations = rank_correlations(posts)
    title = (
        f"{len(labels):,} posts of {file.name} with {kinds} labels; confidence against purity, Spearman:"
        f" {np.mean(correlations):.2f} (least of {SUBSETS}: {min(correlations):.2f}); AMI over {ORDERS} orders:"
        f" {agreement(posts)}, from vectors in fp32 {agreement(read_labelled(file, 'fp32'))}"
    )
    table = Table("clusters", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("AMI", "ARI", "purity", "coverage", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, found, placed, elapsed in rows:
        sizes = np.unique(found[placed], return_counts=True)[1]
        table.add_row(
            name,
            f"{adjusted_mutual_info_score(labels[placed], found[placed]):.3f}",
            f"{adjusted_rand_score(labels[placed], found[placed]):.3f}",
            f"{np.average(purity_by_cluster(labels[placed], found[placed]), weights=sizes):.3f}",
            f"{placed.mean():.0%}",
            f"{elapsed:.1f}",
        )
    return table


def top(similarities: npt.NDArray[np.float32], placed: Placed) -> Placed:
    """Mark the posts nearest to their centroids, as many posts as `placed` marks."""
    nearest: Placed = similarities >= np.quantile(similarities, 1 - placed.mean())
    return nearest
