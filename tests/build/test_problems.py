"""Problems: complaints grouped over days, in whatever order these are built, and the tables that are made of them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from groundswell.grouping.day import Grouped, Settings
from groundswell.grouping.day import group_day as group_window
from groundswell.grouping.links import NEIGHBOURS, SAME, TITLED_LENGTH, compared_vectors, nearest_pairs
from groundswell.grouping.voices import REPEATED, voices
from groundswell.grouping.window import Complaints, labels_of
from groundswell.identity import names_of_groups, new_name
from groundswell.llm.labels import ClaimedQuote, Label
from groundswell.pairs import Posts
from tests.support.language_model import honest, settings, sorting
from tests.support.loopback import Loopback
from tests.support.models import load
from tests.support.project import DATABASE, DAY, ROOT, Project, least_chance, pair_weights, project_vars
from tests.support.shared import Shared

problems: Any = load("problem_assignments")
MIN_VOICES: int = project_vars()["problem_voices"]
TIER: str = project_vars()["problem_tier"]
SETTINGS = Settings(MIN_VOICES, least_chance(TIER), pair_weights())
problem_label_attempts: Any = load("problem_label_attempts")

Vectors = npt.NDArray[np.float32]
FIRST_DAY = date(2026, 11, 1)
# Short, so that random days reach beyond it.
WINDOW, MEMORY = 5, 30


def unit(vectors: npt.NDArray[Any]) -> Vectors:
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def strangers(count: int, seed: int, dimensions: int = 384) -> Vectors:
    """Unit vectors (count, dimensions); in many dimensions no two are alike."""
    return unit(np.random.default_rng(seed).normal(size=(count, dimensions)))


def alike(count: int, seed: int, centre: Vectors | None = None, spread: float = 0.02) -> Vectors:
    """Unit vectors (count, 384) around a centre (384,), or a random one; two have a cosine of about 0.87."""
    random = np.random.default_rng(seed)
    middle = strangers(1, seed)[0] if centre is None else centre
    return unit(middle + spread * random.normal(size=(count, 384)))


def bridge(seed: int) -> tuple[Vectors, Vectors, Vectors]:
    """Two centres (384,) that are not quite alike, and the one between them, which is like both."""
    one, far = strangers(2, seed)
    other = unit((one + 1.7 * far)[None])[0]
    return one, other, unit((one + other)[None])[0]


# -- One day: arrays in, names out.


def posts_of(
    vectors: Vectors,
    *,
    author: Sequence[str] = (),
    voice: Sequence[str] = (),
    problem: Sequence[str] = (),
) -> Any:
    """Posts p000, p001 ... of these vectors; of those that have no voice, or no problem, nothing was known before."""
    count = len(vectors)
    author, voice, problem = ([*given, *[""] * (count - len(given))] for given in (author, voice, problem))
    url_hashes = [f"p{number:03}" for number in range(count)]
    sizes = Counter(problem)
    # No two share a word.
    said = Posts(url_hashes, url_hashes, vectors, vectors)
    return Complaints(
        url_hashes, author, [""] * count, voice, problem, [sizes[name] for name in problem], vectors, said
    )


def group_day(posts: Complaints, day: str) -> Grouped:
    """Group posts of a window on its last day."""
    return group_window(posts, day, SETTINGS)


def follow_up(posts: Any, grouped: Any, more: Vectors) -> Any:
    """The posts of the next day with what the day before found out."""
    vectors = np.vstack([posts.vectors, more])
    return posts_of(vectors, author=posts.author, voice=grouped.voice, problem=grouped.problem)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 20, 21, 300])
def test_nearest_pairs_are_those_of_brute_force(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    for name, number in (("ROWS", 37), ("COLUMNS", 50), ("WAITING", 100)):
        monkeypatch.setattr(f"groundswell.grouping.links.{name}", number)
    vectors = strangers(count, seed=count, dimensions=5)
    cosine = vectors @ vectors.T
    expected = set()
    for one in range(count):
        others = sorted(set(range(count)) - {one}, key=lambda other: -cosine[one, other])
        expected |= {(min(one, other), max(one, other)) for other in others[:NEIGHBOURS] if cosine[one, other] >= SAME}
    pairs = nearest_pairs(vectors)
    assert list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)) == sorted(expected)
    assert pairs.similarity == pytest.approx(cosine[pairs.a, pairs.b], abs=1e-6)


def test_the_least_similar_pair() -> None:
    axis, same, other = np.eye(3, dtype=np.float32)[0], SAME, SAME - 0.001
    vectors = np.array([axis, [same, np.sqrt(1 - same**2), 0], [other, 0, np.sqrt(1 - other**2)]], dtype=np.float32)
    pairs = nearest_pairs(vectors)
    assert (pairs.a.tolist(), pairs.b.tolist()) == ([0], [1])


def voices_of(posts: Any) -> list[str]:
    found: list[str] = voices(posts, nearest_pairs(posts.vectors))
    return found


def test_an_author_is_one_voice() -> None:
    # Strangers in what they write; nobody knows who wrote the last two.
    assert voices_of(posts_of(strangers(6, 1), author=["ann", "bob", "ann", "bob"])) == [
        "p000", "p001", "p000", "p001", "p004", "p005"
    ]  # fmt: skip


def test_nearly_the_same_words_are_one_voice() -> None:
    vectors = np.vstack([alike(2, 1, spread=0.003), alike(2, 2)])
    pairs = nearest_pairs(vectors)
    assert pairs.similarity[0] > REPEATED > pairs.similarity[1] > SAME
    assert voices_of(posts_of(vectors)) == ["p000", "p000", "p002", "p003"]
    # The first in the order of posting lends its voice, and its author's later posts follow.
    assert voices_of(posts_of(vectors, author=["", "ann", "ann", "bob"])) == ["p000", "p000", "p000", "p003"]
    assert voices_of(posts_of(vectors[::-1])) == ["p000", "p001", "p002", "p002"]


@pytest.mark.parametrize("spread", [0, 0.0005])
def test_many_copies_are_one_voice(spread: float) -> None:
    # More than any of them has neighbours.
    assert set(voices_of(posts_of(alike(10 * NEIGHBOURS, 1, spread=spread)))) == {"p000"}


def test_known_voices_stay() -> None:
    vectors = np.vstack([alike(3, 1, spread=0.003), strangers(2, 2)])
    # Two that stood before they could be told to be one, and a late post before them.
    posts = posts_of(vectors, author=["", "", "", "ann", "ann"], voice=["", "x", "y", "z", ""])
    assert voices_of(posts) == ["x", "x", "y", "z", "z"]


@pytest.mark.parametrize(
    ("problem", "group", "elsewhere", "names"),
    [
        ("PPP.", "1122", {}, {1: "P"}),
        (".PPP", "1122", {}, {2: "P"}),
        # As many here as there: where the earlier post is.
        ("PP", "21", {}, {2: "P"}),
        ("QPPQ", "3213", {}, {3: "Q", 2: "P"}),
        # Two problems want a group: the one with more posts in it, then the one with the earlier post.
        ("PPQQQ", "11111", {}, {1: "Q"}),
        ("QPPQ", "1111", {}, {1: "Q"}),
        # The other goes on where it has some posts left.
        ("PPPQQQQ", "1121111", {}, {1: "Q", 2: "P"}),
        # Posts that are not looked at count, too: they would go with it.
        ("PPQQQ", "11111", {"P": 2}, {1: "P"}),
        ("QQPPP", "11111", {"P": 2, "Q": 2}, {1: "P"}),
        ("PPQQQ", "11111", {"P": 38, "Q": 40}, {1: "Q"}),
        ("PPPQQQQ", "1121111", {"P": 9}, {1: "P"}),
        ("...", "123", {}, {}),
    ],
)
def test_which_problem_a_group_goes_on_with(
    problem: str, group: str, elsewhere: dict[str, int], names: dict[int, str]
) -> None:
    given = [name.replace(".", "") for name in problem]
    claimed = names_of_groups(given, [int(number) for number in group], Counter(given) + Counter(elsewhere))
    assert claimed == names


@pytest.mark.parametrize(
    ("count", "author", "opens"),
    [
        (3, [], True),
        (2, [], False),
        (3, ["ann", "ann", "ann"], False),
        (4, ["ann", "ann", "bob", "bob"], False),
        (4, ["ann", "ann", "bob", ""], True),
    ],
)
def test_three_voices_open_a_problem(count: int, author: list[str], opens: bool) -> None:
    grouped = group_day(posts_of(np.vstack([alike(count, 1), strangers(5, 2)]), author=author), "2026-11-20")
    name = new_name("2026-11-20", "p000") if opens else ""
    assert grouped.problem == [name] * count + [""] * 5
    assert grouped.merged == {}


@pytest.mark.parametrize("count", [0, 1, 4])
def test_posts_that_have_nothing_in_common(count: int) -> None:
    assert group_day(posts_of(strangers(count, 1)), "2026-11-20").problem == [""] * count


def test_copies_by_others_open_no_problem() -> None:
    assert set(group_day(posts_of(alike(200, 1, spread=0.0005)), "2026-11-20").problem) == {""}


def test_a_problem_keeps_its_id_as_it_grows() -> None:
    posts = posts_of(alike(3, 1))
    grouped = group_day(posts, "2026-11-18")
    [name] = set(grouped.problem)
    centre = strangers(1, 1)[0]
    for seed, day in enumerate(("2026-11-19", "2026-11-20"), start=10):
        posts = follow_up(posts, grouped, alike(9, seed, centre))
        grouped = group_day(posts, day)
        assert set(grouped.problem) == {name}
    assert len(grouped.problem) == 21


@pytest.mark.parametrize("count", [10, 25, 60])
def test_a_problem_that_is_all_there_is_stays_whole(count: int) -> None:
    assert len(set(group_day(posts_of(alike(count, 1)), "2026-11-20").problem)) == 1


def test_a_large_problem_does_not_crumble() -> None:
    others = [alike(6, 100 + seed) for seed in range(100)]
    grouped = group_day(posts_of(np.vstack([alike(400, 5), *others])), "2026-11-20")
    sizes = Counter(grouped.problem[:400])
    assert "" not in sizes
    assert len(sizes) <= 4
    assert len(set(grouped.problem[400:])) == len(others)


def test_a_chain_of_likenesses_is_no_problem() -> None:
    # Each is like the next one and like no other.
    angles = np.arange(8) * np.pi / 4.5
    chain = np.zeros((8, 384), dtype=np.float32)
    chain[:, 0], chain[:, 1] = np.cos(angles), np.sin(angles)
    chain[:, 2] = 0.1 * np.arange(8)
    grouped = group_day(posts_of(unit(chain)), "2026-11-20")
    assert max(Counter(name for name in grouped.problem if name).values(), default=0) <= 3


def test_one_that_stood_alone_founds_a_problem_with_later_ones() -> None:
    like = alike(3, 1)
    posts = posts_of(np.vstack([strangers(4, 2), like[:1]]))
    grouped = group_day(posts, "2026-11-19")
    assert set(grouped.problem) == {""}
    grouped = group_day(follow_up(posts, grouped, like[1:]), "2026-11-20")
    assert grouped.problem == [""] * 4 + [new_name("2026-11-20", "p004")] * 3


def test_what_a_day_does_not_touch_stays() -> None:
    vectors = np.vstack([alike(8, 1), alike(8, 2), strangers(4, 3)])
    # Nobody would group these so; there is nothing new about them either.
    before = [*"PPPPQQQQ", *"QQQQPPPP", *[""] * 4]
    known = [f"v{number}" for number in range(20)]
    grouped = group_day(posts_of(np.vstack([vectors, alike(3, 4)]), voice=known, problem=before), "2026-11-20")
    assert grouped.problem == [*before, *[new_name("2026-11-20", "p020")] * 3]
    assert grouped.voice[:20] == known


def test_a_bridge_merges_two_problems() -> None:
    one, other, between = bridge(1)
    # Others in the graph, without which its modularity would rather part two than join them.
    others = np.vstack([alike(6, seed) for seed in range(50, 58)])
    posts = posts_of(np.vstack([alike(4, 2, one), alike(3, 3, other), others]))
    grouped = group_day(posts, "2026-11-19")
    large, small = grouped.problem[0], grouped.problem[4]
    assert grouped.problem[:7] == [large] * 4 + [small] * 3
    assert large != small
    merged = group_day(follow_up(posts, grouped, alike(8, 4, between)), "2026-11-20")
    assert merged.merged == {small: large}
    assert merged.problem == [large] * 7 + grouped.problem[7:] + [large] * 8


def test_groups_depend_on_the_posts_only() -> None:
    centres = strangers(6, 1)
    vectors = np.vstack([alike(12, seed, centre, 0.028) for seed, centre in enumerate(centres)] + [strangers(30, 9)])
    grouped = group_day(posts_of(vectors), "2026-11-20")
    assert len(set(grouped.problem)) >= 6
    np.random.default_rng(5).normal()
    assert group_day(posts_of(vectors.copy()), "2026-11-20") == grouped

    # What counts is who belongs together; only the names come from the order of posting.
    order = np.random.default_rng(2).permutation(len(vectors))
    shuffled = group_day(posts_of(vectors[order]), "2026-11-20").problem
    partition = {frozenset(order[labels_of(shuffled) == label]) for label in labels_of(shuffled)}
    expected = labels_of(grouped.problem)
    assert partition == {frozenset(np.flatnonzero(expected == label)) for label in expected}


def test_what_posts_are_compared_by() -> None:
    texts, titles = strangers(3, 1), strangers(2, 2)
    vectors = compared_vectors(texts, titles, np.array([True, False, True]))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([TITLED_LENGTH, 1, TITLED_LENGTH])
    assert (vectors[1] == texts[1]).all()
    assert unit(vectors)[::2] == pytest.approx(unit(2 * texts[::2] + titles), abs=1e-6)
    assert vectors.dtype == np.float32


def test_nearly_the_same_words_are_one_voice_under_titles_too() -> None:
    texts = alike(2, 1, spread=0.003)
    vectors = compared_vectors(texts, texts[::-1], np.array([True, True]))
    assert voices_of(posts_of(vectors)) == ["p000", "p000"]


# -- Many days: the model on a database.


class Post(NamedTuple):
    """A complaint, posted so many seconds into its day, with its vectors by model, and the post that it copies."""

    url_hash: str
    day: date
    vectors: dict[str, Vectors]
    # Of its title, by model.
    titles: dict[str, Vectors] | None = None
    author: str | None = None
    duplicate_of: str | None = None
    complaint_score: float = 0.9
    second: int = 0


# A row for each post and model.
ARRIVED = pa.schema(
    [
        ("url_hash", pa.string()),
        ("text", pa.string()),
        ("author", pa.string()),
        ("duplicate_of", pa.string()),
        ("complaint_score", pa.float64()),
        ("second", pa.int64()),
        ("day", pa.date32()),
        ("model", pa.string()),
        ("vector", pa.list_(pa.float32(), 384)),
        ("title", pa.string()),
        ("title_vector", pa.list_(pa.float32(), 384)),
    ]
)


class Run:
    """What dbt hands to the model, for tables of these names in a database in memory."""

    is_incremental = True
    this = "problem_assignments"

    def __init__(self, session: duckdb.DuckDBPyConnection, day: date, settings: dict[str, str]) -> None:
        self.session = session
        self.config = self
        self.settings = {
            "run_date": str(day),
            "embedding_model": "MiniLM",
            "complaint_threshold": "0.5",
            "weak_complaint_threshold": str(project_vars()["weak_complaint_threshold"]),
            "problem_similarity": "0.7",
            "problem_window_days": str(WINDOW),
            "problem_memory_days": str(MEMORY),
            "problem_voices": str(MIN_VOICES),
            "problem_tier": TIER,
            "opinion_accuracy": "0.875",
            "next_day": "",
            **settings,
        }

    def __call__(self, **_: Any) -> None:
        """dbt.config(materialized=...)."""

    def meta_get(self, name: str) -> str:
        return self.settings[name]

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        return self.session.table(name)


class History:
    """Days as they are built one after another."""

    def __init__(self) -> None:
        self.session = duckdb.connect()
        rows = problems.SCHEMA.empty_table()  # noqa: F841  (DuckDB finds it by name)
        self.session.execute(
            "create table posts (url_hash text primary key, author_hash text, posted_at timestamp);"
            "create table documents"
            " (url_hash text, content_hash text, duplicate_of text, complaint_score double, collection_date date);"
            "create table titles (url_hash text, content_hash text);"
            "create table texts (url_hash text, title text, text text);"
            f"create table pair_weights as from '{ROOT / 'seeds' / 'pair_weights.csv'}';"
            f"create table problem_tiers as from '{ROOT / 'seeds' / 'problem_tiers.csv'}';"
            f"create table copy_limits as from '{ROOT / 'seeds' / 'copy_limits.csv'}';"
            "create table wordings (url_hash text, sequences ubigint[]);"
            "create table embeddings (content_hash text, model text, embedding float[384]);"
            "create table corrected_posts (correction_id bigint, url_hash text, problem_id text, as_of_date date);"
            "create table pair_opinions (content_hash_a text, content_hash_b text, is_same boolean);"
            "create table program_posts (url_hash text, frame text, differing_words text, as_of_date date);"
            "create table problem_assignments as select * from rows"
        )

    def build(self, day: int, posts: Iterable[Post] = (), **settings: str) -> None:
        """Build a day, by its number, with posts that have come in by then."""
        arrived = pa.Table.from_pylist(  # noqa: F841  (DuckDB finds it by name)
            [
                post._asdict()
                | {"text": f"title and text of {post.url_hash}", "model": name, "vector": vector}
                | {"title": f"title of {post.url_hash}", "title_vector": (post.titles or {}).get(name)}
                for post in posts
                for name, vector in post.vectors.items()
            ],
            schema=ARRIVED,
        )
        self.session.execute(
            "insert into posts select distinct url_hash, author, day + to_seconds(second) from arrived;"
            "insert into documents"
            " select distinct url_hash, text, duplicate_of, complaint_score, day from arrived;"
            "insert into titles select distinct url_hash, title from arrived;"
            "insert into texts select distinct url_hash, url_hash, url_hash from arrived;"
            "insert into embeddings select text, model, vector from arrived;"
            "insert into embeddings"
            " select title, model, title_vector from arrived where title_vector is not null"
        )
        rows = problems.model(Run(self.session, day_of(day), settings), self.session)  # noqa: F841
        # As the incremental strategy replace_from_day does.
        self.session.execute(
            "delete from problem_assignments where as_of_date >= $day"
            " and (as_of_date < $next_day::date or url_hash in (select url_hash from rows))",
            {"day": day_of(day), "next_day": settings.get("next_day", "infinity")},
        )
        self.session.execute("insert into problem_assignments select * from rows")

    def rows(self) -> set[tuple[Any, ...]]:
        """All rows of the table, of which there are no two of a day and a post."""
        found = self.session.sql("select * from problem_assignments").fetchall()
        assert len({(row[0], row[5]) for row in found}) == len(found)
        return set(found)

    def standing(self, day: int) -> dict[str, str | None]:
        """The problem of each post as a day left them."""
        return dict(
            self.session.execute(
                "select url_hash, arg_max(coalesce(problem_id, ''), as_of_date) from problem_assignments"
                " where as_of_date <= $day group by all",
                {"day": day_of(day)},
            ).fetchall()
        )


def day_of(number: int) -> date:
    """The day of this number; the first is 0."""
    return FIRST_DAY + timedelta(days=number)


def some_posts(day: int, vectors: Vectors, prefix: str = "post", **known: Any) -> list[Post]:
    """A post of the day for each vector."""
    return [
        Post(f"{prefix}-{day:02}-{number:02}", day_of(day), {"MiniLM": vector}, **known)
        for number, vector in enumerate(vectors)
    ]


def random_days(seed: int, days: int = 10) -> list[list[Post]]:
    """Days of posts around centres, some of which grow into one, by people who post twice, with copies."""
    random = np.random.default_rng(seed)
    centres = np.array([bridge(10 * seed + number) for number in range(6)])
    drawn = []
    for day in range(days):
        parts = [strangers(6, 1_000 * seed + day)]
        for one, other, between in centres[random.random(6) < 0.6]:
            for centre in (one, other) if day < days // 2 or random.random() < 0.4 else (between, between):
                parts.append(alike(int(random.integers(1, 6)), int(random.integers(1 << 30)), centre, 0.022))
        vectors = random.permutation(np.vstack(parts))
        # Within a minute, in another order than they have names.
        posts = [post._replace(second=int(random.integers(60))) for post in some_posts(day, vectors)]
        for number, draw in enumerate(random.random(len(posts))):
            if draw < 0.3:
                posts[number] = posts[number]._replace(author=f"author {random.integers(20)}")
            elif draw < 0.4:
                posts[number] = posts[number]._replace(complaint_score=0.2 if draw < 0.35 else 0.3)
            elif draw < 0.5 and number:
                original = posts[number - 1]
                copied = original.duplicate_of or original.url_hash
                posts[number] = posts[number]._replace(duplicate_of=copied, vectors=original.vectors)
        drawn.append(posts)
    return drawn


SEEDS = range(1, 4)


@pytest.fixture(scope="module", params=SEEDS)
def in_order(request: pytest.FixtureRequest) -> Iterator[tuple[int, list[list[Post]], History]]:
    """A seed, its days, and their history as it is when they are built one after another."""
    days, history = random_days(request.param), History()
    for day, posts in enumerate(days):
        history.build(day, posts)
    yield request.param, days, history
    history.session.close()


def test_random_days_have_everything_in_them(in_order: tuple[int, list[list[Post]], History]) -> None:
    _, days, history = in_order
    left = [set(history.standing(day).values()) - {""} for day in range(len(days))]
    opened = set().union(*left)
    assert len(opened) > 8
    # Some end in others, and some posts move.
    assert opened > left[-1]
    assert len(history.rows()) > len(history.standing(len(days)))
    # Copies are where their originals are.
    standing = history.standing(len(days))
    copies = [post for posts in days for post in posts if post.url_hash in standing and post.duplicate_of in standing]
    assert copies
    assert all(standing[post.url_hash] == standing[str(post.duplicate_of)] for post in copies)


def test_a_day_built_again_changes_nothing(in_order: tuple[int, list[list[Post]], History]) -> None:
    _, days, history = in_order
    before = history.rows()
    for day in range(0, len(days), 3):
        history.build(day)
        assert history.rows() == before, day


def test_days_may_be_built_in_any_order(in_order: tuple[int, list[list[Post]], History]) -> None:
    seed, days, expected = in_order
    history = History()
    for day in np.random.default_rng(seed).permutation(len(days)).tolist():
        history.build(day, days[day])
    assert history.rows() == expected.rows()


def test_late_posts_are_as_if_they_had_been_in_time(in_order: tuple[int, list[list[Post]], History]) -> None:
    seed, days, expected = in_order
    random = np.random.default_rng(seed)
    history = History()
    late: list[tuple[int, list[Post]]] = []
    for day, posts in enumerate(days):
        is_late = random.random(len(posts)) < 0.3
        history.build(day, [post for post, after in zip(posts, is_late, strict=True) if not after])
        late.append((day, [post for post, after in zip(posts, is_late, strict=True) if after]))
        if random.random() < 0.3:
            history.build(*late.pop(int(random.integers(len(late)))))
    for place in random.permutation(len(late)).tolist():
        history.build(*late[place])
    assert history.rows() == expected.rows()


def test_a_pass_over_days_groups_each_day_once(in_order: tuple[int, list[list[Post]], History]) -> None:
    seed, days, expected = in_order
    random = np.random.default_rng(seed)
    history, late = History(), {}
    for day, posts in enumerate(days):
        is_late = (random.random(len(posts)) < 0.3) & (day in (1, 4, 7))
        history.build(day, [post for post, after in zip(posts, is_late, strict=True) if not after])
        late[day] = [post for post, after in zip(posts, is_late, strict=True) if after]
    for day, next_day in ((1, 4), (4, 7)):
        before = {row for row in history.rows() if row[5] >= day_of(next_day)}
        history.build(day, late[day], next_day=str(day_of(next_day)))
        assert {row for row in history.rows() if row[5] >= day_of(next_day)} <= before
        assert history.rows() != expected.rows()
    history.build(7, late[7])
    assert history.rows() == expected.rows()


def test_an_id_is_never_used_again(in_order: tuple[int, list[list[Post]], History]) -> None:
    _, days, history = in_order
    ended: set[str | None] = set()
    before: set[str | None] = set()
    for day in range(len(days)):
        now = set(history.standing(day).values()) - {""}
        ended |= before - now
        assert not now & ended
        before = now
    assert ended


def test_unrelated_posts_move_nobody(in_order: tuple[int, list[list[Post]], History]) -> None:
    seed, days, history = in_order
    before = history.rows()
    unrelated = np.vstack([alike(5, 10_000 + seed), strangers(20, 20_000 + seed)])
    day = len(days)
    history.build(day, some_posts(day, unrelated, "unrelated"))
    assert before <= history.rows()
    added = [row[:2] for row in history.rows() - before]
    assert len(added) == 25
    assert all(url_hash.startswith("unrelated") for url_hash, _ in added)
    assert len({problem for _, problem in added if problem}) == 1
    # For the other tests, as if it had not been.
    history.session.execute("delete from problem_assignments where as_of_date = $day", {"day": day_of(day)})
    history.session.execute("delete from documents where collection_date = $day", {"day": day_of(day)})


@pytest.mark.parametrize(
    ("silence", "reopens"), [(1, True), (WINDOW - 1, True), (WINDOW, True), (MEMORY, True), (MEMORY + 1, False)]
)
def test_how_long_a_problem_is_remembered(silence: int, reopens: bool) -> None:
    history, like = History(), alike(12, 1)
    history.build(0, some_posts(0, like[:8]))
    [name] = set(history.standing(0).values())
    assert name
    # One post reopens it, where three are needed to open one.
    history.build(silence, some_posts(silence, like[8:9]))
    assert history.standing(silence)[f"post-{silence:02}-00"] == (name if reopens else "")
    history.build(silence + 1, some_posts(silence + 1, like[9:]))
    left = history.standing(silence + 1)
    assert list(left.values()).count(name) == (12 if reopens else 8)
    assert len(set(left.values())) == (1 if reopens else 2)


def test_posts_older_than_the_window_follow_their_problem() -> None:
    one, other, between = bridge(1)
    history = History()
    history.build(0, some_posts(0, np.vstack([alike(6, 2, one), alike(5, 3, other)])))
    assert sorted(Counter(history.standing(0).values()).values()) == [5, 6]
    day = WINDOW + 2
    others = np.vstack([alike(6, seed) for seed in range(50, 58)])
    history.build(day, some_posts(day, alike(8, 4, between)) + some_posts(day, others, "other"))
    # Three of each were looked at and merged; the others, which were not, go where those went.
    left = {problem for url_hash, problem in history.standing(day).items() if url_hash.startswith("post")}
    assert len(left) == 1
    assert left < set(history.standing(0).values())


def test_posts_that_follow_do_so_by_the_model_of_the_day() -> None:
    one, other, between = bridge(1)
    history = History()
    history.build(0, some_posts(0, np.vstack([alike(6, 2, one), alike(5, 3, other)])))
    day = WINDOW + 2
    history.session.execute("insert into embeddings select content_hash, 'new', embedding from embeddings")
    joined = [post._replace(vectors={"new": post.vectors["MiniLM"]}) for post in some_posts(day, alike(8, 4, between))]
    history.build(day, joined, embedding_model="new")
    models = [(row[4], row[5] == row[6]) for row in history.rows() if row[5] == day_of(day)]
    # Eight that came in, and those that were merged.
    assert Counter(models) == {("new", True): 8, ("new", False): 5}


def test_one_recent_post_does_not_stand_for_all_that_were_before_it() -> None:
    one, far = strangers(2, 2)
    history = History()
    history.build(0, some_posts(0, alike(12, 2, one)))
    [name] = set(history.standing(0).values())
    assert name
    # A post at the edge of the problem, then some that are like its others and not like that one.
    [aside] = some_posts(4, alike(1, 9, unit((one + 0.75 * far)[None])[0]), "aside")
    history.build(4, [aside])
    assert history.standing(4)[aside.url_hash] == name
    history.build(7, some_posts(7, alike(3, 4, unit((one - 0.35 * far)[None])[0])))
    assert set(history.standing(7).values()) == {name}


def test_a_large_problem_keeps_its_id_though_little_of_it_is_recent() -> None:
    one, other, between = bridge(1)
    history = History()
    history.build(0, some_posts(0, alike(40, 2, one), "large"))
    history.build(3, some_posts(3, alike(1, 9, one), "large"))
    history.build(6, some_posts(6, alike(6, 3, other), "small"))
    large, small = history.standing(6)["large-00-00"], history.standing(6)["small-06-00"]
    assert Counter(history.standing(6).values()) == {large: 41, small: 6}
    others = np.vstack([alike(6, seed) for seed in range(50, 58)])
    history.build(7, some_posts(7, alike(8, 4, between), "between") + some_posts(7, others))
    left = history.standing(7)
    assert {name for url_hash, name in left.items() if not url_hash.startswith("post")} == {large}


@pytest.mark.parametrize("day", [1, WINDOW + 2])
def test_copies_count_in_a_problem_whatever_the_window_holds(day: int) -> None:
    one, other, between = bridge(1)
    history = History()
    few = some_posts(0, alike(5, 3, other), "few")
    copies = [few[0]._replace(url_hash=f"few-copy-{number}", duplicate_of=few[0].url_hash) for number in range(10)]
    history.build(0, some_posts(0, alike(6, 2, one), "more") + few + copies)
    assert sorted(Counter(history.standing(0).values()).values()) == [6, 15]
    others = np.vstack([alike(6, seed) for seed in range(50, 58)])
    history.build(day, some_posts(day, alike(8, 4, between), "between") + some_posts(day, others))
    left = history.standing(day)
    names = {name for url_hash, name in left.items() if not url_hash.startswith("post")}
    assert names == {history.standing(0)["few-00-00"]}


def test_a_higher_threshold_opens_no_second_problem() -> None:
    history, like = History(), alike(12, 1)
    history.build(0, [post._replace(complaint_score=0.55) for post in some_posts(0, like[:8])])
    history.build(1, some_posts(1, like[8:]), complaint_threshold="0.6")
    assert len(set(history.standing(1).values())) == 1


@pytest.mark.parametrize(
    ("scores", "weakest", "together"),
    [
        ((0.9, 0.9, 0.3), "0.25", True),
        # A score of just the threshold.
        ((0.5, 0.5, 0.25), "0.25", True),
        ((0.9, 0.9, 0.2), "0.25", False),
        ((0.9, 0.3, 0.3), "0.25", False),
        ((0.3, 0.3, 0.3), "0.25", False),
        ((0.9, 0.9, 0.3), "0.5", False),
        # A higher value changes nothing for complaints.
        ((0.9, 0.9, 0.9), "0.7", True),
    ],
)
def test_a_weak_complaint_joins_complaints(scores: tuple[float, ...], weakest: str, together: bool) -> None:
    history = History()
    posts = some_posts(0, np.vstack([alike(3, 1), strangers(3, 3)]))
    scored = [post._replace(complaint_score=score) for post, score in zip(posts[:3], scores, strict=True)]
    history.build(0, scored + posts[3:], weak_complaint_threshold=weakest)
    standing = history.standing(0)
    names = {standing.get(post.url_hash) or "" for post in scored}
    assert (len(names) == 1 and names != {""}) == together


def test_weak_complaints_wait_for_complaints() -> None:
    history, like = History(), alike(4, 1)
    first = some_posts(0, np.vstack([like[:2], strangers(3, 3)]))
    history.build(0, [post._replace(complaint_score=0.3) for post in first[:2]] + first[2:])
    assert set(history.standing(0).values()) == {""}
    history.build(1, some_posts(1, like[2:]))
    standing = history.standing(1)
    assert standing["post-00-00"] == standing["post-00-01"] == standing["post-01-00"] != ""


def test_an_author_is_one_voice_for_good() -> None:
    history, like = History(), alike(20, 2)
    history.build(0, some_posts(0, like[:6], "first") + some_posts(0, like[6:7], "ann", author="ann"))
    for number, day in enumerate((WINDOW, 2 * WINDOW), start=2):
        history.build(day, some_posts(day, like[5 + number : 6 + number], "ann", author="ann"))
        # So many others that none of ann's is among the latest three.
        history.build(day + 1, some_posts(day + 1, like[8 + 3 * number : 11 + 3 * number]))
    voices = {row[2] for row in history.rows() if row[0].startswith("ann")}
    assert voices == {"ann-00-00"}


def test_titles_have_their_say() -> None:
    # Texts with cosines of about 0.5, among strangers.
    centre = strangers(1, 1)[0]
    texts, others = alike(4, 2, centre, 0.05), some_posts(0, strangers(40, 4), "other")
    chance = {}
    for title_spread in (0.01, 3):
        titles = alike(4, 3, centre, title_spread)
        complaints = [
            post._replace(titles={"MiniLM": title}) for post, title in zip(some_posts(0, texts), titles, strict=True)
        ]
        history = History()
        history.build(0, [*complaints, *others])
        [[chance[title_spread]]] = history.session.execute(
            "select avg(coalesce(chance, 0)) from problem_assignments where url_hash like 'post%'"
        ).fetchall()
    assert chance[0.01] > chance[3] + 0.1


def test_another_model_groups_anew_and_compares_nothing_across() -> None:
    history = History()
    first, second = alike(3, 1), alike(3, 2)
    posts = some_posts(0, np.vstack([first, strangers(3, 3)]))
    # The new model sees a problem where the old one saw strangers.
    seen_anew = np.vstack([strangers(3, 4), second])
    posts = [
        post._replace(vectors=post.vectors | {"new": vector}) for post, vector in zip(posts, seen_anew, strict=True)
    ]
    # A problem of which the new model has seen no post.
    unseen = some_posts(0, alike(3, 5), "unseen")
    history.build(0, posts + unseen)
    by_old = history.standing(0)
    assert [bool(by_old[post.url_hash]) for post in posts] == [True] * 3 + [False] * 3

    centre = {seed: strangers(1, seed)[0] for seed in (1, 2, 5)}
    later = [
        Post(
            f"later-{seed}",
            day_of(1),
            {"new": alike(1, 10 + seed, centre[seed])[0], "MiniLM": strangers(1, 20 + seed)[0]},
        )
        for seed in centre
    ]
    history.build(1, later, embedding_model="new")
    left = history.standing(1)
    name = left["post-00-03"]
    assert name == new_name(str(day_of(1)), "post-00-03")
    # Those that the new model finds alike; not those whose vector is near one that the old model made.
    assert {url_hash for url_hash, problem in left.items() if problem == name} == {
        "post-00-03", "post-00-04", "post-00-05", "later-2"
    }  # fmt: skip
    assert left["later-1"] == left["later-5"] == ""
    assert [left[post.url_hash] for post in unseen] == [by_old[post.url_hash] for post in unseen]
    models = history.session.sql("select distinct as_of_date, model from problem_assignments order by 1").fetchall()
    assert models == [(day_of(0), "MiniLM"), (day_of(1), "new")]


# -- What people correct.


def give(history: History, day: int, problem: str | None, *posts: str) -> None:
    """A correction, made after this day, gives posts to a problem."""
    history.session.execute(
        "insert into corrected_posts select (select count(*) from corrected_posts), unnest($posts), $problem, $day",
        {"posts": list(posts), "problem": problem, "day": day_of(day)},
    )


def names_of(history: History, day: int, prefix: str) -> set[str | None]:
    """The problems of the posts with this prefix, as a day left them."""
    return {problem for url_hash, problem in history.standing(day).items() if url_hash.startswith(prefix)}


def reports(day: int, count: int, seed: int, prefix: str, centre: int) -> list[Post]:
    """Posts of a matter, which its number names."""
    return some_posts(day, alike(count, seed, strangers(1, centre)[0]), prefix)


def judge(history: History, one: str, other: str, *, is_same: bool) -> None:
    """A language model says whether two posts are the same problem."""
    history.session.execute(
        "insert into pair_opinions values (least($one, $other), greatest($one, $other), $same)",
        {"one": f"title and text of {one}", "other": f"title and text of {other}", "same": is_same},
    )


def test_one_verdict_joins_two_groups_of_three_voices() -> None:
    history = History()
    posts = reports(0, 3, 1, "one", 1) + reports(0, 3, 2, "two", 2) + some_posts(0, strangers(20, 9), "other")
    history.build(0, posts)
    [one], [two] = names_of(history, 0, "one"), names_of(history, 0, "two")
    assert one != two
    before = history.rows()
    judge(history, "one-00-01", "two-00-02", is_same=True)
    history.build(0)
    [joined] = names_of(history, 0, "one") | names_of(history, 0, "two")
    assert joined in {one, two}
    assert names_of(history, 0, "other") == {""}
    rows = history.rows()
    history.build(0)
    assert history.rows() == rows
    # A later report of either half finds the problem.
    history.build(1, reports(1, 1, 3, "late", 2))
    assert names_of(history, 1, "late") <= {joined, ""}
    assert names_of(history, 1, "one") == names_of(history, 1, "two") == {joined}

    history.session.execute("delete from pair_opinions")
    history.build(0)
    assert {row for row in history.rows() if row[5] == day_of(0)} == before


def test_a_verdict_keeps_apart_what_is_alike() -> None:
    history = History()
    history.build(0, reports(0, 8, 1, "post", 1) + some_posts(0, strangers(20, 9), "other"))
    assert len(names_of(history, 0, "post")) == 1
    first = [f"post-00-{number:02}" for number in range(4)]
    for one in first:
        for number in range(4, 8):
            judge(history, one, f"post-00-{number:02}", is_same=False)
    history.build(0)
    standing = history.standing(0)
    here = {standing[post] for post in first}
    there = {standing[f"post-00-{number:02}"] for number in range(4, 8)}
    assert len(here) == len(there) == 1
    assert not here & there
    assert "" not in here | there


def test_a_person_overrules_a_language_model() -> None:
    history = History()
    history.build(0, reports(0, 3, 1, "one", 1) + reports(0, 3, 2, "two", 2) + some_posts(0, strangers(20, 9), "other"))
    [one], [two] = names_of(history, 0, "one"), names_of(history, 0, "two")
    posts = {name: [f"{name}-00-{number:02}" for number in range(3)] for name in ("one", "two")}
    for each in zip(posts["one"], posts["two"], strict=True):
        judge(history, *each, is_same=True)
    give(history, 0, one, *posts["one"])
    give(history, 0, two, *posts["two"])
    history.build(0)
    assert (names_of(history, 0, "one"), names_of(history, 0, "two")) == ({one}, {two})
    # And the other way round.
    history.session.execute("update pair_opinions set is_same = false")
    give(history, 0, one, *posts["one"], *posts["two"])
    history.build(0)
    assert names_of(history, 0, "one") == names_of(history, 0, "two") == {one}


# On dense ground a post has ten neighbours.
@pytest.mark.parametrize("count", [4, 14])
def test_posts_that_a_person_parts_stay_apart(count: int) -> None:
    history = History()
    others = some_posts(0, strangers(20, 9), "other")
    history.build(0, reports(0, 2 * count, 1, "post", 1) + others)
    [name] = names_of(history, 0, "post")
    before = history.rows()
    left = [f"post-00-{number:02}" for number in range(count)]
    stay = [f"post-00-{number:02}" for number in range(count, 2 * count)]
    give(history, 0, "parted", *left)
    give(history, 0, name, *stay)

    def are_parted(day: int) -> bool:
        standing = history.standing(day)
        return {standing[post] for post in left} == {"parted"} and {standing[post] for post in stay} == {name}

    history.build(0)
    assert are_parted(0)
    # Whatever comes, and though it resembles both; also where the window no longer holds them.
    for day in (1, 2, WINDOW + 3):
        history.build(day, reports(day, 6, 10 + day, "new", 1))
        assert are_parted(day)
        assert names_of(history, day, "new") <= {"parted", name}
    rows = history.rows()
    history.build(0)
    assert history.rows() == rows

    history.session.execute("delete from corrected_posts")
    history.build(0)
    assert {row for row in history.rows() if row[5] == day_of(0)} == before


@pytest.mark.parametrize("count", [4, 14])
def test_problems_that_a_person_merges_stay_one(count: int) -> None:
    history = History()
    others = some_posts(0, strangers(20, 9), "other")
    history.build(0, reports(0, count, 1, "one", 1) + reports(0, count + 2, 2, "two", 2) + others)
    [one], [two] = names_of(history, 0, "one"), names_of(history, 0, "two")
    assert one
    assert two
    assert one != two
    before = history.rows()
    # The smaller one keeps its id, against the rule.
    give(history, 0, one, *(url_hash for url_hash in history.standing(0) if url_hash.startswith(("one", "two"))))
    history.build(0)
    assert names_of(history, 0, "one") == names_of(history, 0, "two") == {one}
    # Later reports find the problem. Where few complain, those of its smaller half may not: they are compared with all
    # posts of the problem on average.
    history.build(1, reports(1, 2, 3, "one", 1) + reports(1, 2, 4, "two", 2))
    assert names_of(history, 1, "two") == {one}
    assert names_of(history, 1, "one") <= ({one, ""} if count < 10 else {one})
    day = WINDOW + 3
    history.build(day, reports(day, 2, 5, "two", 2))
    assert names_of(history, day, "two") == {one}

    history.session.execute("delete from corrected_posts")
    history.build(0)
    assert {row for row in history.rows() if row[5] == day_of(0)} == before
    assert names_of(history, day, "two") == {two}


def test_a_post_goes_where_a_person_pins_it() -> None:
    history = History()
    mild = [post._replace(complaint_score=0.1) for post in some_posts(0, strangers(1, 8), "mild")]
    copies = [mild[0]._replace(url_hash="copy", duplicate_of=mild[0].url_hash)]
    history.build(0, reports(0, 4, 1, "one", 1) + reports(0, 6, 2, "two", 2) + mild + copies)
    [one], [two] = names_of(history, 0, "one"), names_of(history, 0, "two")
    give(history, 0, two, "one-00-00", mild[0].url_hash)
    # The last word counts.
    give(history, 0, one, "two-00-00")
    give(history, 0, two, "two-00-00")
    history.build(1, reports(1, 3, 3, "one", 1))
    standing = history.standing(1)
    assert standing["one-00-00"] == standing["mild-00-00"] == standing["two-00-00"] == two
    assert {standing[post] for post in standing if post.startswith("one")} == {one, two}
    # The day that was built before the corrections is not changed by a later day.
    assert history.standing(0)["one-00-00"] == one
    assert "copy" not in standing


def test_a_copy_can_be_pinned_apart_from_its_original() -> None:
    history = History()
    posts = reports(0, 4, 1, "one", 1)
    copies = [posts[0]._replace(url_hash="copy-1", duplicate_of="one-00-00")]
    copies.append(copies[0]._replace(url_hash="copy-2"))
    history.build(0, posts + copies + reports(0, 6, 2, "two", 2))
    [one], [two] = names_of(history, 0, "one"), names_of(history, 0, "two")
    give(history, 0, two, "copy-1", *(f"two-00-{number:02}" for number in range(6)))
    history.build(0)
    standing = history.standing(0)
    assert (standing["copy-1"], standing["copy-2"], standing["one-00-00"]) == (two, one, one)


def test_a_corrected_problem_is_not_merged_into_another() -> None:
    one, other, between = bridge(1)
    others = np.vstack([alike(6, seed) for seed in range(50, 58)])
    history = History()
    history.build(
        0, some_posts(0, alike(6, 2, one), "one") + some_posts(0, alike(5, 3, other), "two") + some_posts(0, others)
    )
    [large], [small] = names_of(history, 0, "one"), names_of(history, 0, "two")
    give(history, 0, small, *(f"two-00-{number:02}" for number in range(5)))
    history.build(1, some_posts(1, alike(8, 4, between), "between"))
    assert names_of(history, 1, "two") == {small}
    assert names_of(history, 1, "one") == {large}


# -- What a language model says of the posts.


@pytest.mark.parametrize(
    ("voices", "shown", "named", "status", "strays"),
    [
        (3, 3, [1, 2, 3], "labelled", []),
        (4, 4, [1, 3, 4], "labelled", ["p2"]),
        (7, 7, [1, 2, 3], "labelled", ["p4", "p5", "p6", "p7"]),
        (3, 3, [1, 2], "mixed", ["p3"]),
        # Named twice, and a post that was not shown.
        (3, 3, [1, 1, 2, 9], "mixed", ["p3"]),
        (4, 4, [], "mixed", ["p1", "p2", "p3", "p4"]),
        # Posts that speak to a model are not shown, and count for nothing.
        (4, 3, [1, 2, 3], "labelled", []),
        (3, 2, [1, 2], "mixed", []),
        (3, 2, [2], "mixed", ["p1"]),
        # Of one that has lost its third voice.
        (2, 2, [1, 2], "mixed", []),
        # Three of seven do not speak for those that are not shown.
        (8, 6, [1, 2, 3], "labelled", ["p4", "p5", "p6"]),
        (8, 7, [1, 2, 3], "mixed", ["p4", "p5", "p6", "p7"]),
    ],
)
def test_who_has_a_problem(voices: int, shown: int, named: list[int], status: str, strays: list[str]) -> None:
    samples = [{"sample_number": number, "url_hash": f"p{number}", "text": ""} for number in range(1, shown + 1)]
    quotes = [ClaimedQuote(post=number, quote="it fails", shows="problem") for number in named[:1]]
    # Whoever is quoted is meant.
    for posts in (named, named[1:]):
        label = Label.model_construct(posts=posts, quotes=quotes)
        outcome = problem_label_attempts.sort_strays(label, samples, voices, MIN_VOICES)
        assert (outcome["status"], outcome["strays"]) == (status, strays)


# -- The tables, as dbt builds them of real texts.

DAYS = [str(date.fromisoformat(DAY) - timedelta(days=before)) for before in (2, 1, 0)]
TITLES = (
    "Invoice PDF export loses the last page",
    "The last page is missing when I export invoices as PDF",
    "PDF invoices come out without their final page",
    "Exporting an invoice to PDF cuts off the last page",
    "Why is the last page gone from every invoice PDF?",
)
TROUBLES = (
    "I can't send these invoices to customers.",
    "Our accountant keeps complaining and I am stuck.",
    "We waste an hour a day checking every invoice.",
    "It has been broken since the last update of the invoice tool.",
    "Support does not answer, and customers do not see the total.",
)
ATTEMPTS = (
    "I tried another browser, the PDF is still wrong.",
    "Is there a workaround for the PDF export?",
    "Reinstalling the app did not help with the missing page.",
    "How do I get the complete invoice?",
    "It fails for every invoice of more than two pages.",
)
# What eight customers say in their own words.
INVOICES = (
    (
        "Invoice PDF export loses the last page",
        "I can't send these invoices to customers. Firefox fails too.",
    ),
    (
        "Last page missing when I export invoices as PDF",
        "Our accountant keeps asking for the total. Help?",
    ),
    ("PDF invoices without their final page", "Exporting used to work, now the end of each invoice gets lost."),
    (
        "Export to PDF cuts off the last page of an invoice",
        "We waste an hour a day to check them by hand.",
    ),
    (
        "Why is the last page gone from every invoice PDF?",
        "It fails for three pages or more. How do I fix it?",
    ),
    ("Exported invoice PDF is one page short", "Support does not answer, and nobody sees what is to be paid on it."),
    ("Invoices lose a page in the PDF export since Monday", "The page at the end is not in the file. I am stuck."),
    (
        "No last page in the PDF of my invoice",
        "I tried to print instead of the export: same trouble.",
    ),
)
BATTERY = (
    ("Phone battery drains since the update", "My phone battery drains by noon since the update, I am frustrated."),
    ("Since the update my phone battery drains fast", "I can't get through the day, the battery drain is terrible."),
    ("Battery drain on my phone after the update", "Why does the battery drain so fast? A reset did not help."),
)
STRANGERS = (
    ("My landlord's payment portal keeps charging me twice", "I am so frustrated, support never answers."),
    ("How do I stop my Docker build from failing?", "I get an error about a missing layer and can not figure out why."),
    ("The history of the bicycle", "An essay on two centuries of wheels."),
    ("Can't find a dentist who takes my insurance", "I have tried for weeks and I am stuck."),
    ("Map tiles do not load on my watch", "Expected a map, got a grey square. It fails every time I run."),
    ("Announcing our new podcast", "The first episode is released today."),
    ("Tomato plants keep dying on my balcony", "I tried everything. What am I doing wrong?"),
    ("Why is the train to the airport always late?", "I missed two flights and nobody helps."),
    ("Bump version to 2.4.1", "Release notes for 2.4.1."),
)


def invoice_post(number: int) -> tuple[str, str]:
    """Title and body of one of 25 complaints about one thing: in own words, then from parts that several have."""
    if number < len(INVOICES):
        return INVOICES[number]
    row, column = divmod(number, 5)
    return TITLES[column], f"{TROUBLES[row]} {ATTEMPTS[(row + column) % 5]}"


def write_day(folder: Path, day: str) -> str:
    """A file with the posts of one of DAYS."""
    number = DAYS.index(day)
    # Four people complain, then three more, so that there are not yet twice as many, then two, one of them ten times.
    invoices = [
        {
            "author": "loud" if place >= 8 else f"customer {place}",
            "url": f"https://github.com/o/invoices/issues/{place}",
        }
        | dict(zip(("title", "body"), invoice_post(place), strict=True))
        for place in (range(4), range(4, 7), range(7, 18))[number]
    ]
    others = STRANGERS[3 * number : 3 * number + 3] + BATTERY * (number == 2)
    posts = invoices + [
        {"author": f"{title}'s", "url": f"https://github.com/o/r/issues/{number}{place}", "title": title, "body": body}
        | ({"vote_count": 100_000} if (title, body) == BATTERY[0] else {})
        for place, (title, body) in enumerate(others)
    ]
    file = folder / f"{day}.jsonl"
    file.write_text(
        "".join(
            json.dumps({"source": "github", "created_at": f"{day}T12:{minute:02}:00Z"} | post) + "\n"
            for minute, post in enumerate(posts)
        )
    )
    return str(file)


@pytest.fixture(scope="module")
def three_days(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three days, built one after another; read only."""

    def build(folder: Path) -> None:
        project = Project(folder / DATABASE, {"AUTHOR_SALT": "pepper"}, shared.parsed)
        for day in DAYS:
            finished = project.ingest("--file", write_day(folder, day))
            assert finished.status == 0, finished.output
            # The tables of the last day hold those of all three.
            finished = project.build(day, data_tests=day == DAY)
            assert finished.status == 0, finished.output

    folder = shared.copy("three_days", build, tmp_path_factory.mktemp("problems") / "three_days")
    return Project(folder / DATABASE, {"AUTHOR_SALT": "pepper"}, shared.parsed)


def test_a_problem_counts_people_and_days(three_days: Project) -> None:
    # Eighteen posts, ten of them by one person.
    assert three_days.query(
        "select post_count, voices, source_count, days_seen, first_seen::text, last_seen::text, status, trend"
        " from gold.problems where title ilike '%invoice%'"
    ) == [(18, 9, 1, 3, DAYS[0], DAY, "active", "new")]
    # Strangers are in none.
    assert three_days.query("select count(*), sum(post_count)::int from gold.problems") == [(2, 21)]


def test_the_demand_score_is_the_sum_of_its_parts(three_days: Project) -> None:
    rows = three_days.query(
        "select demand_score, [voices_score, engagement_score, sources_score, persistence_score, payment_score,"
        " certainty_score, urgency_score, agreement_score] from gold.problems"
    )
    assert all(score == pytest.approx(sum(parts)) and min(parts) >= 0 for score, parts in rows)


def test_a_viral_post_does_not_outrank_three_times_as_many_voices(three_days: Project) -> None:
    many, viral = three_days.query(
        "select title, voices, voices_score + engagement_score, engagement_score"
        " from gold.problems order by demand_score desc"
    )
    assert "invoice" in many[0].lower()
    assert "battery" in viral[0].lower()
    assert many[1] == 3 * viral[1]
    # Nor would it if the others had been heard on one day only.
    assert many[2] > viral[2]
    assert viral[3] > many[3] == 0


def test_events_tell_what_happened_to_a_problem(three_days: Project) -> None:
    assert three_days.query(
        "select event_date::text, event, posts::int, related_problem_id from gold.problem_events"
        " inner join gold.problems using (problem_id) where title ilike '%invoice%' order by all"
    ) == [(DAYS[0], "opened", 4, None), (DAYS[1], "continued", 3, None), (DAYS[2], "continued", 11, None)]


def test_the_posts_of_a_problem_are_those_that_were_collected(three_days: Project) -> None:
    urls = [url for (url,) in three_days.query("select url from gold.problem_posts where url like '%invoices%'")]
    assert sorted(urls) == sorted(f"https://github.com/o/invoices/issues/{number}" for number in range(18))
    assert three_days.query(
        "select count(*) from gold.problem_posts"
        " inner join bronze.raw_items as posts using (url_hash, url, source, title)"
        " where problem_posts.posted_at = posts.created_at"
    ) == [(21,)]
    # The loud one is one voice, and heard once.
    assert three_days.query(
        "select voice_posts, firsts from (select count(*) as voice_posts, count(*) filter (where is_first_of_voice)"
        " as firsts from gold.problem_posts group by voice) order by all desc limit 2"
    ) == [(10, 1), (1, 1)]


def test_problems_are_joined_with_the_issues_of_their_posts(three_days: Project) -> None:
    joined = three_days.query(
        "select problem_id, sum(links.post_count)::int, count(distinct cluster_date)::int"
        " from gold.problem_issues as links inner join gold.issues using (issue_id, cluster_id, cluster_date)"
        " group by all order by 2"
    )
    assert [row[1:] for row in joined] == [(3, 1), (18, 3)]
    assert three_days.query("select count(*) from gold.problem_issues anti join gold.issues using (issue_id)") == [(0,)]


def test_a_problem_is_labelled_again_when_its_voices_have_doubled(three_days: Project) -> None:
    # Not at seven.
    assert three_days.query(
        "select list(voices order by attempted_at) from gold.problem_label_attempts group by problem_id order by all"
    ) == [([3],), ([4, 9],)]


def test_the_daily_report_counts_what_the_tables_hold(three_days: Project) -> None:
    counted = three_days.query(
        """
        select
            collection_date,
            count(*),
            count(*),
            count(*) filter (where complaint_score >= 0.5),
            (select count(*) from gold.problem_events where event_date = collection_date and event = 'opened'),
            (select count(*) from gold.problem_events where event_date = collection_date and event = 'continued'),
            (select count(*) from gold.issues where cluster_date = collection_date),
            (select count(distinct cluster_id) from silver.items where cluster_date = collection_date),
        from silver.documents
        group by all
        order by all
        """
    )
    assert counted == three_days.query(
        "select report_date, posts, source_counts['github'], complaints, problems_opened, problems_continued,"
        " issues_labelled, clusters from gold.daily_report order by all"
    )
    assert [row[4:6] for row in counted] == [(1, 0), (0, 1), (1, 1)]
    assert three_days.query(
        "select problems_labelled, problems_mixed, problems_waiting, problems_failed, issues_synced, spent_today_usd"
        " from gold.daily_report order by report_date"
    ) == [(1, 0, 0, 0, 0, 0), (1, 0, 0, 0, 0, 0), (2, 0, 0, 0, 0, 0)]


def test_a_build_with_few_problems_says_why(three_days: Project, tmp_path: Path) -> None:
    copy = three_days.copy_to(tmp_path)
    # Nobody has so many voices.
    finished = copy.build(DAYS[0], variables=", problem_voices: 50", data_tests=False)
    assert finished.status == 0, finished.output
    [(posts, complaints, groups, advice)] = copy.query(
        "select window_posts, window_complaints, nearest_groups, advice from gold.problem_searches"
        f" where search_date = '{DAYS[0]}'"
    )
    assert (posts, complaints) == copy.query(
        f"select posts, complaints from gold.daily_report where report_date = '{DAYS[0]}'"
    )[0]
    assert (
        f"no problem is published. Of {posts} posts in 1 of the last 14 days, {complaints} complain" in finished.output
    )
    assert groups[0]["reason"] == "too few voices"
    assert f"near a problem, but too few voices ({groups[0]['posts']} posts" in finished.output
    assert all(f"{DAYS[0]}: {sentence}" in finished.output for sentence in advice)
    # With the usual number there are problems again.
    finished = copy.build(DAYS[0], data_tests=False)
    assert "1 problem is published" in finished.output


@pytest.mark.parametrize("day", DAYS[1:])
def test_another_build_changes_no_problem_and_labels_nothing(three_days: Project, tmp_path: Path, day: str) -> None:
    copy = three_days.copy_to(tmp_path)
    before = copy.contents()
    assert before["silver.problem_assignments"][0] == before["gold.problem_posts"][0] + 6
    finished = copy.build(day, data_tests=False)
    assert finished.status == 0, finished.output
    after = copy.contents()
    names = [name for name in after if "problem" in name] + ["gold.issue_label_attempts"]
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


def test_a_language_model_names_problems_and_quotes_their_posts(
    three_days: Project, tmp_path: Path, loopback: Loopback
) -> None:
    copy = three_days.copy_to(tmp_path)
    copy.query("delete from gold.problem_label_attempts")
    loopback.answer = honest
    finished = copy.build(DAY, "--select", "problem_label_attempts+", data_tests=True, **settings(loopback))
    assert finished.status == 0, finished.output
    # The day's clusters have their labels.
    assert len(loopback.requests) == copy.query("select count(*) from gold.problems")[0][0]
    assert copy.query("select distinct labeler from gold.problems") == [("openai/loopback",)]
    quotes = copy.query(
        """
        select count(*), count(distinct quoted.problem_id), bool_and(contains(documents.text, quoted.quote.quote))
        from (select problem_id, unnest(quotes) as quote from gold.problems) as quoted
        inner join gold.problem_posts
            on quoted.problem_id = problem_posts.problem_id and quoted.quote.url_hash = problem_posts.url_hash
        inner join silver.documents on problem_posts.url_hash = documents.url_hash
        """
    )
    assert quotes == [(4, 2, True)]


def test_posts_with_another_problem_are_strays(three_days: Project, tmp_path: Path, loopback: Loopback) -> None:
    copy = three_days.copy_to(tmp_path)
    copy.query("delete from gold.problem_label_attempts")
    before = copy.contents()
    # The accountant's invoices have another problem, and so have two of three batteries.
    loopback.answer = sorting(lambda post: "accountant" not in post.text and "drains" not in post.text)
    finished = copy.build(DAY, "--select", "problem_label_attempts+", data_tests=True, **settings(loopback))
    assert finished.status == 0, finished.output
    assert "1 labelled in all, 1 mixed, 0 waiting" in finished.output
    assert copy.query("select status, error, canonical_title is null from gold.problem_labels order by 1") == [
        ("labelled", None, False),
        ("mixed", "of 3 posts, 1 have one problem", True),
    ]
    # Of nine voices those remain that are quoted, with all that the loud one wrote.
    strays = copy.query(
        "select count(*), count(distinct voice) from silver.problem_candidates inner join silver.documents"
        " using (url_hash) where text ilike '%invoice%' and voice in"
        " (select candidates.voice from silver.problem_candidates as candidates"
        " inner join silver.documents using (url_hash) where is_first_of_voice and contains(text, 'accountant'))"
    )
    [(posts, people)] = strays
    assert 0 < people < 6
    assert copy.query("select post_count, voices from gold.problems") == [(18 - posts, 9 - people)]
    assert copy.query("select count(*), count(distinct voice) from gold.problem_posts") == [(18 - posts, 9 - people)]
    assert copy.query("select count(*) from gold.problem_post_records") == [(18 - posts,)]
    # What was grouped stays as it was, and nobody is asked twice.
    after = copy.contents()
    assert {name: after[name] for name in after if name.startswith("silver")} == {
        name: before[name] for name in before if name.startswith("silver")
    }
    asked = len(loopback.requests)
    again = copy.build(DAY, "--select", "problem_label_attempts+", data_tests=False, **settings(loopback))
    assert again.status == 0, again.output
    assert len(loopback.requests) == asked == 2
