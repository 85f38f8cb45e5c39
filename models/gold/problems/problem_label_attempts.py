"""Every attempt to label a problem, with its cost, so that no label is paid for twice.

Grain: one row per attempt_id. Append-only.
Method: if LLM_MODEL is unset or `extractive`, the labels of silver.extractive_problem_labels. Otherwise package
groundswell.llm asks the models of LLM_MODEL, the problem with the most voices first. A problem is asked about again in
three cases: its voices have doubled; half of the quotes of its label stand in none of its posts any more, since the
posts have left it or were edited; or the quote is gone that gave the built-in labeller the title. Shown posts that an
answer does not list are strays. If too few posts are left without the strays, the status of the attempt is `mixed`.
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

# If a problem has more voices than shown posts, at least this share of the shown posts must have the problem. Only then
# do the other posts stay in the problem.
MIN_SHARE = 0.5

SCHEMA = attempts_schema(("problem_id", pa.string()), extra=[("strays", pa.list_(pa.string())), ("voices", pa.int64())])

REQUESTS = """
    with attempts as (
        select
            problem_id,
            arg_max(voices, attempted_at) filter (where status in ('labelled', 'mixed')) as labelled_voices,
            -- Null if the latest attempt is mixed, because a mixed attempt has no quotes.
            arg_max_null(quotes, attempted_at) filter (where status in ('labelled', 'mixed')) as quotes,
            arg_max(labeler, attempted_at) filter (where status in ('labelled', 'mixed')) as labelled_by,
            -- A label with an error is the last resort's: the models are asked again.
            arg_max(status = 'labelled' and error is not null, attempted_at)
                filter (where status in ('labelled', 'mixed')) as is_last_resort,
            coalesce(bool_or(status in ('labelled', 'mixed') and is_new), false) as is_labelled_now,
            count(*) filter (where status = 'rejected') as rejected,
        from {attempts}
        group by all
    ),
    standing as (
        with {standing}
        select * from standing
    )
    select
        problem_id,
        question_number,
        voices,
        prompt_version,
        system_prompt,
        prompt,
        samples,
        labelled_voices is not null as has_label,
    from {requests} as requests
    left join attempts using (problem_id)
    left join standing using (problem_id)
    where
        prompt is not null
        and is_labelled_now is not true
        and (
            (
                labelled_voices is null
                or is_last_resort
                or voices >= 2 * labelled_voices
                or {is_lost}
            )
            and coalesce(rejected, 0) < {most_rejected}
            or {relabel} and last_seen = $run_date::date
        )
    order by voices desc, problem_id
"""


def sort_strays(label: Label, samples: list[Row], voices: int, min_voices: int) -> Row:
    """Status and strays of an answer about a problem with this many voices; `mixed` if too few posts are left."""
    having = {*label.posts, *(quote.post for quote in label.quotes)}
    strays = [sample["url_hash"] for sample in samples if sample["sample_number"] not in having]
    left = len(samples) - len(strays)
    if left < min_voices or (voices > len(samples) and left < MIN_SHARE * len(samples)):
        return {"status": "mixed", "error": f"of {len(samples)} posts, {left} have one problem", "strays": strays}
    return {"status": "labelled", "strays": strays}


def check_problem(label: Label, request: Row, min_voices: int, grounds: Grounds) -> Row:
    """Check an answer about a problem and return the columns of the label with the strays; errors as in check_label."""
    require_number(label, request["question_number"])
    outcome = sort_strays(label, request["samples"], request["voices"], min_voices)
    if outcome["status"] == "mixed":
        return outcome
    return outcome | check_label(label, request["samples"], grounds)


def about_problem(request: Row) -> Row:
    """The columns that name the problem of a request. They lack question_number, which is valid for one run only."""
    return {"problem_id": request["problem_id"], "voices": request["voices"]}


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the attempts that are not in the table yet: for problems that need a label, or for relabelled problems."""
    dbt.config(materialized="incremental", incremental_strategy="delete+insert", unique_key="attempt_id")
    problem_requests = dbt.ref("problem_requests")
    problem_candidates = dbt.ref("problem_candidates")
    extractive_problem_labels = dbt.ref("extractive_problem_labels")
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
    min_voices = int(dbt.config.meta_get("problem_voices"))
    settings = ModelSettings.of(dbt.config.meta_get("llm"))
    ledger = Ledger(dbt, session, SCHEMA, llm_calls)

    requests = ledger.read(
        REQUESTS.format(
            attempts=ledger.attempts,
            requests=subquery(problem_requests),
            standing=standing_quotes(
                "attempts",
                f"""
                select members.problem_id, members.url_hash, texts.text
                from {subquery(problem_candidates)} as members inner join {subquery(relations["texts"])} as texts
                using (url_hash)
                """,
                ["problem_id"],
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
        budget = settings.budget(ledger.spent_today())
        models = settings.models(grounds.answer)
        calls = Calls(models, budget, settings.pace(models), ledger.keep, settings.named.is_last_resort)
        calls.put(
            [
                label_question(
                    request,
                    about_problem(request),
                    grounds.answer,
                    partial(check_problem, request=request, min_voices=min_voices, grounds=grounds),
                )
                for request in requests
            ],
            "problems",
            "a label",
        )
        unanswered = [row["error"] for row in calls.outcomes if row["status"] == "unanswered"]
        # A build without any label must not look like a day without problems.
        are_new = not any(each["has_label"] for each in requests)
        if (
            calls.have_all_failed()
            and len(unanswered) == len(calls.outcomes)
            and are_new
            and not settings.named.is_last_resort
        ):
            raise ModelError(
                f"LLM_MODEL={calls.models[0].name} labelled none of {len(requests)} problems: {unanswered[-1]}"
            )
        unlabelled = without_label(requests, calls.outcomes, "problem_id")
    if settings.named.are_extractive() or settings.named.is_last_resort:
        keep_extractive(
            ledger,
            unlabelled,
            "problem_id",
            about_problem,
            extractive_problem_labels,
            is_last_resort=settings.named.is_last_resort,
        )
    return ledger.kept()
