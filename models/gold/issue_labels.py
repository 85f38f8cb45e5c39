"""What each cluster is called and rated, and who says so.

Grain: one row per cluster_date and cluster_id. A cluster is labelled once; `--vars 'relabel: true'` labels the
day anew.
Method: with LLM_MODEL unset or `extractive`, the labels of silver.extractive_labels. Otherwise the model that
LLM_MODEL names, through LiteLLM: eight calls in flight, each answer checked field by field; an answer that
does not pass is recorded as failed, with its reason, and the cluster is asked about again in the next build.

A label costs money, so each is committed to a journal table as it arrives, and a `kill -9` loses no more than
the calls in flight. dbt moves the journal's rows into the table at the end, and the post-hook drops it.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from rich.console import Console
from rich.progress import Progress

EXTRACTIVE = "extractive"
CALLS_IN_FLIGHT = 8
TIMEOUT_SECONDS = 60
RETRIES = 2

SCHEMA = pa.schema(
    [
        ("cluster_date", pa.date32()),
        ("cluster_id", pa.int32()),
        ("canonical_title", pa.string()),
        ("category", pa.string()),
        ("description", pa.string()),
        ("impact_level", pa.string()),
        ("labeler", pa.string()),
        ("prompt_version", pa.string()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("tokens_in", pa.int64()),
        ("tokens_out", pa.int64()),
        ("cost_usd", pa.float64()),
        ("latency_seconds", pa.float64()),
        ("would_pay_signal", pa.bool_()),
        ("labelled_at", pa.timestamp("us")),
    ]
)

Row = dict[str, Any]


class LabelError(Exception):
    """Something a person must act on, in one line."""

    # dbt-duckdb prints the traceback of what a Python model raises; the line says it all.
    __traceback__ = None


class Label(BaseModel):
    """The answer that a language model must give."""

    model_config = ConfigDict(extra="ignore", strict=True)

    canonical_title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    category: Literal["ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other"]
    description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
    would_pay_signal: bool
    impact_level: Literal["low", "medium", "high"]


def load_litellm() -> Any:
    """LiteLLM, kept from fetching its price map over the network at import."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.drop_params = True
    return litellm


def check_model(litellm: Any, llm_model: str, base_url: str | None) -> str | None:
    """The API key to pass: None where LiteLLM finds it in the environment by itself.

    Raises LabelError where LiteLLM does not know the provider or its key is missing.
    """
    try:
        litellm.get_llm_provider(llm_model, api_base=base_url)
    except litellm.BadRequestError:
        raise LabelError(
            f"LLM_MODEL={llm_model} names no provider that LiteLLM knows: write it as provider/model, "
            "for example groq/llama-3.3-70b-versatile"
        ) from None
    missing = litellm.validate_environment(llm_model).get("missing_keys") or []
    if missing and not base_url:
        raise LabelError(f"LLM_MODEL={llm_model} needs {' and '.join(missing)} in the environment")
    # A server of one's own wants no key, but its client insists on one.
    return "none" if missing else None


async def ask(litellm: Any, request: Row, llm_model: str, base_url: str | None, api_key: str | None) -> Row:
    """Ask the model about one cluster: a row of SCHEMA, labelled or failed.

    Raises LabelError where every other call would fail as well: the key or the model is refused.
    """
    # LiteLLM's exceptions are those of OpenAI's client, whichever provider raised them.
    import openai

    row: Row = {
        "cluster_date": request["cluster_date"],
        "cluster_id": request["cluster_id"],
        "labeler": llm_model,
        "prompt_version": request["prompt_version"],
    }
    started = time.monotonic()
    try:
        response = await litellm.acompletion(
            model=llm_model,
            base_url=base_url,
            api_key=api_key,
            messages=[
                {"role": "system", "content": request["system_prompt"]},
                {"role": "user", "content": request["prompt"]},
            ],
            response_format={"type": "json_object"},
            temperature=0,
            timeout=TIMEOUT_SECONDS,
            # The provider's client retries what may pass, and obeys Retry-After; litellm's own num_retries
            # would also repeat what is refused.
            max_retries=RETRIES,
        )
    except (litellm.AuthenticationError, litellm.PermissionDeniedError, litellm.NotFoundError) as error:
        raise LabelError(f"LLM_MODEL={llm_model} was refused: {first_line(error)}") from None
    except openai.OpenAIError as error:
        return row | {"status": "failed", "error": first_line(error), "labelled_at": now()}
    row |= {
        "latency_seconds": time.monotonic() - started,
        "tokens_in": response.usage.prompt_tokens,
        "tokens_out": response.usage.completion_tokens,
        "cost_usd": response._hidden_params.get("response_cost"),
        "labelled_at": now(),
    }
    try:
        label = Label.model_validate_json(response.choices[0].message.content or "")
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"])) or "answer"
        return row | {"status": "failed", "error": f"{where}: {problem['msg']}"}
    return row | label.model_dump() | {"status": "labelled"}


def first_line(error: Exception) -> str:
    """What an error says, without its details."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:500]


def now() -> datetime:
    """This second, UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


async def ask_all(requests: list[Row], answer: Callable[[Row], Awaitable[Row]], keep: Callable[[Row], None]) -> None:
    """Have the requests answered, CALLS_IN_FLIGHT at a time, and hand each row to keep() as it arrives."""
    semaphore = asyncio.Semaphore(CALLS_IN_FLIGHT)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"Labelling {len(requests):,} clusters", total=len(requests))

        async def one(request: Row) -> None:
            async with semaphore:
                keep(await answer(request))
            progress.advance(task)

        async with asyncio.TaskGroup() as group:
            for request in requests:
                group.create_task(one(request))


def label_with_llm(
    requests: list[Row], answered: list[Row], llm_model: str, base_url: str | None, keep: Callable[[Row], None]
) -> list[Row]:
    """Ask about the requests that answered holds no label of; each label goes to keep().

    Returns the rows that failed. Raises LabelError.
    """
    done = {key_of(row) for row in answered if row["labeler"] == llm_model}
    pending = [request for request in requests if key_of(request) not in done]
    if not pending:
        return []
    litellm = load_litellm()
    api_key = check_model(litellm, llm_model, base_url)
    failed: list[Row] = []

    def sort_out(row: Row) -> None:
        if row["status"] == "failed":
            failed.append(row)
        else:
            keep(row)

    async def answer(request: Row) -> Row:
        return await ask(litellm, request, llm_model, base_url, api_key)

    try:
        asyncio.run(ask_all(pending, answer, sort_out))
    except* LabelError as errors:
        raise errors.exceptions[0] from None
    return failed


def label_extractively(requests: list[Row], extractive_labels: list[Row]) -> list[Row]:
    """Rows of SCHEMA from silver.extractive_labels, for the clusters that are asked about."""
    labels = {key_of(label): label for label in extractive_labels}
    fixed = {
        "labeler": EXTRACTIVE,
        "status": "labelled",
        "tokens_in": 0,
        "tokens_out": 0,
        "cost_usd": 0.0,
        "latency_seconds": 0.0,
        "labelled_at": now(),
    }
    return [request | labels[key_of(request)] | fixed for request in requests]


def key_of(row: Row) -> tuple[Any, int]:
    """The grain: day and number of the cluster."""
    return row["cluster_date"], row["cluster_id"]


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the labels of the clusters that have none yet."""
    dbt.config(
        materialized="incremental", incremental_strategy="delete+insert", unique_key=["cluster_date", "cluster_id"]
    )
    label_requests = dbt.ref("label_requests")  # noqa: F841  (DuckDB finds both by name, below)
    extractive_labels = dbt.ref("extractive_labels")
    run_date = dbt.config.meta_get("run_date")
    relabel = dbt.config.meta_get("relabel")
    llm_model = dbt.config.meta_get("llm_model")
    base_url = dbt.config.meta_get("llm_base_url") or None

    is_labelled = "false"
    if dbt.is_incremental:
        keys = f"select cluster_date, cluster_id from {dbt.this} where status = 'labelled'"
        is_labelled = f"(cluster_date, cluster_id) in ({keys})"
    of_day = session.sql(
        f"""
        select cluster_date, cluster_id, prompt_version, system_prompt, prompt, {is_labelled} as is_labelled
        from label_requests
        where cluster_date = date '{run_date}'
        order by cluster_id
        """
    )
    clusters: list[Row] = of_day.to_arrow_table().to_pylist()
    requests = [cluster for cluster in clusters if relabel or not cluster["is_labelled"]]

    # A connection of its own: what it writes is committed at once, whatever becomes of dbt's transaction.
    durable = session.cursor()
    journal = f"{dbt.this.schema}.issue_labels__journal"
    empty = SCHEMA.empty_table()  # noqa: F841  (DuckDB finds it by name)
    durable.execute(f"create table if not exists {journal} as select * from empty")

    def journalled() -> list[Row]:
        return durable.sql(f"select * from {journal}").to_arrow_table().to_pylist()  # type: ignore[no-any-return]

    def keep(row: Row) -> None:
        answer = pa.Table.from_pylist([row], schema=SCHEMA)  # noqa: F841
        durable.execute(f"insert into {journal} select * from answer")

    if llm_model == EXTRACTIVE:
        rows = label_extractively(requests, extractive_labels.to_arrow_table().to_pylist())
    else:
        failed = label_with_llm(requests, journalled(), llm_model, base_url, keep)
        if failed and len(failed) == len(clusters):
            raise LabelError(f"LLM_MODEL={llm_model} labelled none of {len(failed)} clusters: {failed[0]['error']}")
        # Where a new label fails, the old one stands.
        labelled = {key_of(cluster) for cluster in clusters if cluster["is_labelled"]}
        rows = [row for row in failed if key_of(row) not in labelled]
    # The journal also holds what an interrupted run of another day paid for; of two answers the later counts.
    latest = {key_of(row): row for row in rows + journalled()}
    return pa.Table.from_pylist(list(latest.values()), schema=SCHEMA)
