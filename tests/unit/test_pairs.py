"""groundswell/pairs.py: the candidates, their features and the chance of a pair."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csr_array, csr_matrix

from groundswell import neighbours, pairs
from groundswell.pairs import FEATURES, Posts
from tests.support.project import pair_weights

Vectors = npt.NDArray[np.float32]


def strangers(count: int, seed: int) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, 384)).astype(np.float32)
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def near(vector: Vectors, cosine: float, seed: int) -> Vectors:
    """A unit vector (384,) with this cosine to another one (384,)."""
    away = strangers(1, seed)[0]
    away -= (away @ vector) * vector
    made: Vectors = cosine * vector + (1 - cosine**2) ** 0.5 * away / np.linalg.norm(away)
    return made


def posts_of(texts: list[str], vectors: Vectors) -> Posts:
    return Posts(texts, texts, vectors, vectors)


def features_of(posts: Posts, a: int, b: int) -> dict[str, float]:
    found = pairs.candidates(posts)
    [row] = np.flatnonzero((found.a == a) & (found.b == b))
    return dict(zip(FEATURES, found.features[row].tolist(), strict=True))


def chance_of(posts: Posts, a: int, b: int) -> float:
    found = pairs.candidates(posts)
    [row] = np.flatnonzero((found.a == a) & (found.b == b))
    return float(pairs.chances(found.features, pair_weights())[row])


@pytest.mark.parametrize("count", [1, 2, 7, 1_100])
def test_the_nearest_are_those_of_brute_force(count: int) -> None:
    vectors = strangers(count, 1)
    found = neighbours.nearest(vectors, 5)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -2)
    expected = np.argsort(-cosine, axis=1)[:, : min(5, count - 1)]
    assert (found.nodes == expected).all()
    assert found.similarity == pytest.approx(np.take_along_axis(cosine, expected, axis=1), abs=1e-6)


def wordy(count: int, seed: int) -> csr_array:
    """Word weights (count, words) of texts whose words are as frequent as those of a language: Zipf's law."""
    chance = np.random.default_rng(seed)
    texts = [" ".join(f"w{word}" for word in chance.zipf(1.3, size=40) if word < 5_000) for _ in range(count)]
    return pairs.word_weights(texts, pairs.COMMON)


def test_the_words_of_many_texts_find_the_same_as_those_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sp_matmul_rs", reason="sp_matmul_rs is not installed: pip install -e '.[large]'")
    words = wordy(1_000, 1)
    exact = pairs.alike(words, pairs.ALIKE)
    monkeypatch.setattr(neighbours, "EXACT", 0)
    for size in (pairs.AT_ONCE, 300):
        monkeypatch.setattr(pairs, "AT_ONCE", size)
        found = pairs.alike(words, pairs.ALIKE)
        assert found.similarity == pytest.approx(exact.similarity, abs=1e-6)
        # Of equally similar texts any count.
        assert (found.nodes == exact.nodes).mean() > 0.99
    # The number of threads changes nothing.
    monkeypatch.setattr(pairs, "usable_cores", lambda: 1)
    assert (pairs.alike(words, pairs.ALIKE).nodes == found.nodes).all()
    # With lists that hold a third of the texts of the most frequent words.
    monkeypatch.setattr(pairs, "LISTED", 33)
    found = pairs.alike(words, pairs.ALIKE)
    assert (found.similarity >= exact.similarity[:, -1:] - 1e-6).mean() >= 0.95
    rows, places = np.nonzero(found.nodes >= 0)
    assert (rows != found.nodes[rows, places]).all()
    assert found.similarity[rows, places] == pytest.approx(
        pairs.products(words, rows, found.nodes[rows, places]), abs=1e-6
    )


def test_the_list_of_a_word_holds_the_texts_in_which_it_weighs_most() -> None:
    words = csr_matrix(np.array([[0.5, 0.1], [0.9, 0], [0.5, 0], [0.7, 0.2]], np.float32))
    assert pairs.word_lists(words, 4).toarray().tolist() == words.T.toarray().tolist()
    # Of equal weights, the earliest text counts.
    expected = np.array([[0.5, 0.9, 0, 0.7], [0.1, 0, 0, 0.2]], np.float32)
    assert pairs.word_lists(words, 3).toarray().tolist() == expected.tolist()


def test_texts_without_words_are_alike_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    words = pairs.word_weights(["", "?", "one word"])
    for exact in (3, 0):
        monkeypatch.setattr(neighbours, "EXACT", exact)
        assert (pairs.alike(words, pairs.ALIKE).nodes == -1).all()


def test_no_posts_and_one_post_have_no_candidates() -> None:
    for count in (0, 1):
        found = pairs.candidates(posts_of(["a b"] * count, strangers(count, 1)))
        assert (len(found.a), len(found.b), found.features.shape) == (0, 0, (0, len(FEATURES)))


def test_posts_without_words_are_compared_by_their_vectors() -> None:
    found = pairs.candidates(posts_of(["", "?", "a"], strangers(3, 1)))
    assert list(zip(found.a.tolist(), found.b.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]
    assert np.isfinite(found.features).all()


def test_a_pair_that_shares_rare_words_is_a_candidate_whatever_its_vectors_say() -> None:
    count = 300
    texts = [f"word{number} thing{number}" for number in range(count)]
    texts[10] = texts[200] = "the frobnicator overheats"
    vectors = strangers(count, 1)
    vectors[10], vectors[200] = vectors[0], -vectors[0]
    assert features_of(posts_of(texts, vectors), 10, 200)["text_words"] == pytest.approx(1)


def test_the_features_of_a_pair() -> None:
    count = 40
    texts = [f"stranger{number} speaks{number}" for number in range(count)]
    texts[0], texts[1] = "invoices are wrong", "invoices look odd"
    titles = [f"Title{number}" for number in range(count)]
    titles[0] = titles[1] = "Invoices"
    vectors, title_vectors = strangers(count, 1), strangers(count, 2)
    vectors[1], title_vectors[1] = near(vectors[0], 0.8, 3), near(title_vectors[0], 0.6, 4)
    found = features_of(Posts(texts, titles, vectors, title_vectors), 0, 1)
    mixed = pairs.mixed(vectors, title_vectors)
    similarity = float(mixed[0] @ mixed[1])
    tenth = [np.sort(1 - np.delete(mixed, post, axis=0) @ mixed[post])[9] for post in (0, 1)]
    assert found["similarity"] == pytest.approx(similarity, abs=1e-6)
    assert found["text_similarity"] == pytest.approx(0.8, abs=1e-5)
    assert found["title_similarity"] == pytest.approx(0.6, abs=1e-5)
    assert found["local_distance"] == pytest.approx((1 - similarity) / (tenth[0] * tenth[1]) ** 0.5, abs=1e-5)
    assert 0 < found["text_words"] < 1
    assert found["title_words"] == pytest.approx(1)
    assert found["title_letters"] == pytest.approx(1)


def test_the_highest_of_three_chances_counts() -> None:
    close, nearest, without_words = (0.9, 1.2, 0.1), (0.4, 0.5, 0.1), (0.4, 0.9, 0.0)
    features = np.array(
        [[cosine] * 3 + [local] + [words] * 3 for cosine, local, words in (close, nearest, without_words)]
    )
    weights = {
        "reports": {"local_distance": -4.0, "bias": 3.0},
        "public": {"similarity": 9.0, "bias": -6.0},
        "own_words": {"local_distance": -4.0, "text_words": -40.0, "bias": 8.0},
    }
    counts = {"reports": 1, "public": 1, "own_words": pairs.OWN_WORDS_COUNT}
    chances = np.array([count * pairs.regression(features, weights[ground]) for ground, count in counts.items()])
    # Close in a crowd, nearer to each other than to others, and near without common words.
    assert chances.argmax(axis=0).tolist() == [1, 0, 2]
    assert pairs.chances(features, weights).tolist() == chances.max(axis=0).tolist()


def test_what_four_people_say_in_their_own_words_has_a_chance() -> None:
    # The means of the 118 such pairs of 20 matters: a cosine of 0.48, and hardly a common word.
    features = np.array([[0.48, 0.46, 0.38, 0.69, 0.05, 0.03, 0.05]])
    weights = pair_weights()
    by_others = {ground: weights[ground] for ground in ("reports", "public")}
    assert pairs.chances(features, by_others) < 0.14 < pairs.chances(features, weights)
    # Invented posts make no problem likely.
    nearer = np.array([[0.7, 0.7, 0.7, 0.3, 0.0, 0.0, 0.0]])
    assert 0.4 < pairs.chances(nearer, weights) < 0.5


def test_in_a_small_window_no_chance_is_learned_from_own_words() -> None:
    found = pairs.Candidates(np.array([0]), np.array([1]), np.array([[0.48, 0.46, 0.38, 0.69, 0.05, 0.03, 0.05]]))
    chances = [
        pairs.possible_chances(found, pair_weights(), pairs.Tickets([""] * count, [""] * count))[0]
        for count in (pairs.CROWD - 1, pairs.CROWD)
    ]
    assert chances[0] < 0.14 < chances[1]


@pytest.mark.parametrize(("lower", "higher"), [(0.5, 0.6), (0.6, 0.8), (0.8, 0.95)])
def test_nearer_posts_have_a_higher_chance(lower: float, higher: float) -> None:
    def chance(cosine: float) -> float:
        vectors = strangers(60, 1)
        vectors[1] = near(vectors[0], cosine, 2)
        return chance_of(posts_of([f"w{number} x{number}" for number in range(60)], vectors), 0, 1)

    assert 0 < chance(lower) < chance(higher) < 1


def test_the_order_of_posts_hardly_changes_a_chance() -> None:
    vectors = strangers(80, 1)
    for number in range(1, 30):
        vectors[number] = near(vectors[0], 0.7, 100 + number)
    texts = [" ".join(f"w{number % length}of{length}" for length in range(2, 12)) for number in range(80)]
    texts = [f"{text} own{number}" for number, text in enumerate(texts)]
    order = np.random.default_rng(3).permutation(80)

    def by_pair(names: npt.NDArray[np.int64]) -> dict[frozenset[int], float]:
        found = pairs.candidates(posts_of([texts[name] for name in names], vectors[names]))
        chance = pairs.chances(found.features, pair_weights())
        ends = zip(names[found.a].tolist(), names[found.b].tolist(), strict=True)
        return dict(zip(map(frozenset, ends), chance.tolist(), strict=True))

    one, other = by_pair(np.arange(80)), by_pair(order)
    near_by = {pair for pair in one if max(pair) < 30}
    assert len(near_by) > 200
    # Texts that share equally many words may rank either way.
    assert [other[pair] for pair in near_by] == pytest.approx([one[pair] for pair in near_by], abs=0.05)


def test_what_programs_wrote_is_the_same_only_where_the_words_that_differ_are_alike() -> None:
    frames = ["", "", "crash <*>", "crash <*>", "crash <*>", "other <*>", "other <*>"]
    words = ["", "", "null pointer render thread", "null pointer render thread loop", "memory audio decoder", "", ""]
    a, b = np.array([0, 0, 2, 2, 3, 2, 5]), np.array([1, 2, 3, 4, 4, 5, 6])
    expected = [
        True,  # two people
        False,  # a person and a program
        True,  # one program, one fault
        False,
        False,  # one program, two faults
        False,  # two programs
        True,  # one program, no words that differ
    ]
    found = pairs.may_be_same(a, b, pairs.Tickets(frames, words))
    assert found.tolist() == expected
    # The order of the posts does not matter.
    turned = pairs.may_be_same(6 - b, 6 - a, pairs.Tickets(frames[::-1], words[::-1]))
    assert turned.tolist() == expected


def test_tickets_with_and_without_words_that_differ_are_two_faults() -> None:
    found = pairs.may_be_same(np.array([0]), np.array([1]), pairs.Tickets(["f", "f"], ["null pointer", ""]))
    assert found.tolist() == [False]


def test_without_programs_all_pairs_may_be_the_same() -> None:
    nobody = pairs.Tickets([""] * 3, [""] * 3)
    assert pairs.may_be_same(np.array([0, 1]), np.array([1, 2]), nobody).tolist() == [True, True]
    assert pairs.may_be_same(np.empty(0, np.int64), np.empty(0, np.int64), pairs.Tickets([], [])).tolist() == []
