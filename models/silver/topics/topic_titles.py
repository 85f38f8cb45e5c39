"""The titles that stand for each cluster of the day, for the built-in labeller.

Grain: one row per cluster_date and cluster_id.
Method: groundswell.titles, over all core posts of the cluster. Words weigh by their rarity among the posts of the day.
"""

from datetime import date
from typing import Any

import pyarrow as pa

from groundswell.relations import subquery
from groundswell.titles import TITLE_LIST, title_lists

SCHEMA = pa.schema([("cluster_date", pa.date32()), ("cluster_id", pa.int32()), ("titles", TITLE_LIST)])


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the titles of every cluster of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="cluster_date")
    relations = {}
    relations["items"] = dbt.ref("items")
    relations["texts"] = dbt.ref("texts")
    relations["titles"] = dbt.ref("titles")
    relations["embeddings"] = dbt.ref("embeddings")
    relations["title_signals"] = dbt.ref("title_signals")
    run_date = dbt.config.meta_get("run_date")
    embedding_model = dbt.config.meta_get("embedding_model")

    members = f"""
        select cluster_id as number, url_hash
        from {subquery(relations["items"])}
        where cluster_date = date '{run_date}' and is_core
    """
    weighed = f"select url_hash, text from {subquery(relations['texts'])} where collection_date = date '{run_date}'"
    rows = [
        {"cluster_date": date.fromisoformat(run_date), "cluster_id": number, "titles": titles}
        for number, titles in title_lists(session, members, weighed, relations, embedding_model)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
