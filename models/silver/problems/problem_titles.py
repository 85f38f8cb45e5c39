"""The titles that stand for each problem, and the sentences that describe it, for the built-in labeller.

Grain: one row per problem_id.
Method: groundswell.titles, over the first post of each voice. Words weigh by their rarity in the window.
"""

from typing import Any

import pyarrow as pa

from groundswell.relations import subquery
from groundswell.titles import SENTENCE_LIST, TITLE_LIST, best_sentences, named_groups, read_signals

SCHEMA = pa.schema([("problem_id", pa.string()), ("titles", TITLE_LIST), ("sentences", SENTENCE_LIST)])


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the titles of every problem."""
    dbt.config(materialized="table")
    relations = {}
    relations["problem_voices"] = dbt.ref("problem_voices")
    relations["texts"] = dbt.ref("texts")
    relations["titles"] = dbt.ref("titles")
    relations["embeddings"] = dbt.ref("embeddings")
    relations["title_signals"] = dbt.ref("title_signals")
    embedding_model = dbt.config.meta_get("embedding_model")
    days = int(dbt.config.meta_get("problem_window_days"))

    members = f"select problem_id as number, url_hash from {subquery(relations['problem_voices'])}"
    texts = subquery(relations["texts"])
    weighed = f"""
        select url_hash, text from {texts}
        where collection_date > (select max(collection_date) from {texts} as newest) - {days}
    """
    signals = read_signals(relations["title_signals"])
    rows = [
        {"problem_id": number, "titles": titles, "sentences": best_sentences(posts, rarity, signals)}
        for number, titles, posts, rarity in named_groups(session, members, weighed, relations, embedding_model)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
