"""The links of a window: which complaints are close enough that they may say the same."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from groundswell.grouping.window import Labels
from groundswell.neighbours import Neighbours, is_large, nearest
from groundswell.pairs import NEAREST, Flags, mixed, products
from groundswell.vectors import Vectors

NEIGHBOURS = 20
# Two complaints may say the same if their cosine similarity is at least this threshold. Var problem_similarity
# overrides this value: vectors are rescaled so that the threshold stays 0.7. Among the intents of banking77 with as
# many unrelated posts, 2 % of unrelated real posts were grouped, and 9 % of Stack Overflow titles, which resemble each
# other more.
SAME = 0.7
# Two posts with titles need a cosine of 0.74 instead of 0.7. Their vectors are therefore shorter than 1. Of 750 real
# pairs that were read, 43 % of the pairs above 0.74 say the same, and 35 % of the pairs above 0.7.
TITLED_LENGTH = (0.7 / 0.74) ** 0.5
# The size of a tile of the similarity matrix (32 MB), and the most directed pairs between two selections of nearest
# neighbours (80 MB).
ROWS, COLUMNS = 512, 16_384
WAITING = 4_000_000


class Pairs(NamedTuple):
    """Pairs of nodes a and b (m,), with their cosine similarities (m,)."""

    a: Labels
    b: Labels
    similarity: Vectors


def compared_vectors(texts: Vectors, titles: Vectors, are_titled: Flags) -> Vectors:
    """The vectors (n, d) by which n posts are compared: those of their texts (n, d), mixed with those of their titles.

    titles: (m, d), for the m posts that are_titled (n,) marks.
    """
    vectors = texts.copy()
    titled = np.flatnonzero(are_titled)
    for start in range(0, len(titled), COLUMNS):
        part = titled[start : start + COLUMNS]
        vectors[part] = TITLED_LENGTH * mixed(texts[part], titles[start : start + COLUMNS])
    return vectors


def similar_pairs(vectors: Vectors) -> Iterator[Pairs]:
    """Yield the pairs a < b of vectors (n, d) with a similarity of at least SAME, tile by tile."""
    count = len(vectors)
    for top in range(0, count, ROWS):
        for left in range(top, count, COLUMNS):
            similarity = vectors[top : top + ROWS] @ vectors[left : left + COLUMNS].T
            if left == top:
                square = similarity[:, : len(similarity)]
                square[:] = np.triu(square, 1)
            found = np.flatnonzero(similarity >= SAME)
            row, column = np.divmod(found, similarity.shape[1])
            yield Pairs(top + row, left + column, similarity.ravel()[found])


def keep_nearest(pairs: Sequence[Pairs]) -> Pairs:
    """Keep, for each node a of directed pairs (a to b), the pairs with its NEIGHBOURS most similar nodes b."""
    a, b, similarity = map(np.concatenate, zip(*pairs, strict=True))
    # One sort by node and descending similarity: the subtracted value is less than 1, so that nodes do not mix.
    order = np.argsort(a - similarity.astype(np.float64) / 2, kind="stable")
    by_node = a[order]
    kept = order[np.arange(len(order)) - np.searchsorted(by_node, by_node) < NEIGHBOURS]
    return Pairs(a[kept], b[kept], similarity[kept])


def nearest_pairs(vectors: Vectors, by_vector: Neighbours | None = None) -> Pairs:
    """The links of n vectors (n, d): pairs a < b of which one is among the nearest neighbours of the other.

    by_vector: the NEAREST neighbours (n, k) by direction, if they are known; only many vectors need them. Lengths
    hardly differ, so one search serves links and candidates.
    """
    count = len(vectors)
    if is_large(count):
        nodes = (by_vector or nearest(vectors, NEAREST)).nodes
        a, place = np.nonzero(nodes >= 0)
        b = nodes[a, place]
        similarity = products(vectors, a, b).astype(np.float32)
        similar = similarity >= SAME
        return each_once(keep_nearest([Pairs(a[similar], b[similar], similarity[similar])]), count)
    found = [Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    waiting = 0
    for a, b, similarity in similar_pairs(vectors):
        found += [Pairs(a, b, similarity), Pairs(b, a, similarity)]
        waiting += 2 * len(a)
        if waiting > WAITING:
            found, waiting = [keep_nearest(found)], 0
    return each_once(keep_nearest(found), count)


def each_once(directed: Pairs, count: int) -> Pairs:
    """The pairs a < b of directed pairs of `count` nodes."""
    a, b, similarity = directed
    key, first = np.unique(np.minimum(a, b) * count + np.maximum(a, b), return_index=True)
    return Pairs(*np.divmod(key, max(count, 1)), similarity[first])
