"""Every attempt to get opinions on pairs: a language model says which pairs of posts are the same problem.

Grain: one row per attempt_id. Append-only, with the cost of every attempt, so that no opinion is paid for twice.
Method: the pairs of silver.pair_requests without an opinion go to the models of LLM_MODEL, several in a question, with
control pairs (groundswell.llm.opinions).
"""

from typing import Any

import pyarrow as pa
from dbt.adapters.events.logging import AdapterLogger

from groundswell.llm.ledger import Ledger
from groundswell.llm.opinions import Kind, ask_opinions, attempts_schema
from groundswell.llm.settings import ModelSettings
from groundswell.relations import subquery

PAIRS = Kind("pair", "pair_hash", "is_same")

log = AdapterLogger("Groundswell")


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the attempts that are not in the table yet."""
    dbt.config(materialized="incremental", incremental_strategy="delete+insert", unique_key="attempt_id")
    pair_requests = dbt.ref("pair_requests")
    llm_calls = dbt.source("bronze", "llm_calls")
    run_date = dbt.config.meta_get("run_date")
    settings = ModelSettings.of(dbt.config.meta_get("llm"))
    ledger = Ledger(dbt, session, attempts_schema(PAIRS), llm_calls)
    failures = ask_opinions(ledger, subquery(pair_requests), run_date, settings, PAIRS, "an opinion")
    if failures:
        log.warning(
            f"{len(failures)} attempts about pairs of {run_date} were rejected or unanswered;"
            f" the chance of their pairs stays as it is: {failures[-1]}"
        )
    return ledger.kept()
