"""models/silver/themes: how themes are grouped and named, from vectors and texts made by hand."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import pdist

from tests.support.models import load

themes: Any = load("theme_assignments")
names: Any = load("theme_terms")

LEAST = 0.45


def unit(rows: Any) -> Any:
    """Rows as unit vectors in float32."""
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def around(count: int, axis: int, seed: int = 1, spread: float = 0.08) -> Any:
    """Unit vectors (count, 64) near one axis."""
    return unit(np.eye(64)[axis] + spread * np.random.default_rng(seed).standard_normal((count, 64)))


def considered(vectors: Any, **known: Any) -> pa.Table:
    """The rows of the model's query for posts u0, u1 ... of which nothing is known but what is given."""
    count = len(vectors)
    embedding = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1), pa.float32()), vectors.shape[1])
    fields = {
        "url_hash": [f"u{number}" for number in range(count)],
        "original": [""] * count,
        "voice": [f"u{number}" for number in range(count)],
        "problem": [""] * count,
        "is_known": [False] * count,
        "theme": [""] * count,
        "size": [0] * count,
        "collection_date": [None] * count,
    } | known
    return pa.table(fields | {"embedding": embedding, "title_embedding": pa.nulls(count, embedding.type)})


def found(table: pa.Table, voices: int = 5) -> dict[str, str | None]:
    """The themes of the rows that a day adds."""
    rows = themes.rows_of_day(table, "2026-11-20", LEAST, voices)
    return dict(zip(rows["url_hash"].to_pylist(), rows["theme_id"].to_pylist(), strict=True))


# -- Groups.


@pytest.mark.parametrize("count", [1, 2, 7, 600])
def test_distances_are_those_of_scipy(count: int) -> None:
    vectors = unit(np.random.default_rng(count).standard_normal((count, 16)))
    assert np.allclose(themes.distances(vectors), pdist(vectors, "cosine"), atol=1e-6)


def test_copies_have_no_negative_distance() -> None:
    vectors = unit(np.tile(np.random.default_rng(1).standard_normal(384), (40, 1)))
    assert themes.distances(vectors).min() >= 0


def test_posts_of_one_area_are_a_group_and_others_are_alone() -> None:
    groups = themes.similar_groups(np.vstack([around(6, 0), around(4, 1), unit(np.eye(64)[[5, 6]])]), LEAST)
    assert len(set(groups[:6])) == len(set(groups[6:10])) == 1
    assert len(set(groups)) == 4


def test_more_posts_than_fit_at_once_are_parted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.vstack([around(30, axis, axis) for axis in range(8)])
    whole = themes.similar_groups(vectors, LEAST)
    monkeypatch.setattr(themes, "AT_ONCE", 100)
    parted = themes.similar_groups(vectors, LEAST)
    assert len(set(whole)) == len(set(parted)) == 8
    assert len(set(zip(whole, parted, strict=True))) == 8


def test_no_posts_are_no_groups() -> None:
    assert not len(themes.similar_groups(np.empty((0, 64), np.float32), LEAST))
    assert themes.rows_of_day(considered(np.empty((0, 64), np.float32)), "2026-11-20", LEAST, 5).num_rows == 0


def test_the_posts_of_a_problem_go_where_most_of_them_are() -> None:
    assert themes.with_their_problems(np.array([1, 1, 2, 3, 2]), ["p", "p", "p", "", ""]) == [1, 1, 1, 3, 2]


@pytest.mark.parametrize(("voices", "opens"), [(4, False), (5, True)])
def test_five_voices_open_a_theme(voices: int, opens: bool) -> None:
    names_of_voices = [f"u{min(number, voices - 1)}" for number in range(8)]
    left = found(considered(around(8, 0), voice=names_of_voices))
    assert set(left.values()) == ({themes.new_name("2026-11-20", "u0")} if opens else {None})
    assert len(left) == 8


def test_a_theme_keeps_its_id_as_it_grows_and_known_posts_get_no_new_row() -> None:
    known = [True] * 6 + [False] * 2
    left = found(considered(around(8, 0), theme=["t"] * 6 + [""] * 2, size=[6] * 6 + [0] * 2, is_known=known))
    assert left == {"u6": "t", "u7": "t"}


def test_a_theme_that_few_speak_of_lately_goes_on() -> None:
    left = found(considered(around(2, 0), theme=["t", ""], size=[9, 0], is_known=[True, False]))
    assert left == {"u1": "t"}


def test_a_post_that_no_longer_belongs_leaves_its_theme() -> None:
    vectors = np.vstack([around(5, 0), around(1, 9)])
    left = found(considered(vectors, theme=["t"] * 6, size=[6] * 6, is_known=[True] * 6))
    assert left == {"u5": None}


def test_copies_follow_their_original() -> None:
    left = found(considered(np.vstack([around(5, 0), around(1, 9)]), original=[""] * 5 + ["u0"]))
    assert len(set(left.values())) == 1
    assert left["u5"]


# -- Names.


def test_a_pair_of_words_takes_the_place_of_a_word_that_it_nearly_always_goes_with() -> None:
    ranked = [("limits", 10), ("claude", 9), ("usage limits", 7), ("claude desktop", 2), ("weekly", 4), ("plan", 4)]
    assert names.chosen(ranked) == ["usage limits", "claude", "weekly"]


def test_a_theme_is_named_by_no_two_forms_of_one_word() -> None:
    assert names.chosen([("invoices", 9), ("invoice", 8), ("fees", 4), ("invoice numbers", 3)]) == ["invoices", "fees"]
    assert names.chosen([("devtools bug", 9), ("node", 8), ("dev tools", 4)]) == ["devtools bug", "node"]


def test_the_terms_of_a_theme_are_what_its_posts_share() -> None:
    limits = [f"Usage limits hit again on {day}, I can't work" for day in ("monday", "tuesday", "friday")]
    battery = [f"Battery drains since update {number}" for number in (1, 2, 3)]
    terms = names.terms_of_themes(["l"] * 3 + ["b"] * 3, limits + battery)
    assert any("limits" in term for term in terms["l"])
    assert any("battery" in term for term in terms["b"])
    assert all(term in " ".join(limits).lower() for term in terms["l"])
    words = {word for each in terms.values() for term in each for word in term.split()}
    assert not words & {"can", "t", "1", "2", "3", "monday", "since"}


@pytest.mark.parametrize("texts", [["", ""], ["1 2 3", "!!! ???"], ["alpha", "beta"], ["<script>", "' or 1=1"]])
def test_posts_without_a_common_word_have_no_terms(texts: list[str]) -> None:
    assert names.terms_of_themes(["t", "t"], texts) == {"t": []}


def test_a_theme_is_not_named_by_a_word_that_says_nothing_but_by_a_language() -> None:
    texts = [f"C code just hangs, using mine again {number}" for number in range(4)]
    [terms] = names.terms_of_themes(["t"] * 4, texts).values()
    words = {word for term in terms for word in term.split()}
    assert "c" in words
    assert not words & {"just", "using"}


def test_terms_hold_no_markup_and_no_address() -> None:
    hostile = ["<img src=x onerror=alert(1)> payments fail " + "https://example.com/" + "a" * 60] * 3
    [terms] = names.terms_of_themes(["t"] * 3, hostile).values()
    assert terms
    assert all(set(term) <= set("abcdefghijklmnopqrstuvwxyz.-+# ") for term in terms)
    assert max(map(len, terms)) <= 2 * names.LONGEST + 1
