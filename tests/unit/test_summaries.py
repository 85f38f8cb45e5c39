"""models/silver/summaries.py: sentences that stand in the posts, chosen as sumy would choose them."""

import datetime
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.nlp.stemmers import Stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.utils import get_stop_words

from tests.support.models import load
from tests.support.project import DAY, SAMPLE, Project

summaries: Any = load("summaries")

POSTS = [
    "Invoices are off by a cent after VAT rounding. Greetings from rainy Bergen.",
    "VAT rounding leaves our invoices a cent short. My cat walked over the keyboard.",
    "The tax office rejects invoices because of a cent of VAT rounding! Turtles are nice.",
    "Did anybody order pizza? A cent is missing on invoices with VAT rounding per line.",
]


def summarised(texts: list[str]) -> str:
    """The summary of texts as the table holds it; every sentence of it stands in the text that it is said to."""
    sentences = summaries.summarise(texts)
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
    assert list(summaries.split(text)) == sentences


@given(st.text())
def test_sentences_are_verbatim_and_leave_nothing_out(text: str) -> None:
    sentences = list(summaries.split(text))
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
    chosen = list(summaries.split(summary))
    posts = [number for sentence in chosen for number, post in enumerate(POSTS) if sentence in post]
    assert len(posts) == len(set(posts)) == 3
    assert posts == sorted(posts)
    assert all("VAT rounding" in sentence for sentence in chosen)
    assert summarised(list(POSTS)) == summary


def assert_same_as_sumy(sentences: list[str]) -> None:
    """Stock sumy and ours give every sentence the same rating, to the last bit, and choose the same."""
    stock = LexRankSummarizer(Stemmer("english"))
    stock.stop_words = get_stop_words("english")
    document = ObjectDocumentModel([Paragraph([Sentence(each, summaries.Words()) for each in sentences])])

    def outcome(summarizer: LexRankSummarizer) -> list[Any]:
        ranked: list[tuple[str, bytes]] = []

        def keep(infos: list[Any]) -> list[Any]:
            ranked.extend((str(info.sentence), np.float64(info.rating).tobytes()) for info in infos)
            return infos

        summarizer(document, keep)
        return [ranked, *(list(map(str, summarizer(document, count))) for count in range(1, 6))]

    # As in the model: sentences without a common word make sumy divide 0 by 0.
    with np.errstate(invalid="ignore"):
        assert outcome(summaries.summarizer()) == outcome(stock)


# Eleven sentences of ten words, any two of which have one in common, and three others: a cosine is 0.1, the threshold
# itself, or an ulp above it, as its sums are taken.
AT_THRESHOLD = [" ".join(f"w{min(a, b)}x{max(a, b)}" for b in range(11) if b != a) for a in range(11)]
AT_THRESHOLD += ["one", "two", "three"]
WORDS = st.sampled_from(
    ["the", "and", "VAT", "rounding", "rounded", "invoice", "invoices", "招待", "été", "42", "🔥", "?"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=30))
@example([])
@example(["the and of"] * 5)
@example(["alpha", "beta", "gamma"])
@example(["one sentence only"])
@example(AT_THRESHOLD)
def test_ranks_as_sumy_does(sentences: list[str]) -> None:
    assert_same_as_sumy(sentences)


def test_ranks_real_sentences_as_sumy_does(project: Project) -> None:
    ingested = project.ingest("--date", DAY, "--replay", str(SAMPLE))
    assert ingested.status == 0, ingested.output
    days = [project.query("select title, body from bronze.raw_items order by url_hash")]
    for file in sorted(Path(os.environ.get("GROUNDSWELL_POSTS", "/nowhere")).glob("*.jsonl")):
        posts = [json.loads(line) for line in file.read_text().split("\n") if line]
        days.append([(post["title"], post["body"]) for post in posts[:300]])
    for day in days:
        texts = [f"{title}\n{body or ''}"[:2_000] for title, body in day]
        for start in range(0, len(texts), 10):
            assert_same_as_sumy(list(map(str, summaries.fit_sentences(texts[start : start + 10]))))


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
            create table silver.texts (url_hash text, text text);
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
        insert into silver.texts select url_hash, url_hash || ' is what this post is called.' from silver.items
        """
    )
    rows = summaries.model(Dbt(session), session).to_pylist()
    assert [row["cluster_id"] for row in rows] == list(range(1, 70))
    for row in rows:
        cluster = f"{row['cluster_id']:02d}"
        # Orthogonal posts: the nearest ones, without the one that the cluster is not about.
        assert row["sampled"] == [f"{cluster}-{post:02d}" for post in (0, *range(2, 11))]
        assert row["summary"].startswith(f"{cluster}-00 is what")
        assert row["cluster_date"] == datetime.date.fromisoformat(DAY)
    assert capsys.readouterr() == ("", "")
