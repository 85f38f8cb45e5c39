"""Compares the speed of sumy's LexRank and of our ranking of the sentences of a cluster."""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.nlp.stemmers import Stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.utils import get_stop_words

from groundswell.sentences import Rarity, Words, fit_sentences, rank, stem
from tests.support.models import load
from tests.support.project import DAY, SAMPLE, Project

summaries: Any = load("summaries")

# A cluster of a real day has 68 sentences in the median, 118 at most.
SENTENCES = (30, 100, 300, 1_000)
ROUNDS = 5


def real_sentences() -> list[str]:
    """The different sentences of the bundled sample day, in a random order that is the same in every run."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "sample.duckdb")
        ingested = project.ingest("--date", DAY, "--replay", str(SAMPLE))
        if ingested.status:
            sys.exit(ingested.output)
        texts = [body for (body,) in project.query("select body from bronze.raw_items where body is not null")]
    sentences = sorted(map(str, fit_sentences(texts)))
    random.Random(0).shuffle(sentences)
    return sentences


def sumys() -> LexRankSummarizer:
    """Sumy's own LexRank, set up as in its documentation."""
    summarizer = LexRankSummarizer(Stemmer("english"))
    summarizer.stop_words = get_stop_words("english")
    return summarizer


def milliseconds(choose: Callable[[list[Sentence]], object], sentences: Sequence[str], rounds: int) -> float:
    """The median milliseconds to choose sentences."""
    taken = []
    for _ in range(rounds):
        parsed = [Sentence(each, Words()) for each in sentences]
        start = time.perf_counter()
        choose(parsed)
        taken.append(time.perf_counter() - start)
    return median(taken) * 1_000


def measure_summaries() -> Table:
    """Measure both by the number of sentences: ours with an empty cache of stems, and with a full cache."""
    sentences = real_sentences()
    rarity = Rarity(sentences)

    def choose_as_sumy(parsed: list[Sentence]) -> object:
        return sumys()(ObjectDocumentModel([Paragraph(parsed)]), summaries.SENTENCES)

    def choose(parsed: list[Sentence]) -> object:
        # Each sentence is a post of its own.
        indices = {sentence: index for index, sentence in enumerate(parsed)}
        return summaries.choose(rank(indices, rarity), indices)

    def choose_anew(parsed: list[Sentence]) -> object:
        stem.cache_clear()
        return choose(parsed)

    table = Table("sentences", title="Ranking, ms", title_justify="left", box=SIMPLE_HEAD)
    for column in ("sumy", "ours, first", "sumy / ours", "ours, later", "sumy / ours"):
        table.add_column(column, justify="right", no_wrap=True)
    # scipy and sumy set up things once; this time belongs to no cluster.
    summaries.summarise(sentences[:10], rarity)
    for count in SENTENCES:
        stock = milliseconds(choose_as_sumy, sentences[:count], rounds=1)
        first = milliseconds(choose_anew, sentences[:count], ROUNDS)
        later = milliseconds(choose, sentences[:count], ROUNDS)
        figures = f"{stock:,.0f}", f"{first:.1f}", f"{stock / first:.0f}", f"{later:.1f}", f"{stock / later:.0f}"
        table.add_row(f"{count:,}", *figures)
    return table
