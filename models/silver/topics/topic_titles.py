"""The titles that stand for each cluster of the day, for the built-in labeller.

Grain: one row per cluster_date and cluster_id.
Method: groundswell.titles, over all core posts of the cluster. Words weigh by their rarity among the posts of the day.
"""

from datetime import date
from typing import Any

import pyarrow as pa

from groundswell.relations import subquery
from groundswell.titles import TITLE_LIST, named_groups

SCHEMA = pa.schema([("cluster_date", pa.date32()), ("cluster_id", pa.int32()), ("titles", TITLE_LIST)])


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the titles of every cluster of the day."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="cluster_date")
    relations = {}
    relations["items"] = dbt.ref("items")
    relations["post_signals"] = dbt.ref("post_signals")
    relations["texts"] = dbt.ref("texts")
    relations["titles"] = dbt.ref("titles")
    relations["embeddings"] = dbt.ref("embeddings")
    relations["title_signals"] = dbt.ref("title_signals")
    run_date = dbt.config.meta_get("run_date")
    embedding_model = dbt.config.meta_get("embedding_model")

    # A post that addresses a language model gives a title only if the whole cluster does.
    members = f"""
        select cluster_id as number, url_hash
        from {subquery(relations["items"])}
        left join {subquery(relations["post_signals"])} as post_signals using (url_hash)
        where cluster_date = date '{run_date}' and is_core
        qualify
            addresses_model is not true
            or not bool_or(addresses_model is not true) over (partition by cluster_id)
    """
    weighed = f"select url_hash, text from {subquery(relations['texts'])} where collection_date = date '{run_date}'"
    rows = [
        {"cluster_date": date.fromisoformat(run_date), "cluster_id": number, "titles": titles}
        for number, titles, _, _ in named_groups(session, members, weighed, relations, embedding_model)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
