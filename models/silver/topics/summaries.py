"""A summary of each cluster of the day: sentences that are copied from its posts.

Grain: one row per cluster_date and cluster_id.
Method: maximal marginal relevance (Carbonell & Goldstein 1998, SIGIR) samples up to ten posts among the fifty core
posts nearest to the centroid. Their sentences are ranked by weighed degree in the graph of LexRank (Erkan & Radev 2004,
JAIR 22): similarity to the sentences of other posts, with words weighed by their rarity among the posts of the day
(groundswell.sentences). What makes a sentence unfit to stand for others lowers its rank (groundswell.titles.telling).
The summary has the three best sentences; the best sentence of each post comes before the second best of any post.

The model uses one process: on two cores, 2,000 clusters take 9 s in one process and 9 s in two processes, of which the
start of the processes takes 2.5 s.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sumy.models.dom import Sentence
from sumy.summarizers._summarizer import SentenceInfo

from groundswell.progress import track
from groundswell.relations import subquery
from groundswell.sentences import CLOSED, Rarity, fit_sentences, rank
from groundswell.titles import Signal, read_signals, telling
from groundswell.vectors import to_vectors

Floats = npt.NDArray[np.float32]
# cluster_id, url_hash, similarity to the centroid, embedding (384,), text
Post = tuple[int, str, float, Floats, str]

CANDIDATES = 50
SAMPLED = 10
# The weight of similarity to the centroid; the rest is the weight of distance to the posts that are sampled already. On
# three real days, the samples are 2 % less similar to the centroid than the ten nearest posts (0.59 and 0.60), and 12 %
# less similar to each other (0.35 and 0.40).
RELEVANCE = 0.7
SENTENCES = 3
# The posts of the day by which words are weighed, at most.
WEIGHED = 20_000
ROWS_PER_BATCH = 2_000

SCHEMA = pa.schema(
    [
        ("cluster_date", pa.date32()),
        ("cluster_id", pa.int32()),
        ("summary", pa.string()),
        ("sentences", pa.list_(pa.struct([("url_hash", pa.string()), ("sentence", pa.string())]))),
        ("sampled", pa.list_(pa.string())),
    ]
)


def choose(ranked: Iterable[SentenceInfo], indices: Mapping[Sentence, int]) -> list[SentenceInfo]:
    """Choose at most SENTENCES of ranked sentences: the best of every text before the second best of any text.

    A sentence is left out if its words are a subset or a superset of the words of a chosen sentence, because it repeats
    that sentence (subsumption in Radev, Jing & Budzikowska 2000).
    """
    chosen: list[tuple[SentenceInfo, set[str]]] = []
    waiting = ranked
    while waiting:
        had_turn: set[int] = set()
        # The sentences of texts that have had their turn wait for the next one.
        later: list[SentenceInfo] = []
        for info in waiting:
            if indices[info.sentence] in had_turn:
                later.append(info)
                continue
            had_turn.add(indices[info.sentence])
            words = {word.lower() for word in info.sentence.words}
            if not any(words <= others or others <= words for _, others in chosen):
                chosen.append((info, words))
            if len(chosen) == SENTENCES:
                return [info for info, _ in chosen]
        waiting = later
    return [info for info, _ in chosen]


def join(sentences: Sequence[str]) -> str:
    """Join sentences to a paragraph. A full stop is added between sentences where the mark is missing, as in titles."""
    closed = (sentence if CLOSED.search(sentence) else f"{sentence}." for sentence in sentences[:-1])
    return " ".join([*closed, *sentences[-1:]])


def summarise(texts: Sequence[str], rarity: Rarity, signals: Sequence[Signal] = ()) -> list[tuple[int, str]]:
    """The most central sentences of texts, at most SENTENCES, as (index of the text, sentence).

    rarity: the weights of words. signals: what lowers the rank of a sentence. The list is empty only if there is no
    text.
    """
    indices = fit_sentences(texts)
    ranked = telling(rank(indices, rarity), signals)
    return [(indices[info.sentence], str(info.sentence)) for info in choose(ranked, indices)]


def sample(vectors: Floats, similarities: Floats) -> list[int]:
    """The indices of up to SAMPLED of n >= 1 unit vectors (n, 384), by maximal marginal relevance.

    similarities: the cosines to the centroid (n,). Each vector is near the centroid and far from the vectors chosen
    before. Of vectors with equal scores, the first is chosen.
    """
    cosines = vectors @ vectors.T
    chosen = [int(similarities.argmax())]
    while len(chosen) < min(SAMPLED, len(vectors)):
        scores = RELEVANCE * similarities - (1 - RELEVANCE) * cosines[chosen].max(axis=0)
        scores[chosen] = -np.inf
        chosen.append(int(scores.argmax()))
    return chosen


def read_posts(batches: Iterable[pa.RecordBatch]) -> Iterator[Post]:
    """Yield the posts of batches, whose columns `model` names, one by one."""
    for batch in batches:
        vectors = to_vectors(batch["embedding"])
        columns = (batch[name].to_pylist() for name in ("cluster_id", "url_hash", "similarity"))
        yield from zip(*columns, vectors, batch["text"].to_pylist(), strict=True)


def summarise_cluster(
    posts: Iterable[Post], rarity: Rarity, signals: Sequence[Signal]
) -> tuple[str, list[dict[str, str]], list[str]]:
    """The summary of a cluster, its sentences with their posts, and the url_hash of the sampled posts."""
    _, hashes, similarities, vectors, texts = zip(*posts, strict=True)
    sampled = sample(np.stack(vectors), np.array(similarities, dtype=np.float32))
    chosen = summarise([texts[index] for index in sampled], rarity, signals)
    sentences = [{"url_hash": hashes[sampled[index]], "sentence": sentence} for index, sentence in chosen]
    return join([sentence for _, sentence in chosen]), sentences, [hashes[index] for index in sampled]


def model(dbt: Any, session: Any) -> pa.Table:
    """Return a summary of every cluster of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="cluster_date")
    texts = dbt.ref("texts")
    items = dbt.ref("items")
    title_signals = dbt.ref("title_signals")
    run_date = dbt.config.meta_get("run_date")

    [(count,)] = session.sql(
        f"select count(distinct cluster_id) from {subquery(items)} where cluster_date = date '{run_date}'"
    ).fetchall()
    signals = read_signals(title_signals)
    # A sample of the day weighs words well enough; url_hash is as good as random.
    day = session.sql(
        f"""
        select text
        from {subquery(texts)}
        where collection_date = date '{run_date}'
        order by url_hash
        limit {WEIGHED}
        """
    ).to_arrow_reader(ROWS_PER_BATCH)
    rarity = Rarity(text for batch in day for text in batch["text"].to_pylist())
    # The posts are ranked before the join with embeddings and texts: half of a day of 200,000 posts are candidates.
    posts = session.sql(
        f"""
        with candidates as (
            select
                cluster_id,
                url_hash,
                row_number() over (partition by cluster_id order by similarity desc, url_hash) as position,
            from {subquery(items)}
            where cluster_date = date '{run_date}' and is_core
            qualify position <= {CANDIDATES}
        )
        select candidates.cluster_id, url_hash, items.similarity, items.embedding, texts.text
        from candidates
        inner join {subquery(items)} as items using (url_hash)
        inner join {subquery(texts)} as texts using (url_hash)
        order by candidates.cluster_id, candidates.position
        """
    ).to_arrow_reader(ROWS_PER_BATCH)
    clusters = track(groupby(read_posts(posts), key=itemgetter(0)), f"Summarising {count:,} clusters", total=count)
    rows = [
        (date.fromisoformat(run_date), cluster_id, *summarise_cluster(members, rarity, signals))
        for cluster_id, members in clusters
    ]
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)
