"""groundswell/grouping: how complaints are grouped, from vectors and ties made by hand."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from groundswell.grouping import voices as voice_module
from groundswell.grouping.communities import communities, is_loose, leiden_communities
from groundswell.grouping.day import Settings, group_day, is_regrouped
from groundswell.grouping.links import Pairs
from groundswell.grouping.voices import REPEATED, likeness, voices
from groundswell.grouping.window import Complaints, labels_of
from groundswell.identity import names_of_groups, new_name
from groundswell.pairs import Posts
from tests.support.models import load
from tests.support.project import least_chance, pair_weights

problems: Any = load("problem_assignments")

Vectors = npt.NDArray[np.float32]
DAY = "2026-11-20"
SETTINGS = Settings(3, least_chance("emerging"), pair_weights())


def axes(*numbers: int) -> Vectors:
    """Unit vectors (n, 64) along these axes: two along one axis have a cosine of 1, all others of 0."""
    return np.eye(64, dtype=np.float32)[list(numbers)]


def pairs_of(*ties: tuple[int, int, float]) -> Any:
    """Ties between two nodes, with their similarity."""
    a, b, similarity = zip(*ties, strict=True) if ties else ((), (), ())
    return Pairs(np.array(a, np.int64), np.array(b, np.int64), np.array(similarity, np.float32))


def clique(*nodes: int, similarity: float = 0.9) -> list[tuple[int, int, float]]:
    """A tie between any two of the nodes."""
    return [(a, b, similarity) for a, b in combinations(nodes, 2)]


def partition(labels: Sequence[int] | npt.NDArray[np.int64]) -> set[frozenset[int]]:
    """The sets of indices with the same label."""
    found = np.asarray(labels)
    return {frozenset(np.flatnonzero(found == label).tolist()) for label in found}


def complaints(vectors: Vectors, **known: Sequence[Any]) -> Any:
    """Complaints u0, u1 ... of which nothing is known but what is given."""
    count = len(vectors)
    nothing = [""] * count
    fields: dict[str, Any] = {
        name: list(known.get(name, nothing)) for name in ("author", "author_voice", "voice", "problem")
    }
    size = list(known.get("size", [Counter(fields["problem"])[name] for name in fields["problem"]]))
    url_hash = [f"u{number}" for number in range(count)]
    # No two texts share a word.
    said = Posts(url_hash, url_hash, vectors, vectors)
    return Complaints(url_hash=url_hash, **fields, size=size, vectors=vectors, said=said)


# -- Names.


def test_the_id_of_a_problem() -> None:
    assert new_name(DAY, "u1") == sha256(b"2026-11-20/u1").hexdigest()[:15]
    assert len(new_name(DAY, "u1")) == 15


def test_a_name_has_one_number_and_each_post_without_a_name_its_own() -> None:
    labels = labels_of(["a", "", "b", "a", "", "b"])
    assert labels.tolist() == [0, 1, 2, 0, 3, 2]
    assert labels.dtype == labels_of([]).dtype == np.int64


# -- Communities.


@pytest.mark.parametrize("rows", [2, 512])
@pytest.mark.parametrize(
    ("members", "loose"),
    [
        # Two are never loose, three are if fewer than half of their ties hold.
        ([1, 2], False),
        ([1, 2, 3], True),
        ([1, 1, 2], True),
        ([1, 1, 1], False),
        # Just half of the ties: 3 of 6.
        ([1, 1, 1, 2], False),
        ([2, 1, 1, 1], False),
        ([1, 1, 2, 2], True),
        # Each has 19 like it. Only the nearest 20 of 59 others count.
        ([1] * 20 + [2] * 20 + [3] * 20, False),
        ([1] * 10 + [2] * 10 + [3] * 10, True),
    ],
)
def test_which_communities_are_loose(
    monkeypatch: pytest.MonkeyPatch, members: list[int], loose: bool, rows: int
) -> None:
    monkeypatch.setattr("groundswell.grouping.communities.ROWS", rows)
    count = len(members)
    assert is_loose(axes(*members), np.zeros(count, np.int64)).tolist() == [loose] * count
    # Between members of a loose community and of a tight one.
    others = axes(4, 5, 6, 7, 7, 7, 7)
    found = is_loose(np.vstack([others[:3], axes(*members), others[3:]]), np.array([3] * 3 + [0] * count + [1] * 4))
    assert found.tolist() == [True] * 3 + [loose] * count + [False] * 4


def test_a_similarity_of_just_the_threshold_is_a_tie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundswell.grouping.communities.SAME", 0.5)
    vectors = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]], dtype=np.float32)
    # Two of three ties: the last two have a cosine of 0.25.
    assert not is_loose(vectors, np.zeros(3, np.int64)).any()


def test_cliques_that_hang_together_by_single_ties_are_divided() -> None:
    # Two cliques with a tie between them, and one apart. One number a post, too: nothing was known before.
    ties = clique(*range(6)) + clique(*range(6, 12)) + clique(*range(12, 16)) + [(5, 6, 0.75)]
    vectors = axes(*[1] * 6, *[2] * 6, *[3] * 4, 4, 5)
    found = communities(vectors, pairs_of(*ties), np.arange(18))
    expected = {
        frozenset(range(6)),
        frozenset(range(6, 12)),
        frozenset(range(12, 16)),
        frozenset([16]),
        frozenset([17]),
    }
    assert partition(found) == expected


def test_a_chain_of_many_cliques_is_divided_ever_more_finely() -> None:
    count, size = 40, 4
    ties, expected = [], set()
    for number in range(count):
        members = range(size * number, size * (number + 1))
        expected.add(frozenset(members))
        ties += clique(*members, similarity=0.75)
        if number:
            ties.append((members[0] - 1, members[0], 0.75))
    vectors = axes(*[number for number in range(count) for _ in range(size)])
    found = communities(vectors, pairs_of(*ties), np.arange(count * size))
    assert partition(found) == expected


def test_a_close_tie_weighs_more_than_two_that_just_hold() -> None:
    # Post 8 has one close tie with the first clique, and two loose ones with the second.
    ties = clique(0, 1, 2, 3) + clique(4, 5, 6, 7) + [(0, 8, 0.99), (4, 8, 0.7), (5, 8, 0.7)]
    found = leiden_communities(pairs_of(*ties), np.arange(9), 1)
    assert partition(found) == {frozenset([0, 1, 2, 3, 8]), frozenset([4, 5, 6, 7])}


def test_a_post_between_two_communities_stays_where_it_was() -> None:
    ties = clique(0, 1, 2, 3) + clique(4, 5, 6, 7) + [(0, 8, 0.9), (4, 8, 0.9)]
    for before, expected in (
        ([0, 0, 0, 0, 1, 1, 1, 1, 0], {frozenset([0, 1, 2, 3, 8]), frozenset([4, 5, 6, 7])}),
        ([0, 0, 0, 0, 1, 1, 1, 1, 1], {frozenset([0, 1, 2, 3]), frozenset([4, 5, 6, 7, 8])}),
    ):
        assert partition(leiden_communities(pairs_of(*ties), np.array(before), 1)) == expected


def test_a_community_whose_links_are_gone_starts_in_parts() -> None:
    # Posts 0 and 2 were one problem, and have no link to each other any more. The library panics at such a start.
    for before in ([0, 1, 0, 2], [0, 1, 0, 1], [0, 1, 2, 0]):
        found = leiden_communities(pairs_of((0, 1, 0.8), (2, 3, 0.8)), np.array(before), 1)
        assert partition(found) == {frozenset([0, 1]), frozenset([2, 3])}


def test_posts_without_ties_are_alone() -> None:
    for ties in ([], [(1, 2, 0.9)]):
        found = leiden_communities(pairs_of(*ties), np.zeros(4, np.int64), 1)
        assert partition(found) == ({frozenset([0]), frozenset([1, 2]), frozenset([3])} if ties else
                                    {frozenset([number]) for number in range(4)})  # fmt: skip


# -- Voices.


def test_a_similarity_of_just_the_limit_makes_one_voice() -> None:
    posts = complaints(axes(1, 2, 3))
    assert voices(posts, pairs_of((0, 1, REPEATED), (1, 2, REPEATED - 0.001))) == [
        "u0", "u0", "u2"
    ]  # fmt: skip


def test_an_author_who_was_heard_before_keeps_the_voice() -> None:
    posts = complaints(axes(1, 2, 3), author=["ann", "bob", "ann"], author_voice=["x", "", "x"])
    assert voices(posts, pairs_of()) == ["x", "u1", "x"]
    # The author counts before the words.
    posts = complaints(axes(1, 2), author=["", "ann"], author_voice=["", "x"])
    assert voices(posts, pairs_of((0, 1, 0.99))) == ["u0", "x"]


def test_a_known_voice_is_lent_to_an_earlier_post_in_the_same_words() -> None:
    posts = complaints(axes(1, 2, 3), voice=["", "", "v"])
    assert voices(posts, pairs_of((0, 2, 0.99))) == ["v", "u1", "v"]


def test_lists_become_arrays() -> None:
    lists = pa.chunked_array(
        [pa.array([[9], [1, 2]], pa.list_(pa.uint64()))[1:], pa.array([[], [3]], pa.list_(pa.uint64()))]
    )
    assert [each.tolist() for each in problems.arrays_of(lists)] == [[1, 2], [], [3]]
    assert [each.tolist() for each in problems.arrays_of(lists[:1])] == [[1, 2]]
    assert problems.arrays_of(lists[:0]) == []


@pytest.mark.parametrize("numbered", [1, 5, 100])
def test_near_copies_under_other_names_are_one_voice(monkeypatch: pytest.MonkeyPatch, numbered: int) -> None:
    monkeypatch.setattr(voice_module, "NUMBERED", numbered)
    # u1 has three of the four different sequences of u0 and u1, u2 two of five; u4 has no words.
    sequences = [[1, 2, 3], [1, 2, 3, 4], [3, 4, 5], [3, 4, 5], []]
    ties = pairs_of(*((a, b, 0.8) for a, b in combinations(range(5), 2)))
    near = likeness(sequences, ties)
    assert near.tolist() == pytest.approx([3 / 4, 1 / 5, 1 / 5, 0, 2 / 5, 2 / 5, 0, 1, 0, 0])
    posts = complaints(axes(*range(5)), author=[*"abcde"], voice=["v", *[""] * 4])._replace(sequences=sequences)
    assert voices(posts, ties, 0.75) == ["v", "v", "u2", "u2", "u4"]
    # A program worded its tickets, so that equal words do not make their authors one.
    posts = posts._replace(frames=["", "", "", "<*> failed", ""])
    assert voices(posts, ties, 0.75) == ["v", "v", "u2", "u3", "u4"]


# -- Which posts are grouped anew, and as what.


def test_posts_that_hang_together_with_a_new_one_are_grouped_anew() -> None:
    # u0 is tied to the new u1; u2 shares a problem with u0; u3 is tied to u2; u4 and u5 are by themselves.
    posts = complaints(axes(*range(6)), voice=["v0", "", "v2", "v3", "v4", "v5"])
    before = labels_of(["P", "", "P", "", "Q", "Q"])
    found = is_regrouped(posts, pairs_of((0, 1, 0.8), (2, 3, 0.8))[:2], before)
    assert found.tolist() == [True, True, True, True, False, False]


@pytest.mark.parametrize(
    ("problem", "group", "names"),
    [
        # Only posts in the group and posts elsewhere count, not those of a problem in other groups.
        ("PPPPPPPQQQQQ", "111122211111", {1: "Q", 2: "P"}),
        ("QQQQQPPPPPPP", "111111112222", {1: "Q", 2: "P"}),
        ("QQQPPPPPP", "111112222", {1: "Q", 2: "P"}),
    ],
)
def test_the_problem_with_most_posts_in_a_group_goes_on(problem: str, group: str, names: dict[int, str]) -> None:
    assert names_of_groups(problem, [int(number) for number in group], Counter(problem)) == names


def test_each_problem_goes_into_the_one_that_has_most_of_its_posts() -> None:
    # Two merges on one day, the second of more posts.
    problem = [*"AAAA", *"BBB", *"CCCCCCCC", *"DDDDDD", "", ""]
    vectors = axes(*[1] * 7, *[2] * 14, 1, 2)
    grouped = group_day(complaints(vectors, problem=problem, voice=[*map(str, range(21)), "", ""]), DAY, SETTINGS)
    assert grouped.merged == {"B": "A", "D": "C"}
    assert grouped.problem == [*"AAAAAAA", *"CCCCCCCCCCCCCC", "A", "C"]


# -- The rows of a day.


def considered(*rows: dict[str, Any]) -> pa.Table:
    """The rows that the model reads for a day; nothing is known of a post but what is given."""
    nothing = {"original": "", "author": "", "author_voice": "", "voice": "", "problem": "", "given": "", "size": 0}
    nothing |= {"frame": "", "differing_words": "", "sequences": [], "complains": True}
    return pa.Table.from_pylist(
        [
            nothing
            | {"problem_before": row.get("problem", "")}
            | {
                "content_hash": f"c{number}",
                "text": f"t{number}",
                "title": "",
                "collection_date": date(2026, 11, 20),
                "title_embedding": None,
            }
            | row
            for number, row in enumerate(rows)
        ],
        schema=pa.schema(
            [
                *(
                    (name, pa.string())
                    for name in (
                        "url_hash",
                        "content_hash",
                        "original",
                        "author",
                        "author_voice",
                        "voice",
                        "problem",
                        "problem_before",
                        "given",
                        "frame",
                        "differing_words",
                    )
                ),
                ("size", pa.int64()),
                ("complains", pa.bool_()),
                ("sequences", pa.list_(pa.uint64())),
                ("text", pa.string()),
                ("title", pa.string()),
                ("collection_date", pa.date32()),
                ("embedding", pa.list_(pa.float32(), 64)),
                ("title_embedding", pa.list_(pa.float32(), 64)),
            ]
        ),
    )


def rows_of_day(table: pa.Table, same: float = 0.7, tier: str = "emerging") -> tuple[dict[str, Any], dict[str, str]]:
    """The rows of the day by url_hash, and the merged problems."""
    moved, merged = problems.rows_of_day(table, DAY, "MiniLM", same, SETTINGS._replace(least=least_chance(tier)))
    assert moved.schema == problems.SCHEMA
    return {row.pop("url_hash"): row for row in moved.to_pylist()}, merged


def test_a_copy_goes_where_its_original_goes() -> None:
    # Three posts with one axis in common; any two have a cosine of 0.8.
    vectors = [0.8**0.5 * axes(1)[0] + 0.2**0.5 * axes(number)[0] for number in (2, 3, 4)]
    posts = [{"url_hash": f"u{number}", "embedding": vector} for number, vector in enumerate(vectors)]
    # The words of the copy would place it elsewhere.
    copy = {"url_hash": "copy", "original": "u1", "embedding": axes(5)[0]}
    # The original of this copy is not among the posts.
    stray = {"url_hash": "stray", "original": "gone", "embedding": axes(6)[0]}
    rows, merged = rows_of_day(considered(copy, *posts, stray))
    name = new_name(DAY, "u0")
    assert {url_hash: row["problem_id"] for url_hash, row in rows.items()} == {
        "copy": name, "u0": name, "u1": name, "u2": name, "stray": None
    }  # fmt: skip
    assert merged == {}
    assert rows["copy"] == {
        "problem_id": name,
        "voice": "u1",
        "chance": rows["u1"]["chance"],
        "model": "MiniLM",
        "as_of_date": date(2026, 11, 20),
        "collection_date": date(2026, 11, 20),
    }


def alike(count: int, cosine: float) -> list[dict[str, Any]]:
    """Posts u0, u1 ... any two of which have this cosine."""
    vectors = [cosine**0.5 * axes(1)[0] + (1 - cosine) ** 0.5 * axes(2 + number)[0] for number in range(count)]
    return [{"url_hash": f"u{number:02}", "embedding": vector} for number, vector in enumerate(vectors)]


@pytest.mark.parametrize(
    ("same", "together"), [(0.5, True), (0.6, True), (0.64, True), (0.66, False), (0.7, False), (0.8, False)]
)
def test_the_similarity_that_makes_one_problem_on_dense_ground_is_a_setting(same: float, together: bool) -> None:
    rows, _ = rows_of_day(considered(*alike(12, 0.65)), same)
    assert {row["problem_id"] for row in rows.values()} == {new_name(DAY, "u00") if together else None}


@pytest.mark.parametrize(
    ("cosine", "tier", "together"),
    [
        (0.96, "certain", False), (0.96, "likely", False), (0.96, "emerging", True), (0.9, "emerging", True),
        (0.6, "emerging", True), (0.3, "emerging", False),
    ],
)  # fmt: skip
def test_how_sure_a_problem_must_be_is_a_setting(cosine: float, tier: str, together: bool) -> None:
    rows, _ = rows_of_day(considered(*alike(3, cosine)), tier=tier)
    assert {row["problem_id"] is not None for row in rows.values()} == {together}
    assert all((row["chance"] is not None) == together for row in rows.values())


def tickets(fault: str, first: int, **known: Any) -> list[dict[str, Any]]:
    """Five tickets of one program that report a fault; their vectors have a cosine of 0.9, whatever the fault."""
    return [
        {
            "url_hash": f"{fault}{number}",
            "text": f"crash report {fault} {number}",
            "frame": "crash report <*>",
            "differing_words": fault,
            "embedding": (axes(0)[0] * 0.9**0.5 + axes(first + number)[0] * 0.1**0.5).tolist(),
        }
        | known
        for number in range(5)
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_tickets_of_a_program_are_grouped_by_what_differs(order: int) -> None:
    rows, _ = rows_of_day(considered(*(tickets("render", 1) + tickets("audio", 10))[::order]))
    found = {name[:-1]: {row["problem_id"] for url, row in rows.items() if url[:-1] == name[:-1]} for name in rows}
    assert all(len(names) == 1 and None not in names for names in found.values())
    assert found["render"] != found["audio"]
    # Written by people, the same posts are one problem.
    rows, _ = rows_of_day(considered(*tickets("render", 1, frame=""), *tickets("audio", 10, frame="")))
    assert len({row["problem_id"] for row in rows.values()}) == 1


def test_a_ticket_leaves_the_problem_of_people_and_follows_no_duplicate() -> None:
    people = tickets("render", 1, frame="", voice="v", problem="p")
    people = [post | {"voice": post["url_hash"], "size": 10} for post in people]
    known = [post | {"url_hash": f"t{post['url_hash']}"} for post in tickets("render", 10, problem="p", size=10)]
    known = [post | {"voice": post["url_hash"], "original": "render0"} for post in known]
    new = {"url_hash": "new", "text": "crash report render 9", "embedding": people[0]["embedding"]}
    rows, merged = rows_of_day(considered(*people, *known, new))
    assert rows["new"]["problem_id"] == "p"
    # The tickets, which were marked meanwhile, open a problem of their own.
    left = {row["problem_id"] for url, row in rows.items() if url.startswith("t")}
    assert len(left) == 1
    assert left.isdisjoint({"p", None})
    assert not merged


def test_only_new_and_moved_posts_have_rows() -> None:
    vectors = axes(1, 1, 1, 2)
    known = [
        {"url_hash": f"u{number}", "embedding": vector, "voice": f"v{number}", "problem": "P", "size": 4}
        for number, vector in enumerate(vectors)
    ]
    new = {"url_hash": "new", "embedding": axes(1)[0]}
    rows, _ = rows_of_day(considered(*known, new))
    assert {url_hash: (row["problem_id"], row["voice"]) for url_hash, row in rows.items()} == {"new": ("P", "v0")}
