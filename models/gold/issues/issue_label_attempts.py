"""Every attempt to label a cluster, with its cost, so that no label is paid for twice.

Grain: one row per attempt_id. Append-only.
Method: if LLM_MODEL is unset or `extractive`, the labels of silver.extractive_labels. Otherwise package groundswell.llm
asks the models of LLM_MODEL, the largest cluster first. If a model gives no answer, the next model is asked. If
`extractive` is the last of them, what no model labels gets the label of silver.extractive_labels until a model labels
it. A cluster is asked about again if half of the quotes of its label stand in none of its posts any more, since the
posts have gone or were edited. Every answer is checked against the shown posts (`check_label`). A rejected answer is
sent back once with the error. The row of a call is written before the call leaves.
"""

from functools import partial
from typing import Any

import pyarrow as pa

from groundswell.llm.calls import Calls
from groundswell.llm.errors import ModelError
from groundswell.llm.labels import (
    IS_LOST,
    Grounds,
    Label,
    attempts_schema,
    check_label,
    keep_extractive,
    label_question,
    read_grounds,
    require_number,
    standing_quotes,
    without_label,
)
from groundswell.llm.ledger import Ledger, Row
from groundswell.llm.settings import EXTRACTIVE, ModelSettings
from groundswell.relations import subquery

# Issues may spend this share of what is left of the day's budget. The rest is for problems.
SHARE = 0.5

SCHEMA = attempts_schema(("cluster_date", pa.date32()), ("cluster_id", pa.int32()))

REQUESTS = """
    with attempts as (
        select
            cluster_date,
            cluster_id,
            -- With relabel, a label counts only if it was made since: a killed run does not ask twice.
            -- A label with an error is the last resort's: the models are asked again.
            coalesce(
                bool_or(status = 'labelled' and error is null and (is_new or not {relabel})), false
            ) as is_labelled,
            coalesce(bool_or(status = 'labelled'), false) as has_label,
            arg_max(quotes, attempted_at) filter (where status = 'labelled') as quotes,
            arg_max(labeler, attempted_at) filter (where status = 'labelled') as labelled_by,
            count(*) filter (where status = 'rejected') as rejected,
        from {attempts}
        group by all
    ),
    standing as (
        with {standing}
        select * from standing
    )
    select
        cluster_date,
        cluster_id,
        prompt_version,
        system_prompt,
        prompt,
        samples,
        coalesce(has_label, false) as has_label,
    from {requests} as requests
    left join attempts using (cluster_date, cluster_id)
    left join standing using (cluster_date, cluster_id)
    where
        cluster_date = $run_date::date
        and prompt is not null
        and (is_labelled is not true or {is_lost})
        and (coalesce(rejected, 0) < {most_rejected} or {relabel})
    order by core_size desc, cluster_id
"""


def check_issue(label: Label, request: Row, grounds: Grounds) -> Row:
    """Check an answer about a cluster and return the columns of the label; arguments and errors as in check_label."""
    require_number(label, request["cluster_id"])
    return check_label(label, request["samples"], grounds)


def about_issue(request: Row) -> Row:
    """The columns that name the cluster of a request."""
    return {"cluster_date": request["cluster_date"], "cluster_id": request["cluster_id"]}


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the attempts that are not in the table yet: for clusters without a label, or for all to relabel."""
    dbt.config(materialized="incremental", incremental_strategy="delete+insert", unique_key="attempt_id")
    label_requests = dbt.ref("label_requests")
    items = dbt.ref("items")
    extractive_labels = dbt.ref("extractive_labels")
    llm_calls = dbt.source("bronze", "llm_calls")
    relations = {}
    relations["categories"] = dbt.ref("categories")
    relations["label_signals"] = dbt.ref("label_signals")
    relations["texts"] = dbt.ref("texts")
    relations["posts"] = dbt.ref("posts")
    relations["duplicates"] = dbt.ref("duplicates")
    relations["post_signals"] = dbt.ref("post_signals")
    run_date = dbt.config.meta_get("run_date")
    relabel = bool(dbt.config.meta_get("relabel"))
    days = int(dbt.config.meta_get("problem_window_days"))
    settings = ModelSettings.of(dbt.config.meta_get("llm"))
    ledger = Ledger(dbt, session, SCHEMA, llm_calls)

    requests = ledger.read(
        REQUESTS.format(
            attempts=ledger.attempts,
            requests=subquery(label_requests),
            standing=standing_quotes(
                "attempts",
                f"""
                select items.cluster_date, items.cluster_id, items.url_hash, texts.text
                from {subquery(items)} as items inner join {subquery(relations["texts"])} as texts using (url_hash)
                where items.cluster_date = $run_date::date
                """,
                ["cluster_date", "cluster_id"],
            ),
            is_lost=IS_LOST,
            relabel=relabel,
            most_rejected=settings.most_rejected,
        ),
        run_date=run_date,
        extractive=EXTRACTIVE,
    )
    unlabelled = requests
    if requests and not settings.named.are_extractive():
        grounds = read_grounds(ledger, relations, run_date, days)
        budget = settings.budget(ledger.spent_today(), SHARE)
        models = settings.models(grounds.answer)
        calls = Calls(models, budget, settings.pace(models), ledger.keep, settings.named.is_last_resort)
        failures = calls.put(
            [
                label_question(
                    request,
                    about_issue(request),
                    grounds.answer,
                    partial(check_issue, request=request, grounds=grounds),
                )
                for request in requests
            ],
            "clusters",
            "a label",
        )
        [(clusters,)] = label_requests.filter(f"cluster_date = date '{run_date}'").count("*").fetchall()
        # A build without any label must not look like a day without issues.
        if calls.have_all_failed() and len(requests) == clusters and not settings.named.is_last_resort:
            raise ModelError(f"LLM_MODEL={calls.models[0].name} labelled none of {clusters} clusters: {failures[-1]}")
        unlabelled = without_label(requests, calls.outcomes, "cluster_id")
    if settings.named.are_extractive() or settings.named.is_last_resort:
        of_day = extractive_labels.filter(f"cluster_date = date '{run_date}'")
        keep_extractive(
            ledger, unlabelled, "cluster_id", about_issue, of_day, is_last_resort=settings.named.is_last_resort
        )
    return ledger.kept()
