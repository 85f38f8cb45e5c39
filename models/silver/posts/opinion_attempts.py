"""Every attempt to get second opinions: a language model says which posts complain.

Grain: one row per attempt_id. Append-only, with the cost of every attempt, so that no opinion is paid for twice.
Method: the posts of silver.opinion_requests without an opinion go to the models of LLM_MODEL, several in a question,
with control posts (groundswell.llm.opinions).
"""

from typing import Any

import pyarrow as pa
from dbt.adapters.events.logging import AdapterLogger

from groundswell.llm.ledger import Ledger
from groundswell.llm.opinions import Kind, ask_opinions, attempts_schema
from groundswell.llm.settings import ModelSettings
from groundswell.relations import subquery

POSTS = Kind("post", "content_hash", "complains")

log = AdapterLogger("Groundswell")


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the attempts that are not in the table yet."""
    dbt.config(materialized="incremental", incremental_strategy="delete+insert", unique_key="attempt_id")
    opinion_requests = dbt.ref("opinion_requests")
    llm_calls = dbt.source("bronze", "llm_calls")
    run_date = dbt.config.meta_get("run_date")
    settings = ModelSettings.of(dbt.config.meta_get("llm"))
    ledger = Ledger(dbt, session, attempts_schema(POSTS), llm_calls)
    failures = ask_opinions(ledger, subquery(opinion_requests), run_date, settings, POSTS, "a second opinion")
    if failures:
        log.warning(
            f"{len(failures)} attempts about posts of {run_date} were rejected or unanswered;"
            f" the complaint_score of their posts stays as it is: {failures[-1]}"
        )
    return ledger.kept()
