"""The chance that two posts report the same problem.

A pair has seven features: how near the embeddings are, how near they are next to the other neighbours of the two, and
which rare words the posts share. Three logistic regressions on them each say a chance, and the highest one counts. One
was learned from bug reports that people marked as duplicates: to be nearer to each other than to others tells most
there. One was learned from public posts that were read in pairs: where many people have one problem, only what two
posts have in common tells. One was learned from invented problems that four people each tell in their own words: there
the same is what is near to each other without common words. `python -m training.pairs` fits the weights and writes them
to seed pair_weights.

Posts that programs wrote share the frame of their program, whatever they report. Two of them can only be the same
problem if they are of one program and the words outside of its frame are alike. A person's post and a program's cannot.

Only pairs of neighbours are looked at: a post has NEAREST neighbours by embedding and ALIKE neighbours by words. The
cost therefore grows with the number of posts, but for the search of the neighbours.
"""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, csr_matrix
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sparse_dot_topn import sp_matmul_topn

from groundswell.cores import usable_cores
from groundswell.neighbours import Neighbours, is_large, nearest
from groundswell.vectors import Vectors

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEAREST = 25
ALIKE = 10
# The distance of a pair is divided by the distances of both posts to their neighbour of this rank (Zelnik-Manor &
# Perona 2004, Self-Tuning Spectral Clustering).
LOCAL_RANK = 10
# Copies have no distance. This one stands for none.
CLOSEST = 1e-3
# A title weighs half as much as the text below it.
TITLE_WEIGHT = 0.5
# Words in more than this share of the texts say nothing about a problem, and cost most of the time.
COMMON = 0.1
# Below so many texts a word can be in many of them by accident.
FEW = 200
# In a window of fewer posts, the post at LOCAL_RANK is no neighbour. Then the chance that was learned from posts in own
# words does not count.
CROWD = 80
# The part of that chance that counts elsewhere. The posts were invented: alone it must not make a problem likely.
OWN_WORDS_COUNT = 0.45
# Two tickets of one program report the same fault if the words by which they differ have at least this cosine
# similarity. Of 8,256 pairs of crash tickets of one real program, 10 are above, and 9 of them report one fault. Those
# from 0.5 to 0.7 share an exception, but not the place.
SAME_FAULT = 0.7
# The pairs that are multiplied at a time (a few MB).
PAIRS = 20_000
# In a large window: the texts of a word's list, the candidates of a text, and the texts that are searched at a time.
# While no word is in more texts than its list holds, none is missed.
LISTED, WAITING, AT_ONCE = 4_000, 40, 16_384

FEATURES = (
    "similarity",
    "text_similarity",
    "title_similarity",
    "local_distance",
    "text_words",
    "title_words",
    "title_letters",
)
BIAS = "bias"
# The grounds of seed pair_weights: what each of the three regressions was learned from, and dense ground, on which the
# chance is not that of a pair.
REPORTS, PUBLIC, OWN_WORDS, DENSE = "reports", "public", "own_words", "dense"

# The weight of each feature, and BIAS. A feature without a weight is not used.
Weights = Mapping[str, float]


class Posts(NamedTuple):
    """n posts: texts (title and body), titles, and the vectors (n, d) of both. A text stands for a missing title."""

    texts: Sequence[str]
    titles: Sequence[str]
    text_vectors: Vectors
    title_vectors: Vectors


class Tickets(NamedTuple):
    """Which of n posts programs wrote: the frame of the program (n,), "" for a person; the words that differ (n,)."""

    frames: Sequence[str]
    words: Sequence[str]


class Candidates(NamedTuple):
    """m pairs of posts a < b (m,), sorted, with their features (m, 7)."""

    a: Numbers
    b: Numbers
    features: Floats

    def without_features(self) -> "Candidates":
        """The pairs alone, once their chances are known: the features take three times as much memory."""
        return self._replace(features=np.empty((0, len(FEATURES))))


def mixed(texts: Vectors, titles: Vectors) -> Vectors:
    """The unit vectors (n, d) by which posts are compared: those of texts and titles, (n, d) each."""
    vectors: Vectors = TITLE_WEIGHT * titles
    vectors += texts
    # In place and in parts: vectors are most of the memory of a large window.
    for top in range(0, len(vectors), PAIRS):
        part = vectors[top : top + PAIRS]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def alike(words: csr_array, count: int) -> Neighbours:
    """The at most `count` rows of a sparse matrix (n, words) with the largest products with each row, and more than 0.

    The rows have unit length, so a product is a cosine similarity. In a large window a few are missed.
    """
    # sparse_dot_topn takes matrices only. A row is its own nearest neighbour.
    rows = csr_matrix(words)
    if is_large(rows.shape[0]):
        return alike_by_lists(rows, count)
    products = sp_matmul_topn(rows, rows.T, top_n=min(count + 1, rows.shape[0]), sort=True)
    return without_itself(products, 0, count)


def alike_by_lists(rows: csr_matrix, count: int) -> Neighbours:
    """The neighbours of `alike`, found by the words' lists; of equal products, those of the earliest rows.

    Each row is compared with the lists of its words, and the WAITING best candidates with the whole row.
    """
    # Its products take a sixth of the time of those of sparse_dot_topn, and differ in their last digits.
    multiply: Any = importlib.import_module("sp_matmul_rs").sp_matmul_topn
    number = rows.shape[0]
    lists = word_lists(rows, LISTED)
    found = [np.empty((number, count), np.int64), np.empty((number, count), np.float32)]
    for top in range(0, number, AT_ONCE):
        candidates = multiply(rows[top : top + AT_ONCE], lists, top_n=WAITING, n_threads=usable_cores())
        one = np.repeat(np.arange(len(candidates.indptr) - 1), np.diff(candidates.indptr))
        similarity = products(csr_array(rows), top + one, candidates.indices)
        order = np.lexsort((candidates.indices, -similarity, one))
        ranked = csr_matrix(
            (similarity[order].astype(np.float32), candidates.indices[order], candidates.indptr), candidates.shape
        )
        for each, part in zip(found, without_itself(ranked, top, count), strict=True):
            each[top : top + AT_ONCE] = part
    return Neighbours(*found)


def word_lists(rows: csr_matrix, most: int) -> csr_matrix:
    """The transpose (words, n) of a matrix (n, words), with at most `most` rows of each word: those with most weight.

    A word weighs most where a text says little else. (Carmel et al. 2001, Static index pruning for information
    retrieval systems, keep these entries of a list.)
    """
    by_word = rows.tocsc()
    kept = np.ones(by_word.nnz, np.bool_)
    for word in np.flatnonzero(np.diff(by_word.indptr) > most).tolist():
        span = slice(by_word.indptr[word], by_word.indptr[word + 1])
        kept[span][np.argsort(-by_word.data[span], kind="stable")[most:]] = False
    ends = np.concatenate([[0], np.cumsum(kept)])[by_word.indptr]
    return csr_matrix((by_word.data[kept], by_word.indices[kept], ends), (rows.shape[1], rows.shape[0]))


def without_itself(found: csr_matrix, top: int, count: int) -> Neighbours:
    """The first `count` entries of each of n rows of a matrix (n, m) without row i's entry top + i."""
    number = len(found.indptr) - 1
    row = np.repeat(np.arange(number), np.diff(found.indptr))
    others = found.indices != top + row
    row, nodes, products = row[others], found.indices[others], found.data[others]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    first = place < count
    index = np.full((number, count), -1, dtype=np.int64)
    similarity = np.zeros((number, count), dtype=np.float32)
    index[row[first], place[first]] = nodes[first]
    similarity[row[first], place[first]] = products[first]
    return Neighbours(index, similarity)


def word_weights(texts: Sequence[str], common: float = 1.0, *, letters: bool = False) -> csr_array:
    """TF-IDF weights (n, words) of texts as rows of unit length: of words, or of three and four letters in a row."""
    units = {"analyzer": "char_wb", "ngram_range": (3, 4)} if letters else {"token_pattern": r"\w\w+"}
    vectorizer = TfidfVectorizer(sublinear_tf=True, dtype=np.float32, max_df=common, **units)
    try:
        return csr_array(vectorizer.fit_transform(texts))
    except ValueError:
        # No text has a word.
        return csr_array((len(texts), 1), dtype=np.float32)


def products(rows: Vectors | csr_array, a: Numbers, b: Numbers) -> Floats:
    """The product of rows a and b, (m,), of a matrix (n, d)."""
    found = np.empty(len(a))
    for start in range(0, len(a), PAIRS):
        part = slice(start, start + PAIRS)
        if isinstance(rows, np.ndarray):
            found[part] = np.einsum("ij,ij->i", rows[a[part]], rows[b[part]])
        else:
            found[part] = rows[a[part]].multiply(rows[b[part]]).sum(axis=1)
    return found


def local_radius(neighbours: Neighbours) -> Floats:
    """The distance (n,) of each post to its neighbour of LOCAL_RANK; 1 where there are fewer posts."""
    number, count = neighbours.similarity.shape
    if count < LOCAL_RANK:
        return np.ones(number)
    return np.maximum(1 - neighbours.similarity[:, LOCAL_RANK - 1].astype(np.float64), CLOSEST)


def candidates(posts: Posts, by_vector: Neighbours | None = None) -> Candidates:
    """The pairs of neighbours among n posts, with the features by which their chance is estimated.

    by_vector: the NEAREST neighbours of each post by embedding (n, k), if they are known.
    """
    number = len(posts.texts)
    if number < 2:
        return Candidates(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, len(FEATURES))))
    vectors = mixed(posts.text_vectors, posts.title_vectors)
    by_vector = by_vector or nearest(vectors, NEAREST)
    texts = word_weights(posts.texts, COMMON if number > FEW else 1.0)
    by_words = alike(texts, ALIKE)

    found = [each.nodes >= 0 for each in (by_vector, by_words)]
    one = np.concatenate([np.nonzero(known)[0] for known in found])
    other = np.concatenate([by_vector.nodes[found[0]], by_words.nodes[found[1]]])
    a, b = np.divmod(np.unique(np.minimum(one, other) * number + np.maximum(one, other)), number)

    # One matrix after the other, because each is large.
    features = np.empty((len(a), len(FEATURES)))
    features[:, 0] = products(vectors, a, b)
    del vectors
    features[:, 1] = products(posts.text_vectors, a, b)
    features[:, 2] = products(posts.title_vectors, a, b)
    radius = local_radius(by_vector)
    features[:, 3] = (1 - features[:, 0]) / np.sqrt(radius[a] * radius[b])
    features[:, 4] = products(texts, a, b)
    del texts
    features[:, 5] = products(word_weights(posts.titles), a, b)
    features[:, 6] = products(word_weights(posts.titles, letters=True), a, b)
    return Candidates(a, b, features)


def by_ground(rows: Iterable[tuple[str, str, float]]) -> dict[str, dict[str, float]]:
    """The weights of each ground, from rows of seed pair_weights: ground, feature and weight."""
    weights: dict[str, dict[str, float]] = {REPORTS: {}, PUBLIC: {}, OWN_WORDS: {}, DENSE: {}}
    for ground, feature, weight in rows:
        weights[ground][feature] = weight
    return weights


def regression(features: Floats, weights: Weights) -> Floats:
    """The chance (m,) that a logistic regression gives m pairs with features (m, 7)."""
    by_feature = np.array([weights.get(name, 0.0) for name in FEATURES])
    chance: Floats = expit(features @ by_feature + weights.get(BIAS, 0.0))
    return chance


def chances(features: Floats, weights: Mapping[str, Weights]) -> Floats:
    """The chance (m,) that the posts of each of m pairs with features (m, 7) report the same problem.

    weights: those of REPORTS and of PUBLIC; and those of OWN_WORDS, if these count.
    """
    highest: Floats = np.maximum(regression(features, weights[REPORTS]), regression(features, weights[PUBLIC]))
    if weights.get(OWN_WORDS):
        np.maximum(highest, OWN_WORDS_COUNT * regression(features, weights[OWN_WORDS]), out=highest)
    return highest


def may_be_same(a: Numbers, b: Numbers, tickets: Tickets) -> Flags:
    """Whether posts a and b of m pairs (m,) can be the same problem (m,), by what programs wrote.

    Two posts of people always can.
    """
    numbers = {frame: number for number, frame in enumerate(sorted({*tickets.frames, ""}))}
    program = np.array([numbers[frame] for frame in tickets.frames], np.int64)
    may: Flags = program[a] == program[b]
    # The empty frame comes first.
    of_program = np.flatnonzero(program)
    compared = np.flatnonzero(may & (program[a] > 0))
    if len(compared):
        words = [tickets.words[index] for index in of_program.tolist()]
        weights = word_weights(words)
        row = np.zeros(len(program), np.int64)
        row[of_program] = np.arange(len(of_program))
        one, other = row[a[compared]], row[b[compared]]
        # Tickets that differ in no word have no weights.
        has_words = np.array([bool(each) for each in words])
        may[compared] = (products(weights, one, other) >= SAME_FAULT) | ~(has_words[one] | has_words[other])
    return may


def possible_chances(found: Candidates, weights: Mapping[str, Weights], tickets: Tickets) -> Floats:
    """The chances (m,) of m candidates; 0 for pairs that cannot be the same problem, by what programs wrote."""
    is_crowd = len(tickets.frames) >= CROWD
    counting = {ground: each for ground, each in weights.items() if is_crowd or ground != OWN_WORDS}
    chance = chances(found.features, counting)
    chance[~may_be_same(found.a, found.b, tickets)] = 0
    return chance
