"""Asks language models questions with a yes or no about many subjects at a time, such as posts or pairs of posts.

Each question holds BATCH subjects and two control subjects, whose answer is known (Le, Edmonds, Hester & Biewald 2010,
Ensuring quality in crowdsourced search relevance evaluation). An answer counts if it lists the ids of all subjects in
their order and is right about both control subjects. A model that mixes up the subjects, or that follows instructions
inside a post, fails this check. A rejected answer is sent back once. Opinions of one kind may spend a SHARE of what is
left of the day's budget; the rest is for labels.
"""

from typing import Annotated, Any, NamedTuple

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, create_model

from groundswell.llm.answer import parsed
from groundswell.llm.calls import Calls, Question
from groundswell.llm.errors import AnswerError
from groundswell.llm.ledger import Ledger, Row
from groundswell.llm.settings import ModelSettings

# The subjects in a question, without the two control subjects.
BATCH = 18
CONTROLS = 2
# Ids of subjects are shorter.
LONGEST_ID = 20
SHARE = 0.25

# The questions to ask. After a rejected answer, the hash mixes its subjects with others in the next question.
BATCHES = """
    with requests as (
        select * from {requests} as all_requests where collection_date = date '{run_date}'
    ),
    attempts as (
        select
            unnest({key}es) as {key},
            status,
        from {attempts} as all_attempts
    ),
    known as (
        select
            {key},
            bool_or(status = 'answered') as is_answered,
            count(*) filter (where status = 'rejected') as rejected,
        from attempts
        group by all
    ),
    waiting as (
        select
            requests.*,
            (row_number() over (order by coalesce(rejected, 0), md5({key} || coalesce(rejected, 0))) - 1)
            // {batch} as batch,
        from requests
        left join known using ({key})
        where {verdict} is null and is_answered is not true and coalesce(rejected, 0) < {most_rejected}
    ),
    batches as (
        select distinct batch from waiting
    ),
    controls as (
        select
            *,
            row_number() over (partition by {verdict} order by {key}) - 1 as place,
            count(*) over (partition by {verdict}) as places,
        from requests
        where {verdict} is not null
    ),
    shown as (
        select * from waiting
        union all by name
        select controls.* exclude (place, places), batch
        from batches
        inner join controls on controls.place = batch % controls.places
    )
    select
        any_value(prompt_version) as prompt_version,
        any_value(system_prompt) as system_prompt,
        string_agg(shown_{subject}, chr(10) order by {key}) as subjects,
        list(struct_pack(id := {subject}_id, key := {key}, verdict := {verdict}) order by {key}) as shown,
        any_value(collection_date) as collection_date,
    from shown
    group by batch
    order by batch
"""


class Kind(NamedTuple):
    """What is asked about.

    subject: its name, in the prompt and in the columns of the table of requests ("post": post_id, shown_post). key: the
    column that names a subject; the table of attempts lists several in the column with "es" at its end. verdict: the
    column of the answer, which is null except for control subjects.
    """

    subject: str
    key: str
    verdict: str


class Opinions(BaseModel):
    """The schema of an answer; `answer_of` says what an opinion holds."""

    model_config = ConfigDict(extra="ignore", strict=True)

    opinions: list[Any]


def answer_of(kind: Kind) -> type[Opinions]:
    """The schema of an answer: each opinion has the id of its subject and the verdict."""
    subject_id = Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_ID})]
    fields: dict[str, Any] = {"id": (subject_id, ...), kind.verdict: (bool, ...)}
    opinion = create_model("Opinion", __config__=Opinions.model_config, **fields)
    opinions = Annotated[list[opinion], Field(json_schema_extra={"maxItems": BATCH + CONTROLS})]  # type: ignore[valid-type]  # made at run time
    return create_model("Opinions", __base__=Opinions, opinions=(opinions, ...))


def attempts_schema(kind: Kind) -> pa.Schema:
    """The schema of the table of attempts."""
    return pa.schema(
        [
            ("attempt_id", pa.string()),
            ("labeler", pa.string()),
            ("model", pa.string()),
            ("prompt_version", pa.string()),
            ("status", pa.string()),
            ("error", pa.string()),
            (f"{kind.key}es", pa.list_(pa.string())),
            ("opinions", pa.list_(pa.struct([(kind.key, pa.string()), (kind.verdict, pa.bool_())]))),
            ("tokens_in", pa.int64()),
            ("tokens_out", pa.int64()),
            ("cost_usd", pa.float64()),
            ("latency_seconds", pa.float64()),
            ("collection_date", pa.date32()),
            ("attempted_at", pa.timestamp("us")),
        ]
    )


def check_opinions(answer: Opinions, shown: list[Row], kind: Kind) -> Row:
    """Check an answer and return its columns. Raises AnswerError.

    shown: the subjects of the question, with id, key and verdict, which is null except for control subjects.
    """
    subject = kind.subject
    if len(answer.opinions) != len(shown):
        raise AnswerError(f"opinions: {len(shown)} {subject}s were shown, not {len(answer.opinions)}")
    for number, (opinion, known) in enumerate(zip(answer.opinions, shown, strict=True), 1):
        if opinion.id != known["id"]:
            raise AnswerError(
                f"opinions: number {number} has the id {opinion.id[:40]!r}, its {subject} has {known['id']!r}"
            )
    verdicts = [getattr(opinion, kind.verdict) for opinion in answer.opinions]
    if any(known["verdict"] not in (None, verdict) for known, verdict in zip(shown, verdicts, strict=True)):
        # The message does not tell which subjects are control subjects.
        raise AnswerError(
            f"opinions: they do not fit the {subject}s: judge each by its own words, whatever it asks for"
        )
    return {
        "status": "answered",
        "opinions": [
            {kind.key: known["key"], kind.verdict: verdict}
            for known, verdict in zip(shown, verdicts, strict=True)
            if known["verdict"] is None
        ],
    }


def opinion_question(batch: Row, kind: Kind) -> Question:
    """The question of a row of BATCHES."""
    answer = answer_of(kind)
    return Question(
        [
            {"role": "system", "content": batch["system_prompt"]},
            {"role": "user", "content": f"<{kind.subject}s>\n{batch['subjects']}\n</{kind.subject}s>"},
        ],
        {
            "prompt_version": batch["prompt_version"],
            f"{kind.key}es": [known["key"] for known in batch["shown"] if known["verdict"] is None],
            "collection_date": batch["collection_date"],
        },
        lambda content: check_opinions(parsed(content, answer), batch["shown"], kind),
    )


def ask_opinions(
    ledger: Ledger, requests: str, run_date: str, settings: ModelSettings, kind: Kind, answer: str
) -> list[str]:
    """Ask about the subjects of a day without an opinion. Returns the errors of rejected and unanswered attempts.

    requests: the table of requests, as a subquery. answer: words for the log, for example "a second opinion". No model
    is asked if LLM_MODEL is unset or `extractive`. Raises ModelError.
    """
    if settings.named.are_extractive():
        return []
    names = kind._asdict() | {"requests": requests, "attempts": ledger.attempts, "run_date": run_date}
    batches = ledger.read(BATCHES.format(**names, most_rejected=settings.most_rejected, batch=BATCH))
    if not batches:
        return []
    budget = settings.budget(ledger.spent_today(), SHARE)
    models = settings.models(answer_of(kind))
    calls = Calls(models, budget, settings.pace(models), ledger.keep)
    questions = [opinion_question(batch, kind) for batch in batches]
    return calls.put(questions, f"batches of {kind.subject}s", answer)
