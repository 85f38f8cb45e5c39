"""A summary of each cluster of the day, in sentences that its posts really hold.

Grain: one row per cluster_date and cluster_id.
Method: LexRank (Erkan & Radev 2004, JAIR 22) as sumy implements it, over the sentences of up to ten posts
nearest the centroid; three sentences, in the order in which they stand.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.progress import track
from sentencex import segment
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.nlp.stemmers import Stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.utils import get_stop_words

SAMPLED_ITEMS = 10
SENTENCES = 3

SCHEMA = pa.schema([("cluster_date", pa.date32()), ("cluster_id", pa.int32()), ("summary", pa.string())])


class Tokenizer:
    """The two methods that sumy asks of a tokenizer; its own would download nltk's punkt."""

    def to_sentences(self, text: str) -> tuple[str, ...]:
        """Split a text into sentences without blanks around them."""
        return tuple(sentence.strip() for sentence in segment("en", text) if sentence.strip())

    def to_words(self, sentence: str) -> tuple[str, ...]:
        """Split a sentence into its words of letters and digits."""
        return tuple(re.findall(r"\w+", sentence))


def summarise(texts: Sequence[str]) -> str:
    """The three most central sentences of texts; all of a text with fewer; empty where there is no text."""
    tokenizer = Tokenizer()
    summarizer = LexRankSummarizer(Stemmer("english"))
    summarizer.stop_words = get_stop_words("english")
    paragraphs = [Paragraph([Sentence(each, tokenizer) for each in tokenizer.to_sentences(text)]) for text in texts]
    # Sentences that share no word have no rank: sumy divides 0 by 0 and then keeps their order, which will do.
    with np.errstate(invalid="ignore"):
        return " ".join(map(str, summarizer(ObjectDocumentModel(paragraphs), SENTENCES)))


def model(dbt: Any, session: Any) -> pa.Table:
    """Return a summary of every cluster of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="cluster_date")
    documents = dbt.ref("documents")  # noqa: F841  (DuckDB finds both by name, below)
    assignments = dbt.ref("cluster_assignments")  # noqa: F841
    run_date = dbt.config.meta_get("run_date")

    clusters = session.sql(
        f"""
        with sampled as (
            select cluster_date, cluster_id, url_hash, similarity, text
            from assignments
            inner join documents using (url_hash)
            where cluster_date = date '{run_date}'
            qualify row_number() over (partition by cluster_id order by similarity desc, url_hash) <= {SAMPLED_ITEMS}
        )
        select cluster_date, cluster_id, list(text order by similarity desc, url_hash) as texts
        from sampled
        group by all
        order by cluster_id
        """
    ).fetchall()
    console = Console(stderr=True)
    rows = [
        {"cluster_date": cluster_date, "cluster_id": cluster_id, "summary": summarise(texts)}
        for cluster_date, cluster_id, texts in track(
            clusters,
            description=f"Summarising {len(clusters):,} clusters",
            console=console,
            disable=not console.is_terminal,
        )
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
