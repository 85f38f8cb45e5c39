"""Measures the search of neighbours: all pairs and the index, on growing numbers of posts, and the problems by both.

The vectors are those of real sentences, and beyond them weighted means of three of these: an encoder gives a text of
three sentences about such a vector. One in fifty is a copy. The texts that are compared by their words mix sentences of
three texts, with one word in eight replaced.
"""

import random
import re
import resource
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.table import Table
from scipy.sparse import csr_array, csr_matrix
from sparse_dot_topn import sp_matmul_topn

from benchmarks import scale
from benchmarks.problems import (
    FITTED_ON,
    SETTINGS,
    fitted_without,
    group_at_once,
    intents,
    labelled,
    mean_bcubed,
    own_words,
    read_trackers,
    table,
    titles,
)
from groundswell import encoder, neighbours, pairs
from groundswell.grouping.links import nearest_pairs
from groundswell.grouping.window import labels_of
from groundswell.pairs import ALIKE, COMMON, NEAREST, REPORTS, Posts, alike, word_weights

Vectors = npt.NDArray[np.float32]

# All pairs are compared up to the size before the last ones.
SIZES = (10_000, 20_000, 40_000)
BEYOND = (100_000, 1_000_000)
# Of texts that are compared by words, all pairs up to EXACT_WORDS.
WORDS = (10_000, 20_000, 50_000, 100_000, 200_000)
EXACT_WORDS = 20_000
# At most so many sentences are encoded.
SENTENCES = 50_000
# Where all pairs take too long, the neighbours of so many vectors are compared with all.
SAMPLE = 1_000
COPIES = 50


class Measured(NamedTuple):
    """The seconds of the processor, and the result."""

    seconds: float
    result: Any


def measured(work: Any, *arguments: Any) -> Measured:
    """Run a function. The machine may do other work too: the seconds are those of this process, of all its threads."""
    started = time.process_time()
    result = work(*arguments)
    return Measured(time.process_time() - started, result)


def sentences(texts: Sequence[str]) -> list[str]:
    """The texts and their sentences of 40 to 300 characters, each once, in a random order."""
    found = {sentence for text in texts for sentence in re.split(r"(?<=[.!?])\s+", text) if 40 <= len(sentence) <= 300}
    return random.Random(1).sample(sorted(found | set(texts)), min(SENTENCES, len(found | set(texts))))


def varied(real: Vectors, count: int) -> Vectors:
    """Vectors (count, d): the real ones, weighted means of three of them, and copies."""
    chance = np.random.default_rng(0)
    vectors = np.empty((count, real.shape[1]), np.float32)
    vectors[: len(real)] = real[:count]
    for top in range(len(real), count, SENTENCES):
        number = min(SENTENCES, count - top)
        weights = chance.dirichlet((3, 2, 2), size=number).astype(np.float32)
        mean = sum(weights[:, [place]] * real[chance.integers(len(real), size=number)] for place in range(3))
        vectors[top : top + number] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    copied = chance.choice(count, count // COPIES, replace=False)
    vectors[copied] = vectors[chance.integers(count, size=len(copied))]
    chance.shuffle(vectors)
    return vectors


def recall(found: neighbours.Neighbours, vectors: Vectors) -> float:
    """The share of the pairs of a sample's nearest neighbours that were found, from either end.

    Of equally near neighbours, any count.
    """
    hits = 0
    rows = np.random.default_rng(2).choice(len(vectors), min(SAMPLE, len(vectors)), replace=False)
    for row in rows.tolist():
        similarity = vectors @ vectors[row]
        similarity[row] = -np.inf
        nearest = np.argpartition(-similarity, NEAREST - 1)[:NEAREST]
        known = int((found.similarity[row] >= similarity[nearest].min() - 1e-6).sum())
        missed = np.setdiff1d(nearest, found.nodes[row])
        hits += min(NEAREST, known + int((found.nodes[missed] == row).sum()))
    return hits / (NEAREST * len(rows))


def measure_search(texts: Sequence[str]) -> Table:
    """Compare the index with all pairs: the seconds, the share of the pairs that it finds, and the memory."""
    encode, _ = encoder.load_encoder(encoder.BUNDLED, "auto")
    real = encode(sentences(texts))
    made = table(
        f"Neighbours: {len(real):,} real vectors and means of three; seconds of the processor, * extrapolated",
        *("vectors", "candidates, all pairs, s", "links, all pairs, s", "index, s", "ratio", "recall", "process, MB"),
    )
    square: list[tuple[float, float]] = []
    exact = neighbours.EXACT
    for count in (*SIZES, *BEYOND):
        vectors = varied(real, count)
        if count in SIZES:
            neighbours.EXACT = count
            times = [
                measured(neighbours.exact, vectors, NEAREST).seconds,
                measured(nearest_pairs, vectors).seconds,
            ]
            square.append((times[0] / count**2, times[1] / count**2))
        else:
            times = [float(np.mean(each)) * count**2 for each in zip(*square, strict=True)]
        neighbours.EXACT = 0
        found = measured(neighbours.by_index, vectors, NEAREST)
        links = measured(nearest_pairs, vectors, found.result)
        neighbours.EXACT = exact
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds = found.seconds + links.seconds
        mark = "" if count in SIZES else "*"
        made.add_row(
            f"{count:,}",
            *(f"{each:,.1f}{mark}" for each in times),
            f"{seconds:,.1f}",
            f"{sum(times) / seconds:.1f}",
            f"{recall(found.result, vectors):.3f}",
            f"{memory:,.0f}",
        )
    return made


def words_recall(found: neighbours.Neighbours, words: csr_array) -> float:
    """The share of the nearest neighbours of a sample of texts that were found. Of equally near ones, any count.

    words: the weights (n, words).
    """
    rows = np.random.default_rng(2).choice(words.shape[0], min(SAMPLE, words.shape[0]), replace=False)
    matrix = csr_matrix(words)
    products = sp_matmul_topn(matrix[rows], matrix.T, top_n=ALIKE + 1, sort=True)
    hits = count = 0
    for place, row in enumerate(rows.tolist()):
        span = slice(products.indptr[place], products.indptr[place + 1])
        nearest = products.data[span][products.indices[span] != row][:ALIKE]
        count += len(nearest)
        if len(nearest):
            hits += min(len(nearest), int((found.similarity[row] >= nearest[-1] - 1e-6).sum()))
    return hits / max(count, 1)


def measure_words(texts: Sequence[str]) -> Table:
    """Compare the lists of words with all pairs: the seconds, the share of the neighbours found, and the memory."""
    columns = ("texts", "all pairs, s", "lists, s", "ratio", "recall", "process, MB")
    made = table("Neighbours by words; seconds of the processor, * extrapolated", *columns)
    posts = [scale.Post("", title, body) for title, _, body in (text.partition(". ") for text in texts)]
    square: list[float] = []
    exact = neighbours.EXACT
    for count in WORDS:
        mixed = (f"{title}. {body}"[:2_000] for _, title, body in scale.mixed_posts(posts, count, varied=0.12))
        words = word_weights(list(mixed), COMMON)
        if count <= EXACT_WORDS:
            neighbours.EXACT = count
            seconds = measured(alike, words, ALIKE).seconds
            square.append(seconds / count**2)
        else:
            seconds = float(np.mean(square)) * count**2
        neighbours.EXACT = 0
        found = measured(alike, words, ALIKE)
        neighbours.EXACT = exact
        made.add_row(
            f"{count:,}",
            f"{seconds:,.1f}{'' if count <= EXACT_WORDS else '*'}",
            f"{found.seconds:,.1f}",
            f"{seconds / found.seconds:.1f}",
            f"{words_recall(found.result, words):.4f}",
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f}",
        )
    return made


def measure_problems() -> Table:
    """Compare the problems by the index with those by all pairs, on every set of labelled posts."""
    made = table("Problems: B-cubed F1", "posts", "number", "all pairs", "index", "difference")
    sets: dict[str, tuple[Posts, Any, Any]] = {}
    for name, posts in {"intents": intents(), "topics": titles()}.items():
        if posts:
            sets[name] = Posts(posts.texts, posts.texts, posts.vectors, posts.vectors), posts.labels, SETTINGS
    trackers = read_trackers((*FITTED_ON, "hadoop"))
    reports = dict(trackers)
    if file := labelled("own_words.tsv"):
        reports["own words"] = own_words(file)
    for name, each in reports.items():
        weights = dict(SETTINGS.weights) | {REPORTS: fitted_without(name, trackers)}
        sets[name] = each.posts, each.group, SETTINGS._replace(weights=weights)
    exact, listed = neighbours.EXACT, pairs.LISTED
    for name, (said, labels, settings) in sets.items():
        scored = []
        # The lists hold as large a share of the texts as those of a window of 100,000.
        pairs.LISTED = len(labels) * listed // 100_000
        for neighbours.EXACT in (len(labels), 0):
            problems = labels_of(group_at_once(said, settings).problem)
            scored.append(mean_bcubed(labels, problems)[2])
        neighbours.EXACT, pairs.LISTED = exact, listed
        made.add_row(name, f"{len(labels):,}", *(f"{f1:.4f}" for f1 in scored), f"{scored[1] - scored[0]:+.4f}")
    return made
