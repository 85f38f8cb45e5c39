"""models/silver/summaries.py: sentences that stand in the posts, and that the posts share."""

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sumy.models.dom import Sentence
from sumy.nlp.stemmers import Stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.utils import get_stop_words

from groundswell.sentences import Rarity, Words, rank, split
from tests.support.models import load
from tests.support.project import DAY

summaries: Any = load("summaries")

POSTS = [
    "Invoices are off by a cent after VAT rounding. Greetings from rainy Bergen.",
    "VAT rounding leaves our invoices a cent short. My cat walked over the keyboard.",
    "The tax office rejects invoices because of a cent of VAT rounding! Turtles are nice.",
    "Did anybody order pizza? A cent is missing on invoices with VAT rounding per line.",
]


def summarised(texts: list[str]) -> str:
    """The summary of texts as the table holds it; every sentence of it stands in the text that it is said to."""
    sentences = summaries.summarise(texts, Rarity(texts))
    assert all(sentence in texts[index] for index, sentence in sentences)
    return str(summaries.join([sentence for _, sentence in sentences]))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We use e.g. Redis, i.e. a cache. It fails.", ["We use e.g. Redis, i.e. a cache.", "It fails."]),
        ("Look at index.js and app.py. They break.", ["Look at index.js and app.py.", "They break."]),
        ("Upgraded to v1.2.3. It costs 3.5 dollars.", ["Upgraded to v1.2.3.", "It costs 3.5 dollars."]),
        ("We use Node.js. Node.js is slow.", ["We use Node.js.", "Node.js is slow."]),
        ("The U.S. Government asked Mr. Smith. Use .NET.", ["The U.S. Government asked Mr. Smith.", "Use .NET."]),
        ("Call foo.bar() first. Well... I am not sure.", ["Call foo.bar() first.", "Well... I am not sure."]),
        ("See example.com/a.b?c=d.e for it. Really?!", ["See example.com/a.b?c=d.e for it.", "Really?!"]),
        (
            "TypeError: no name. at Object.<anonymous> (a.js:1)",
            ["TypeError: no name.", "at Object.<anonymous> (a.js:1)"],
        ),
        ("1. Install it. 2. Start it.", ["1. Install it.", "2. Start it."]),
        ('"It broke." he said. "Fix it."', ['"It broke." he said.', '"Fix it."']),
        ("カレンダーがずれる。困っています。", ["カレンダーがずれる。", "困っています。"]),
        # None goes beyond its line.
        ("A title\nIt fails on\n\nlogin", ["A title", "It fails on", "login"]),
        ("  - one item\r\n* another ", ["one item", "another"]),
    ],
)
def test_split(text: str, sentences: list[str]) -> None:
    assert list(split(text)) == sentences


@given(st.text())
def test_sentences_are_verbatim_and_leave_nothing_out(text: str) -> None:
    sentences = list(split(text))
    assert all(sentence in text for sentence in sentences)
    marks = re.compile(r"[\s*+•–—-]")
    assert marks.sub("", "".join(sentences)) == marks.sub("", text)


@pytest.mark.parametrize(
    ("texts", "summary"),
    [
        ([], ""),
        (["", " \n"], ""),
        (["One sentence only."], "One sentence only."),
        (["???"], "???"),
        (["🔥🔥🔥"], "🔥🔥🔥"),
        (["word"], "word"),
        (["NO FULL STOP AND ALL CAPITALS"], "NO FULL STOP AND ALL CAPITALS"),
        (["Same. Same. Same."] * 3, "Same."),
        (["The same old story each day. " * 3] * 3, "The same old story each day."),
        (["Hi all,\nThe export to PDF hangs for minutes. Thanks!"], "The export to PDF hangs for minutes."),
        (["Hi. it no longer starts after the update"], "it no longer starts after the update"),
        (["It crashes on the first start, and we have no"], "It crashes on the first start, and we have no"),
        (["It crashes on the first start. And we have no idea of"], "It crashes on the first start."),
        (["What we tried so far is this:\nStart it in safe mode."], "Start it in safe mode."),
        (["No final mark in this title", "But one is in this."], "No final mark in this title. But one is in this."),
        (["Why does it not work?", "Why does it not work with Cursor?"], "Why does it not work?"),
        (["カレンダーの招待が一時間ずれる。困る。"], "カレンダーの招待が一時間ずれる。"),
        (["wordy " * 400], ("wordy " * 50).strip()),
        (["x" * 2_000], "x" * 300),
        (["wordy " * 400 + "\nThe export to PDF hangs."], "The export to PDF hangs."),
    ],
)
def test_summary(texts: list[str], summary: str) -> None:
    assert summarised(texts) == summary


def test_sentences_are_central_and_of_different_posts() -> None:
    summary = summarised(POSTS)
    chosen = list(split(summary))
    posts = [number for sentence in chosen for number, post in enumerate(POSTS) if sentence in post]
    assert len(posts) == len(set(posts)) == 3
    assert posts == sorted(posts)
    assert all("VAT rounding" in sentence for sentence in chosen)
    assert summarised(list(POSTS)) == summary


def test_a_sentence_that_shares_no_words_does_not_lead() -> None:
    # sumy's LexRank leads with the bananas: words of all other sentences weigh nothing to it.
    texts = ["Bananas ripen quickly in summer."]
    texts += [f"The invoice export fails {when}." for when in ("today", "again", "often", "always")]
    day = Rarity([*texts, *(f"Something else, number {number}." for number in range(100))])
    assert 0 not in [index for index, _ in summaries.summarise(texts, day)]


def test_words_weigh_by_the_day() -> None:
    # The second sentence shares Python with the first sentence, and the import with the third.
    texts = ["Python made the export.", "Python made the import.", "Nobody needs an import."]
    of_python, of_import = (
        Rarity([*texts, *[common] * 1_000, *["Something else."] * 1_000]) for common in ("python", "import")
    )
    assert [index for index, _ in summaries.summarise(texts, of_python)][:2] == [1, 2]
    assert [index for index, _ in summaries.summarise(texts, of_import)][:2] == [1, 0]


def test_a_post_does_not_vote_for_its_own_sentences() -> None:
    long = " ".join(f"My cat likes tuna on {day} very much." for day in ("Monday", "Tuesday", "Friday", "Sunday"))
    texts = [long, "The export of invoices fails.", "Exports of an invoice failed again."]
    day = Rarity([*texts, *(f"Something else, number {number}." for number in range(100))])
    assert [index for index, _ in summaries.summarise(texts, day)] == [1, 2, 0]


def test_rarity() -> None:
    rarity = Rarity(["Invoices fail, invoices!", "An invoice.", "The export"])
    rates = [rarity(term) for term in ("invoic", "export", "unseen")]
    assert rates == pytest.approx([np.log(1 + 3 / 2), np.log(4), np.log(4)])
    assert rarity("the") == pytest.approx(np.log(4))


WORDS = st.sampled_from(
    ["the", "and", "VAT", "rounding", "rounded", "invoice", "invoices", "招待", "été", "42", "🔥", "?"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.lists(WORDS, max_size=8).map(" ".join), st.integers(0, 3)), max_size=30))
@example([])
@example([("the and of", 0), ("the of", 1)])
@example([("alpha", 0), ("beta", 1), ("gamma", 2)])
@example([("one sentence only", 0)])
def test_ratings_are_sums_of_sumys_cosines(texts: list[tuple[str, int]]) -> None:
    indices = {Sentence(text, Words()): index for text, index in texts}
    rarity = Rarity(text for text, _ in texts)
    sumys = LexRankSummarizer(Stemmer("english"))
    sumys.stop_words = get_stop_words("english")
    words = {sentence: sumys._to_words_set(sentence) for sentence in indices}
    counts = {sentence: Counter(words[sentence]) for sentence in indices}
    weights = {term: rarity(term) for each in words.values() for term in each}
    infos = rank(indices, rarity)
    for info in infos:
        here = info.sentence
        others = [there for there in indices if indices[there] != indices[here]]
        cosines = [
            sumys.cosine_similarity(words[here], words[there], counts[here], counts[there], weights) for there in others
        ]
        assert info.rating == pytest.approx(sum(cosines), abs=1e-8)
    assert [info.sentence for info in infos] == [
        info.sentence for info in sorted(infos, key=lambda info: (-info.rating, list(indices).index(info.sentence)))
    ]


def unit(*components: float) -> list[float]:
    """A vector of 384 numbers and length 1, in the direction of components."""
    vector = np.zeros(384)
    vector[: len(components)] = components
    return list(vector / np.linalg.norm(vector))


@pytest.mark.parametrize(
    ("vectors", "similarities", "sampled"),
    [
        ([unit(1)], [0.5], [0]),
        ([unit(1)] * 3, [0.5] * 3, [0, 1, 2]),
        # The copy of the nearest comes after the one that is a little farther off, and says something else.
        ([unit(1), unit(1), unit(1, 1)], [0.9, 0.9, 0.8], [0, 2, 1]),
        # Distance is not everything.
        ([unit(1), unit(1, 0.2), unit(0, 1)], [0.9, 0.9, 0.1], [0, 1, 2]),
        ([unit(1, number) for number in range(20)], [0.5] * 20, None),
    ],
)
def test_sample(vectors: list[list[float]], similarities: list[float], sampled: list[int] | None) -> None:
    chosen = summaries.sample(np.array(vectors, dtype=np.float32), np.array(similarities, dtype=np.float32))
    assert len(chosen) == len(set(chosen)) == min(10, len(vectors))
    assert sampled is None or chosen == sampled


class Dbt:
    """What dbt gives a Python model, with the tables of a connection."""

    def __init__(self, session: duckdb.DuckDBPyConnection) -> None:
        self.session = session
        self.config: Any = self

    def __call__(self, **settings: str) -> None: ...

    def meta_get(self, name: str) -> str:
        return {"run_date": DAY}[name]

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        return self.session.sql(f"from silver.{name}")


@pytest.fixture
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema silver;
            create table silver.texts (url_hash text, text text, collection_date date);
            create table silver.title_signals (pattern text, factor double);
            create table silver.items (
                url_hash text, cluster_id int, similarity float, embedding float[384], is_core bool, cluster_date date
            )
            """
        )
        yield connection


def test_a_day_without_posts(session: duckdb.DuckDBPyConnection) -> None:
    summary = summaries.model(Dbt(session), session)
    assert (summary.schema, summary.num_rows) == (summaries.SCHEMA, 0)


def test_a_day(session: duckdb.DuckDBPyConnection, capsys: pytest.CaptureFixture[str]) -> None:
    # 70 clusters of 60 posts are more than one batch, and end within one.
    session.execute(
        f"""
        insert into silver.items
        select
            format('{{:02d}}-{{:02d}}', cluster, post), cluster, 1 - post / 100,
            list_transform(range(384), x -> ((x = post)::int))::float[384], post != 1,
            date '{DAY}' + (cluster = 70)::int
        from range(1, 71) as clusters (cluster), range(60) as posts (post);
        insert into silver.texts
        select url_hash, url_hash || ' is what this post is called.', cluster_date from silver.items
        """
    )
    rows = summaries.model(Dbt(session), session).to_pylist()
    assert [row["cluster_id"] for row in rows] == list(range(1, 70))
    for row in rows:
        cluster = f"{row['cluster_id']:02d}"
        # Orthogonal posts: the nearest ones, without the one that the cluster is not about.
        assert row["sampled"] == [f"{cluster}-{post:02d}" for post in (0, *range(2, 11))]
        assert row["sentences"]
        for each in row["sentences"]:
            assert each["url_hash"] in row["sampled"]
            assert each["sentence"] == f"{each['url_hash']} is what this post is called."
            assert each["sentence"] in row["summary"]
        assert row["cluster_date"] == datetime.date.fromisoformat(DAY)
    assert capsys.readouterr() == ("", "")
