"""The nearest neighbours of vectors: all pairs while there are few vectors, an index beyond EXACT.

The index is a hierarchical navigable small world (Malkov & Yashunin 2018, arXiv:1603.09320) of faiss: in memory, in
full precision, with the same rows whatever the number of threads. It misses a few neighbours, so that few vectors
are compared pair by pair. Equal vectors would cut its graph to pieces: the index holds one of each.
"""

import hashlib
import importlib
import importlib.util
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from dbt.adapters.events.logging import AdapterLogger

from groundswell.errors import adding
from groundswell.vectors import Vectors

Numbers = npt.NDArray[np.int64]

# Up to so many vectors, all pairs are compared. Seconds of a processor for candidates and links, all pairs and index:
# 2.2 and 4.9 for 10,000 vectors, 8.0 and 10.5 for 20,000, 37 and 28 for 40,000.
EXACT = 40_000
# The links of a vector in the index, and the candidates that are kept while it is built and searched.
LINKS, BUILD_WIDTH, SEARCH_WIDTH = 24, 80, 200
# The rows of a tile of the similarity matrix, and the vectors that are searched at a time.
ROWS, AT_ONCE = 512, 16_384

log = AdapterLogger("Groundswell")


class Neighbours(NamedTuple):
    """The neighbours of n vectors, nearest first: indices and similarities (n, k); -1 and 0 where there are fewer."""

    nodes: Numbers
    similarity: Vectors


def has_index() -> bool:
    """Whether the packages of the extra `large` are installed: faiss for vectors, sp_matmul_rs for words."""
    return all(importlib.util.find_spec(name) for name in ("faiss", "sp_matmul_rs"))


def are_many(count: int) -> bool:
    """Whether so many complaints are too many to compare all pairs."""
    return count > EXACT


def is_large(count: int) -> bool:
    """Whether the neighbours of so many complaints are searched with an index."""
    return are_many(count) and has_index()


def nearest(vectors: Vectors, count: int) -> Neighbours:
    """The `count` nearest neighbours of vectors (n, d) of about unit length, by their products."""
    if not are_many(len(vectors)):
        return exact(vectors, count)
    if not has_index():
        log.warning(
            f"{len(vectors):,} complaints are compared pair by pair, which can take hours:"
            f" {adding('large')} brings an index"
        )
        return exact(vectors, count)
    return by_index(vectors, count)


def exact(vectors: Vectors, count: int) -> Neighbours:
    """The `count` nearest neighbours of vectors (n, d), found by comparing all pairs."""
    number = len(vectors)
    count = min(count, max(number - 1, 0))
    nodes, nearness = np.empty((number, count), np.int64), np.empty((number, count), np.float32)
    for top in range(0, number if count else 0, ROWS):
        similarity = vectors[top : top + ROWS] @ vectors.T
        rows = np.arange(len(similarity))
        similarity[rows, top + rows] = -np.inf
        chosen = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(similarity, chosen, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        nodes[top + rows] = np.take_along_axis(chosen, order, axis=1)
        nearness[top + rows] = np.take_along_axis(values, order, axis=1)
    return Neighbours(nodes, nearness)


def by_index(vectors: Vectors, count: int) -> Neighbours:
    """The `count` nearest neighbours of vectors (n, d), found with an index; a few are missed."""
    first, copy_of = distinct(vectors)
    found = search(vectors if len(first) == len(vectors) else vectors[first], count)
    return with_copies(found, copy_of, count)


def distinct(vectors: Vectors) -> tuple[Numbers, Numbers]:
    """The first row of each of m distinct vectors (m,), and for each of n vectors (n, d) which of the m it is (n,)."""
    number: dict[bytes, int] = {}
    first: list[int] = []
    copy_of = np.empty(len(vectors), np.int64)
    for row, vector in enumerate(vectors):
        # The digests of a million vectors need a hundredth of the memory of the vectors.
        key = hashlib.blake2b(vector.tobytes(), digest_size=16).digest()
        if key not in number:
            number[key] = len(first)
            first.append(row)
        copy_of[row] = number[key]
    return np.array(first, np.int64), copy_of


def search(vectors: Vectors, count: int) -> Neighbours:
    """The `count` nearest neighbours of m distinct vectors (m, d), each with itself before them."""
    faiss: Any = importlib.import_module("faiss")
    number, dimensions = vectors.shape
    index = faiss.IndexHNSWFlat(dimensions, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = BUILD_WIDTH, SEARCH_WIDTH
    # All at once: a second call would begin with vectors that nothing links to.
    index.add(vectors)
    nodes, nearness = np.empty((number, count + 1), np.int64), np.empty((number, count + 1), np.float32)
    # Vectors of one cell visit the same part of the graph: one after the other, they find it in the processor's cache.
    cells = faiss.Kmeans(dimensions, int(number**0.5), niter=4, max_points_per_centroid=64, spherical=True)
    cells.train(vectors)
    by_cell = np.argsort(cells.assign(vectors)[1], kind="stable")
    for top in range(0, number, AT_ONCE):
        rows = by_cell[top : top + AT_ONCE]
        part = vectors[rows]
        similarity, found = index.search(part, count + 1)
        similarity[found < 0] = 0
        nodes[rows, 0], nearness[rows, 0] = rows, np.einsum("ij,ij->i", part, part)
        nodes[rows, 1:], nearness[rows, 1:] = (without(each, found, rows) for each in (found, similarity))
    return Neighbours(nodes, nearness)


def without(values: npt.NDArray[Any], nodes: Numbers, rows: Numbers) -> npt.NDArray[Any]:
    """The values (n, k) of n rows without that of the row itself, (n, k - 1); without the last one where it is missing.

    nodes: whose values they are (n, k). rows: the rows themselves (n,).
    """
    dropped = nodes == rows[:, None]
    dropped[:, -1] |= ~dropped.any(axis=1)
    kept: npt.NDArray[Any] = values[~dropped].reshape(len(values), -1)
    return kept


def with_copies(found: Neighbours, copy_of: Numbers, count: int) -> Neighbours:
    """The `count` nearest neighbours of n vectors, from those of the m distinct ones, each with itself before them.

    copy_of: which of the distinct vectors each vector is (n,). Of equal neighbours, the earliest count.
    """
    rows = np.arange(len(copy_of))
    size = np.bincount(copy_of)
    members = np.argsort(copy_of, kind="stable")
    start = np.cumsum(size) - size
    # Each distinct vector stands for a run of members: the runs of a row end at these places.
    ends = np.cumsum(np.where(found.nodes >= 0, size[found.nodes], 0), axis=1)
    nodes = np.full((len(size), count + 1), -1)
    nearness = np.zeros((len(size), count + 1), np.float32)
    every = np.arange(len(size))
    for place in range(count + 1):
        run = (ends <= place).sum(axis=1)
        known = run < ends.shape[1]
        row, run = every[known], run[known]
        group = found.nodes[row, run]
        nodes[row, place] = members[start[group] + place - (ends[row, run] - size[group])]
        nearness[row, place] = found.similarity[row, run]
    nodes, nearness = nodes[copy_of], nearness[copy_of]
    return Neighbours(*(without(each, nodes, rows) for each in (nodes, nearness)))
