"""Every attempt to label a cluster or a problem, with its cost: what was paid for is here, and never paid for again.

Grain: one row per attempt_id. Append-only.
Method: with LLM_MODEL unset or `extractive`, the labels of silver.extractive_labels and gold.problem_requests. Else the
models that LLM_MODEL names, through LiteLLM, the next where one gives no answer: eight calls in flight, problems first,
the largest first. A problem is asked about again when its voices have doubled, or when half of the posts that its
label quotes have left it. A model is asked for a JSON schema, a tool call or a JSON object, as far as it can. Every
answer is checked against the posts that it was given (`checked`); one that does not pass is sent back once with what is
wrong.

A call costs money, so its row is committed to a journal table before it leaves, and again with its answer: a
`kill -9` loses no more than the calls in flight, and their cost stays counted. dbt moves the journal's rows into the
table at the end, and the post-hook drops it.
"""

import asyncio
import json
import os
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple
from uuid import uuid4

import httpx
import pyarrow as pa
from dbt.adapters.events.logging import AdapterLogger
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from rich.console import Console
from rich.progress import Progress

from ingest.source import retry_after as wait_told

EXTRACTIVE = "extractive"
CALLS_IN_FLIGHT = 8
# Calls of one question to one model that may fail on the way.
TRIES = 4
# The longest pause that a provider may ask for before the next model is asked instead.
MAX_WAIT_SECONDS = 60
# Tokens are estimated with OpenAI's tokenizer; others cut a text into up to so many times as many.
MARGIN = 1.3
# Posts that must be quoted for a title, where there are as many.
SUPPORT = 2

QUOTES = pa.list_(pa.struct([("url_hash", pa.string()), ("quote", pa.string()), ("supports_payment", pa.bool_())]))
SCHEMA = pa.schema(
    [
        ("attempt_id", pa.string()),
        ("cluster_date", pa.date32()),
        ("cluster_id", pa.int32()),
        ("problem_id", pa.string()),
        ("canonical_title", pa.string()),
        ("category", pa.string()),
        ("description", pa.string()),
        ("impact_level", pa.string()),
        ("labeler", pa.string()),
        ("model", pa.string()),
        ("prompt_version", pa.string()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("quotes", QUOTES),
        ("tokens_in", pa.int64()),
        ("tokens_out", pa.int64()),
        ("cost_usd", pa.float64()),
        ("latency_seconds", pa.float64()),
        ("voices", pa.int64()),
        ("would_pay_signal", pa.bool_()),
        ("attempted_at", pa.timestamp("us")),
    ]
)

Row = dict[str, Any]

log = AdapterLogger("Groundswell")

# -- What an answer must be.

# A link, or the name of a host: ASP.NET and Node.js are none.
WEB_ADDRESS = re.compile(
    r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|javascript:|data:)"
    r"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}/"
    r"|\b[a-z0-9-]+\.(?:com|org|info|ru|xyz|top|cn|biz|click|link|online|site|shop|club|live|example)\b"
)
# Control characters and what nobody sees, such as marks that turn the direction of writing, among it.
MARKUP = re.compile(
    r"[<>‹›]|&\w+;|\]\(|\*\*|```|^#+ "
    "|[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
MONEY = re.compile(
    r"(?i)[$€£¥₹] ?\d|\d[\d.,]*k? ?(?:[€£¥₹]|usd|eur|gbp|dollars?|euros?|pounds|bucks)\b"
    r"|\b(?:pay|pays|paying|paid|buy|buying|bought|purchas\w+|subscri\w+|budget\w*|spen[dt]\w*|worth|afford\w*)\b"
)
SENTENCE_END = re.compile(r"[.!?。！？](?=\s|$)")
ABBREVIATION = re.compile(r"(?i)\b(?:e\.g|i\.e|etc|vs|inc|no|approx|\w)\.(?=\s)")
WORD = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")
MIN_QUOTE, MAX_QUOTE = 8, 300
# Runs of so many words of one post are its wording.
RUN = 3


class Quote(BaseModel):
    """Words of a post, and what they show."""

    model_config = ConfigDict(extra="ignore", strict=True)

    post: int
    quote: str
    shows: Literal["problem", "payment"]


class Label(BaseModel):
    """The answer that a language model must give."""

    model_config = ConfigDict(extra="ignore", strict=True)

    cluster: int
    canonical_title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    category: Literal["ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other"]
    description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
    would_pay_signal: bool
    impact_level: Literal["low", "medium", "high"]
    quotes: list[Quote]


class AnswerError(ValueError):
    """An answer that does not pass; the message tells the model, and the reader of the table, what is wrong."""


class LabelError(Exception):
    """Something a person must act on, in one line."""

    # dbt-duckdb prints the traceback of what a Python model raises; the line says it all.
    __traceback__ = None


def answer_schema() -> dict[str, Any]:
    """The JSON schema of a Label in the subset that every provider takes: no lengths, nothing optional."""

    def plain(node: Any) -> Any:
        if isinstance(node, list):
            return [plain(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return plain(schema["$defs"][node["$ref"].rpartition("/")[2]])
        kept = {
            key: {name: plain(each) for name, each in value.items()} if key == "properties" else plain(value)
            for key, value in node.items()
            if key in ("type", "properties", "items", "enum", "required")
        }
        return kept | ({"additionalProperties": False} if kept.get("type") == "object" else {})

    schema = Label.model_json_schema()
    return plain(schema)  # type: ignore[no-any-return]


def parsed(content: str) -> Label:
    """The label in an answer, which may stand in prose or come twice. Raises AnswerError."""
    start = content.find("{")
    if start < 0:
        raise AnswerError("the answer holds no JSON object")
    try:
        document, _ = json.JSONDecoder().raw_decode(content, start)
    except ValueError as error:
        raise AnswerError(f"the answer is not valid JSON: {error}") from None
    try:
        return Label.model_validate_json(json.dumps(document))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise AnswerError(f"{'.'.join(map(str, problem['loc'])) or 'answer'}: {problem['msg']}") from None


def found(quote: str, text: str) -> str | None:
    """The words of a text that a quote of it is, blanks and quotation marks aside; None where it holds none such.

    Prompts show "<" and ">" as other brackets.
    """
    if not MIN_QUOTE <= len(quote.strip()) <= MAX_QUOTE:
        return None
    alike = {"<": "[<‹]", "‹": "[<‹]", ">": "[>›]", "›": "[>›]", "'": "['’]", "’": "['’]", '"': '["“”]'}
    pattern = r"\s+".join(
        "".join(alike.get(character, re.escape(character)) for character in word) for word in quote.split()
    )
    match = re.search(pattern, text)
    return match[0] if match else None


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def borrowed(label: Label, texts: Iterable[str], quotes: Iterable[str]) -> str | None:
    """What a title or description may have been told to say: None where there is nothing of the kind.

    A name or number that fewer than SUPPORT posts use; and, where no verified quote shows them, a word of the title or
    a run of words of the description that one post alone has. Words of several posts, or of none, are the model's own.
    """
    posts = [WORD.findall(text) for text in texts]
    lowered = [[word.lower() for word in post] for post in posts]
    quoted = [words(quote) for quote in quotes]
    title, description = words(label.canonical_title), words(label.description)
    for name in WORD.findall(f"{label.canonical_title} {label.description}"):
        # What somebody writes in lower case is no name, nor is a word of the model's own that begins with a capital.
        is_name = name != name.lower() and not any(name.lower() in post for post in posts)
        holders = sum(name.lower() in post for post in lowered)
        is_odd = any(letter.isupper() or letter.isdigit() for letter in name[1:]) or name[0].isdigit()
        if (is_odd or (is_name and holders)) and holders < min(SUPPORT, len(posts)):
            return str(name)
    runs = [[word] for word in title if len(word) > 3]
    runs += [description[start : start + RUN] for start in range(len(description) - RUN + 1)]
    for run in runs:
        holders = sum(holds(post, run) for post in lowered)
        if holders == 1 < len(posts) and not any(holds(quote, run) for quote in quoted):
            return " ".join(run)
    return None


def holds(post: list[str], run: list[str]) -> bool:
    """Whether words follow each other in a post as in a run."""
    return any(post[start : start + len(run)] == run for start in range(len(post) - len(run) + 1))


def sentences(text: str) -> int:
    """How many sentences a text has."""
    return max(1, len(SENTENCE_END.findall(ABBREVIATION.sub("", text.strip()))))


def checked(label: Label, request: Row) -> Row:
    """The columns of a label whose claims the posts of the request bear out. Raises AnswerError.

    Quotes that no post holds are dropped; without one about money, would_pay_signal is false.
    """
    if label.cluster != request["cluster_id"]:
        raise AnswerError(f"cluster: the question was about cluster {request['cluster_id']}, not {label.cluster}")
    for name, text in (("canonical_title", label.canonical_title), ("description", label.description)):
        for what, pattern in (("a web address", WEB_ADDRESS), ("markup", MARKUP)):
            if pattern.search(text):
                raise AnswerError(f"{name}: holds {what}")
    if sentences(label.description) > 2:
        raise AnswerError("description: more than two sentences")
    samples = {sample["sample_number"]: sample for sample in request["samples"]}
    quotes: dict[tuple[str, str], bool] = {}
    supporting = set()
    for quote in label.quotes:
        sample = samples.get(quote.post)
        words_of_post = sample and found(quote.quote, sample["text"])
        if not sample or not words_of_post:
            continue
        if quote.shows == "payment":
            if MONEY.search(words_of_post):
                quotes[sample["url_hash"], words_of_post] = True
        else:
            quotes.setdefault((sample["url_hash"], words_of_post), False)
            supporting.add(quote.post)
    if len(supporting) < min(SUPPORT, len(samples)):
        raise AnswerError(
            f"quotes: {len(supporting)} posts are quoted word for word for the problem, "
            f"at least {min(SUPPORT, len(samples))} must be"
        )
    taken = borrowed(label, (sample["text"] for sample in samples.values()), (quote for _, quote in quotes))
    if taken:
        raise AnswerError(f"title or description: {taken!r} is not what several posts say, nor in a quote")
    return label.model_dump(exclude={"cluster", "quotes"}) | {
        "would_pay_signal": label.would_pay_signal and any(quotes.values()),
        "quotes": [
            {"url_hash": url_hash, "quote": quote, "supports_payment": payment}
            for (url_hash, quote), payment in quotes.items()
        ],
    }


# -- What a call may cost.


class Cost(NamedTuple):
    """Tokens of a question and its answer, and their price in US dollars, None where it is not known."""

    tokens_in: int
    tokens_out: int
    usd: float | None


class Budget:
    """What may still be spent today, in US dollars and in tokens; None knows no limit."""

    def __init__(self, usd: float | None, tokens: float | None) -> None:
        self.usd = usd
        self.tokens = tokens

    def allows(self, cost: Cost) -> bool:
        """Whether a call fits in."""
        return (self.usd is None or (cost.usd or 0) <= self.usd) and (
            self.tokens is None or cost.tokens_in + cost.tokens_out <= self.tokens
        )

    def spend(self, cost: Cost, times: int = 1) -> None:
        """Take what a call costs; with times = -1 give it back."""
        if self.usd is not None:
            self.usd -= times * (cost.usd or 0)
        if self.tokens is not None:
            self.tokens -= times * (cost.tokens_in + cost.tokens_out)


# -- Models.

# How a model is held to the schema of the answer, the strictest way first.
LADDER: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "JSON schema": lambda schema: {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "label", "strict": True, "schema": schema},
        }
    },
    "tool call": lambda schema: {
        "tools": [{"type": "function", "function": {"name": "label", "parameters": schema}}],
        "tool_choice": {"type": "function", "function": {"name": "label"}},
    },
    "JSON object": lambda _: {"response_format": {"type": "json_object"}},
    "prompt": lambda _: {},
}


class Model:
    """One of the models of LLM_MODEL: how it is reached, and what is known of it."""

    def __init__(self, name: str, base_url: str | None, timeout: float, answer_tokens: int) -> None:
        """Raises LabelError where LiteLLM does not know the provider or its key is missing."""
        self.litellm = load_litellm()
        self.name = name
        self.base_url = base_url
        self.timeout = timeout
        self.answer_tokens = answer_tokens
        self.refusal = ""
        try:
            self.litellm.get_llm_provider(name, api_base=base_url)
        except self.litellm.BadRequestError:
            raise LabelError(
                f"LLM_MODEL={name} names no provider that LiteLLM knows: write it as provider/model, "
                "for example groq/llama-3.3-70b-versatile"
            ) from None
        missing = self.litellm.validate_environment(name).get("missing_keys") or []
        if missing and not base_url:
            raise LabelError(f"LLM_MODEL={name} needs {' and '.join(missing)} in the environment")
        # A server of one's own wants no key, but its client insists on one.
        self.api_key = "none" if missing else None
        self.ladder = list(LADDER)
        if self.is_priced():
            # What LiteLLM knows it also knows the abilities of; of the others they are found out, strictest first.
            able = {
                "JSON schema": self.litellm.supports_response_schema(name),
                "tool call": self.litellm.supports_function_calling(name),
            }
            self.ladder = [rung for rung in LADDER if able.get(rung, True)]

    def is_priced(self) -> bool:
        """Whether LiteLLM's table knows the model and its price."""
        return self.price(1, 1) is not None

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """US dollars of a call, None where LiteLLM's table does not know the model."""
        from litellm.exceptions import ModelNotMappedError

        try:
            prices = self.litellm.cost_per_token(self.name, prompt_tokens=tokens_in, completion_tokens=tokens_out)
        except ModelNotMappedError:
            return None
        return float(sum(prices))

    def estimate(self, messages: list[Row]) -> Cost:
        """What a call costs at most."""
        tokens_in = round(MARGIN * self.litellm.token_counter(self.name, messages=messages))
        return Cost(tokens_in, self.answer_tokens, self.price(tokens_in, self.answer_tokens))

    def actual(self, response: Any, estimate: Cost) -> Cost:
        """What a call cost, by the provider's own count where it gives one."""
        usage = getattr(response, "usage", None)
        if not usage or not usage.prompt_tokens:
            return estimate
        return Cost(
            usage.prompt_tokens, usage.completion_tokens, self.price(usage.prompt_tokens, usage.completion_tokens)
        )

    async def ask(self, messages: list[Row]) -> Any:
        """LiteLLM's response; what may pass is tried again, when the provider says so.

        Raises what LiteLLM raises, or TimeoutError.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES), retry=retry_if_exception(may_pass), wait=pause, reraise=True
        )
        return await retrying(self.ask_once, messages)

    async def ask_once(self, messages: list[Row]) -> Any:
        """LiteLLM's response, held to the schema as strictly as the model takes it."""
        while True:
            rung = self.ladder[0]
            try:
                async with asyncio.timeout(self.timeout):
                    return await self.litellm.acompletion(
                        model=self.name,
                        base_url=self.base_url,
                        api_key=self.api_key,
                        messages=messages,
                        temperature=0,
                        max_tokens=self.answer_tokens,
                        # Only `ask` tries again: providers' clients differ in what they repeat.
                        max_retries=0,
                        # LiteLLM looks into tools for MCP servers, with a library that it does not bring along.
                        _skip_mcp_handler=True,
                        **LADDER[rung](answer_schema()),
                    )
            except self.litellm.BadRequestError as error:
                beyond = (self.litellm.ContextWindowExceededError, self.litellm.ContentPolicyViolationError)
                if isinstance(error, beyond) or len(self.ladder) == 1:
                    raise
                # Of eight calls in flight, the first that is refused climbs down for all.
                if rung == self.ladder[0]:
                    self.ladder.pop(0)
                    log.info(f"{self.name} takes no {rung}, asking for a {self.ladder[0]}: {first_line(error)}")

    def attempt_of(self, request: Row) -> Row:
        """The row of a call to this model that is about to leave."""
        return {
            "attempt_id": uuid4().hex,
            **subject(request),
            "labeler": self.name,
            "prompt_version": request["prompt_version"],
            "status": "asked",
            "attempted_at": now(),
        }

    def explain(self, error: BaseException) -> str:
        """What an error says; one that every other call would meet as well is this model's refusal."""
        if isinstance(error, TimeoutError):
            return f"no answer within {self.timeout:g} s"
        said = first_line(error)
        for_good = (
            self.litellm.AuthenticationError,
            self.litellm.PermissionDeniedError,
            self.litellm.NotFoundError,
        )
        if isinstance(error, for_good) and not self.refusal:
            self.refusal = said
            log.warning(f"LLM_MODEL={self.name} was refused: {said}")
        return said


def load_litellm() -> Any:
    """LiteLLM, kept from fetching its price map, and tokenizers, over the network."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.drop_params = True
    litellm.disable_hf_tokenizer_download = True
    return litellm


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed later, and soon: too many requests, a server's fault, no connection.

    One that takes too long is not repeated: each time might be paid for.
    """
    import openai

    status = getattr(error, "status_code", None) or 0
    is_passing = isinstance(error, openai.APIConnectionError) or status == 429 or status >= 500
    return is_passing and not is_lost(error) and (retry_after(error) or 0) <= MAX_WAIT_SECONDS


def is_lost(error: BaseException) -> bool:
    """Whether a question was not answered in time, and may have been paid for all the same."""
    import openai

    return isinstance(error, (TimeoutError, openai.APITimeoutError))


def retry_after(error: BaseException | None) -> float | None:
    """Seconds that a provider asks to wait, None where it does not say."""
    # LiteLLM's own errors hold a made-up response, and the provider's headers beside it.
    headers = getattr(error, "litellm_response_headers", None) or getattr(
        getattr(error, "response", None), "headers", {}
    )
    told = {name: headers.get(name) or "" for name in ("retry-after", "date")}
    return wait_told(httpx.Response(429, headers=told))


def pause(state: Any) -> float:
    """Seconds before the next try: what the provider asks for, else exponential with jitter (tenacity)."""
    from tenacity import wait_random_exponential

    asked = retry_after(state.outcome.exception())
    return asked if asked is not None else wait_random_exponential(multiplier=1, max=MAX_WAIT_SECONDS)(state)


def content_of(response: Any) -> str:
    """The text of an answer, or the arguments of the tool that it calls. Raises AnswerError."""
    if not response.choices:
        raise AnswerError("the answer is empty")
    choice = response.choices[0]
    if choice.message.tool_calls:
        return str(choice.message.tool_calls[0].function.arguments)
    if not choice.message.content:
        refusal = (getattr(choice.message, "provider_specific_fields", None) or {}).get("refusal")
        raise AnswerError(f"the model refused: {refusal}" if refusal else "the answer is empty")
    if choice.finish_reason == "length":
        raise AnswerError("the answer is cut off: var llm_answer_tokens allows it no more")
    return str(choice.message.content)


def first_line(error: BaseException) -> str:
    """What an error says, without its details, and without the keys that a server may have repeated."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for name, value in os.environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and len(value) >= 8:
            line = line.replace(value, "[secret]")
    return line[:500]


def now() -> datetime:
    """This moment, UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


# -- Clusters.


class Labelling:
    """One run: the models, first choice first, the budget, and keep(), which makes an attempt durable."""

    def __init__(self, models: list[Model], budget: Budget, keep: Callable[[Row], None]) -> None:
        self.models = models
        self.budget = budget
        self.keep = keep
        self.outcomes: list[Row] = []

    async def label_all(self, requests: list[Row], advance: Callable[[], None]) -> int:
        """Label clusters in their order, CALLS_IN_FLIGHT at a time; returns how many were left waiting.

        Raises LabelError (in an ExceptionGroup) where every model is refused.
        """
        running: set[asyncio.Task[None]] = set()

        async def settle() -> None:
            nonlocal running
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for _ in done:
                advance()

        async with asyncio.TaskGroup() as group:
            for place, request in enumerate(requests):
                # What calls in flight have reserved and do not need is given back as they end.
                while running and (len(running) == CALLS_IN_FLIGHT or not self.affords(question(request))):
                    await settle()
                if self.is_down() or not self.affords(question(request)):
                    return len(requests) - place
                running.add(group.create_task(self.label(request)))
                # Begin it now, so that its reservation is made before the next is looked at.
                await asyncio.sleep(0)
            while running:
                await settle()
        return 0

    def affords(self, messages: list[Row]) -> bool:
        """Whether the budget has room for a call to the first model that may be asked."""
        return any(self.budget.allows(model.estimate(messages)) for model in self.models if not model.refusal)

    def is_down(self) -> bool:
        """Whether as many calls as may be in flight have gone unanswered on end."""
        last = [row["status"] for row in self.outcomes[-CALLS_IN_FLIGHT:]]
        return len(last) == CALLS_IN_FLIGHT and set(last) == {"unanswered"}

    async def label(self, request: Row) -> None:
        """Ask about one cluster, and once more where the answer does not pass."""
        messages = question(request)
        answer, error = await self.attempt(request, messages)
        if error:
            correction = f"That answer does not pass: {error}. Send the whole JSON object again, corrected."
            messages += [{"role": "assistant", "content": answer[:4_000]}, {"role": "user", "content": correction}]
            await self.attempt(request, messages)

    async def attempt(self, request: Row, messages: list[Row]) -> tuple[str, str]:
        """Put messages to the first model that answers: the answer, and what is wrong with it, both empty if nothing.

        Raises LabelError where every model is refused.
        """
        import openai

        row: Row = {}
        for model in self.models:
            estimate = model.estimate(messages)
            if model.refusal or not self.budget.allows(estimate):
                continue
            self.budget.spend(estimate)
            row = model.attempt_of(request) | columns_of(estimate)
            self.keep(row)
            started = time.monotonic()
            try:
                response = await model.ask(messages)
            except (openai.OpenAIError, TimeoutError) as error:
                row |= {"status": "unanswered", "error": model.explain(error)}
                if not is_lost(error):
                    self.budget.spend(estimate, -1)
                    row |= columns_of(Cost(0, 0, 0.0))
                self.keep(row)
                continue
            cost = model.actual(response, estimate)
            self.budget.spend(estimate, -1)
            self.budget.spend(cost)
            row |= columns_of(cost) | {"latency_seconds": time.monotonic() - started, "model": response.model}
            answer = ""
            try:
                answer = content_of(response)
                row |= checked(parsed(answer), request) | {"status": "labelled"}
            except AnswerError as error:
                row |= {"status": "rejected", "error": str(error)[:500]}
            self.keep(row)
            self.outcomes.append(row)
            return (answer, row["error"]) if row["status"] == "rejected" else ("", "")
        if all(model.refusal for model in self.models):
            raise LabelError(f"LLM_MODEL={self.models[0].name} was refused: {self.models[0].refusal}")
        if row:
            self.outcomes.append(row)
        return "", ""


def question(request: Row) -> list[Row]:
    """What a model is asked about a cluster."""
    return [
        {"role": "system", "content": request["system_prompt"]},
        {"role": "user", "content": request["prompt"]},
    ]


def columns_of(cost: Cost) -> Row:
    """A cost as it stands in a row."""
    return {"tokens_in": cost.tokens_in, "tokens_out": cost.tokens_out, "cost_usd": cost.usd}


def label_with_llm(
    requests: list[Row], is_first: bool, models: list[Model], budget: Budget, keep: Callable[[Row], None]
) -> None:
    """Ask about problems and the day's clusters, in their order, and say how many are left waiting, and why.

    Raises LabelError where a model has no price and no limit of tokens is set beside the one in dollars, where all
    models are refused, or where none of the day's clusters could be labelled.
    """
    unpriced = [model.name for model in models if not model.is_priced()]
    if budget.usd is not None and budget.tokens is None and unpriced:
        raise LabelError(
            f"the price of {' and '.join(unpriced)} is not known, so that llm_budget_usd can not be kept to:"
            " set llm_budget_tokens as well"
        )
    labelling = Labelling(models, budget, keep)
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"Labelling {len(requests):,} clusters", total=len(requests))
        try:
            waiting = asyncio.run(labelling.label_all(requests, lambda: progress.advance(task)))
        except* LabelError as errors:
            raise errors.exceptions[0] from None
    failures = [row["error"] for row in labelling.outcomes if row["status"] != "labelled"]
    if failures and len(failures) == len(labelling.outcomes) and is_first:
        raise LabelError(f"LLM_MODEL={models[0].name} labelled none of {len(requests)} clusters: {failures[-1]}")
    if waiting:
        why = f"no answer from {models[0].name}: {failures[-1]}" if labelling.is_down() else "today's budget is spent"
        log.warning(f"{waiting:,} of {len(requests):,} clusters wait for a label: {why}")


def label_extractively(requests: list[Row], extractive_labels: list[Row]) -> list[Row]:
    """Rows of SCHEMA from silver.extractive_labels, for the clusters that are asked about."""
    labels = {key_of(label): label for label in extractive_labels}
    fixed = columns_of(Cost(0, 0, 0.0)) | {
        "labeler": EXTRACTIVE,
        "status": "labelled",
        "latency_seconds": 0.0,
        "attempted_at": now(),
    }
    return [
        request | labels[key_of(request)] | subject(request) | fixed | {"attempt_id": uuid4().hex}
        for request in requests
    ]


def key_of(row: Row) -> tuple[Any, ...]:
    """Day and number of a cluster, or the id of a problem."""
    return (row["problem_id"],) if row.get("problem_id") else (row["cluster_date"], row["cluster_id"])


def subject(request: Row) -> Row:
    """What a request is about, as it stands in a row; the number by which a model knows a problem is of one run."""
    if request.get("problem_id"):
        return {
            "problem_id": request["problem_id"],
            "voices": request["voices"],
            "cluster_date": None,
            "cluster_id": None,
        }
    return {"cluster_date": request["cluster_date"], "cluster_id": request["cluster_id"]}


def limit(name: str, value: object) -> float | None:
    """A budget from its var, None where there is none. Raises LabelError."""
    if value is None:
        return None
    try:
        amount = float(str(value))
    except ValueError:
        amount = -1
    if not 0 <= amount < float("inf"):
        raise LabelError(f"{name} is a number, 0 or more, not {value!r}")
    return amount


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the attempts that the table does not hold yet: of the clusters without a label, or of all to relabel."""
    dbt.config(materialized="incremental", incremental_strategy="delete+insert", unique_key="attempt_id")
    label_requests = dbt.ref("label_requests")  # noqa: F841  (read below, by the connection that commits at once)
    problem_requests = dbt.ref("problem_requests")
    extractive_labels = dbt.ref("extractive_labels")
    run_date = dbt.config.meta_get("run_date")
    relabel = bool(dbt.config.meta_get("relabel"))
    names = [name.strip() for name in dbt.config.meta_get("llm_model").split(",") if name.strip()]
    base_url = dbt.config.meta_get("llm_base_url") or None
    timeout = float(dbt.config.meta_get("llm_timeout_seconds"))
    answer_tokens = int(dbt.config.meta_get("llm_answer_tokens"))
    most_rejected = int(dbt.config.meta_get("llm_rejections"))
    usd = limit("llm_budget_usd", dbt.config.meta_get("llm_budget_usd"))
    tokens = limit("llm_budget_tokens", dbt.config.meta_get("llm_budget_tokens"))

    # A connection of its own: what it writes is committed at once, whatever becomes of dbt's transaction.
    durable = session.cursor()
    journal = f"{dbt.this.schema}.label_attempts__journal"
    empty = SCHEMA.empty_table()  # noqa: F841  (DuckDB finds it by name)
    durable.execute(f"create table if not exists {journal} as select * from empty")
    attempts = f"(select *, true as is_new from {journal})"
    if dbt.is_incremental:
        attempts = f"({attempts} union all by name select *, false as is_new from {dbt.this})"

    def read(query: str) -> list[Row]:
        return durable.sql(query).to_arrow_table().to_pylist()  # type: ignore[no-any-return]

    clusters = read(
        f"""
        with attempts as (
            select
                cluster_date,
                cluster_id,
                -- To relabel is to want a label from now on: what an interrupted run has is not asked for again.
                coalesce(bool_or(status = 'labelled' and (is_new or not {relabel})), false) as is_labelled,
                count(*) filter (where status = 'rejected') as rejected,
            from {attempts}
            where problem_id is null
            group by all
        )
        select cluster_date, cluster_id, prompt_version, system_prompt, prompt, samples
        from {dbt.this.schema}.label_requests
        left join attempts using (cluster_date, cluster_id)
        where
            cluster_date = date '{run_date}'
            and prompt is not null
            and is_labelled is not true
            and (coalesce(rejected, 0) < {most_rejected} or {relabel})
        order by core_size desc, cluster_id
        """
    )
    problems = read(
        f"""
        with attempts as (
            select
                problem_id,
                arg_max(voices, attempted_at) filter (where status = 'labelled') as labelled_voices,
                arg_max(quotes, attempted_at) filter (where status = 'labelled') as labelled_quotes,
                coalesce(bool_or(status = 'labelled' and is_new), false) as is_labelled_now,
                count(*) filter (where status = 'rejected') as rejected,
            from {attempts}
            where problem_id is not null
            group by all
        )
        select problem_id, cluster_id, voices, prompt_version, system_prompt, prompt, samples
        from {dbt.this.schema}.problem_requests
        left join attempts using (problem_id)
        where
            prompt is not null
            and is_labelled_now is not true
            and (
                (
                    labelled_voices is null
                    or voices >= 2 * labelled_voices
                    or 2 * len(list_filter(labelled_quotes, lambda each: list_contains(url_hashes, each['url_hash'])))
                    <= len(labelled_quotes)
                )
                and coalesce(rejected, 0) < {most_rejected}
                or {relabel} and last_seen = date '{run_date}'
            )
        order by voices desc, problem_id
        """
    )
    requests = problems + clusters

    def keep(row: Row) -> None:
        attempt = pa.Table.from_pylist([row], schema=SCHEMA)  # noqa: F841
        durable.execute("begin")
        durable.execute(f"delete from {journal} where attempt_id = $id", {"id": row["attempt_id"]})
        durable.execute(f"insert into {journal} select * from attempt")
        durable.execute("commit")

    if requests and names == [EXTRACTIVE]:
        labels = [row for each in (extractive_labels, problem_requests) for row in each.to_arrow_table().to_pylist()]
        for row in label_extractively(requests, labels):
            keep(row)
    elif requests:
        [(spent_usd, spent_tokens)] = durable.sql(
            f"""
            select coalesce(sum(cost_usd), 0), coalesce(sum(tokens_in + tokens_out), 0)
            from {attempts}
            where attempted_at >= (now() at time zone 'UTC')::date
            """
        ).fetchall()
        budget = Budget(usd, tokens)
        budget.spend(Cost(int(spent_tokens), 0, spent_usd))
        models = [Model(name, base_url, timeout, answer_tokens) for name in names]
        [(of_day,)] = durable.sql(
            f"select count(*) from {dbt.this.schema}.label_requests where cluster_date = date '{run_date}'"
        ).fetchall()
        label_with_llm(requests, len(clusters) == of_day, models, budget, keep)
    return durable.sql(f"select * from {journal}").to_arrow_table()
