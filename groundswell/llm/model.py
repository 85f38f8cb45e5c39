"""One language model: its calls, the schema of its answers, its price, and its retries after temporary faults."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Set
from typing import Any

import httpx
from dbt.adapters.events.logging import AdapterLogger
from pydantic import BaseModel, ValidationError

from groundswell.http import retry_after
from groundswell.llm.answer import answer_schema
from groundswell.llm.budget import Cost
from groundswell.llm.errors import ModelError, UnreadableError

# The most tries of one call; a try may fail because of a temporary fault.
TRIES = 4
# If a provider asks for a longer pause, the next model is asked instead.
MAX_WAIT_SECONDS = 60
# The estimate counts tokens with OpenAI's tokenizer. Other tokenizers give up to this many times as many tokens.
MARGIN = 1.3

Message = dict[str, str]

log = AdapterLogger("Groundswell")

# The ways to make a model follow the schema of an answer, the strictest way first.
LADDER: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "JSON schema": lambda name, schema: {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": schema},
        }
    },
    "tool call": lambda name, schema: {
        "tools": [{"type": "function", "function": {"name": name, "parameters": schema}}],
        "tool_choice": {"type": "function", "function": {"name": name}},
    },
    "JSON object": lambda *_: {"response_format": {"type": "json_object"}},
    "prompt": lambda *_: {},
}

# A way to demand the schema leaves the ladder after this many questions were answered only in another way.
WITNESSES = 2

TOO_LONG = re.compile(r"(?i)context (length|size|window)|too (large|long)|maximum.{0,20}tokens")
NO_CREDIT = re.compile(r"(?i)insufficient.?(quota|credit|balance|fund)|exceeded your current quota")
CONTENT_REFUSED = re.compile(r"(?i)content.?(filter|policy|management)|sensitive|moderation|safety system|was filtered")


class Model:
    """One of the models of LLM_MODEL."""

    def __init__(
        self, name: str, base_url: str | None, timeout: float, answer_tokens: int, answer: type[BaseModel]
    ) -> None:
        """`timeout`: seconds. `answer_tokens`: the longest answer. `answer`: the schema of every answer.

        Raises ModelError if LiteLLM does not know the provider, or if the provider's key is missing.
        """
        self.litellm = load_litellm()
        self.name = name
        self.base_url = base_url
        self.timeout = timeout
        self.answer_tokens = answer_tokens
        self.answer = answer
        self.refusal = ""
        self.tool = answer.__name__.lower()
        # Ways that worked; for how many questions a way was refused; the first reason; parameters that are refused.
        self.accepted: set[str] = set()
        self.refusals: Counter[str] = Counter()
        self.reasons: dict[str, str] = {}
        self.refused_parameters: set[str] = set()
        try:
            self.litellm.get_llm_provider(name, api_base=base_url)
        except self.litellm.BadRequestError:
            raise ModelError(
                f"LLM_MODEL={name} names no provider that LiteLLM knows: write it as provider/model, "
                "for example groq/llama-3.3-70b-versatile"
            ) from None
        missing = self.litellm.validate_environment(name).get("missing_keys") or []
        if missing and not base_url:
            raise ModelError(f"LLM_MODEL={name} needs {' and '.join(missing)} in the environment")
        # The client library needs a key even if the server at base_url does not.
        self.api_key = "none" if missing else None
        self.ladder = list(LADDER)
        if self.is_priced():
            # LiteLLM knows the abilities of the models in its price table. For other models, each call tries the
            # strictest way that no earlier call has found refused.
            able = {
                "JSON schema": self.litellm.supports_response_schema(name),
                "tool call": self.litellm.supports_function_calling(name),
            }
            self.ladder = [rung for rung in LADDER if able.get(rung, True)]

    def is_priced(self) -> bool:
        """Whether LiteLLM's table has a price for the model."""
        return self.price(1, 1) is not None

    def price(self, tokens_in: int, tokens_out: int) -> float | None:
        """The price of a call in US dollars; None if LiteLLM's table does not have the model."""
        from litellm.exceptions import ModelNotMappedError

        try:
            prices = self.litellm.cost_per_token(self.name, prompt_tokens=tokens_in, completion_tokens=tokens_out)
        except ModelNotMappedError:
            return None
        return float(sum(prices))

    def estimate(self, messages: list[Message]) -> Cost:
        """The highest cost that a call may have."""
        tokens_in = round(MARGIN * self.litellm.token_counter(self.name, messages=messages))
        return Cost(tokens_in, self.answer_tokens, self.price(tokens_in, self.answer_tokens))

    def actual(self, response: Any, estimate: Cost) -> Cost:
        """The cost of a call by the provider's count of tokens; the estimate if the response has no count."""
        usage = getattr(response, "usage", None)
        if not usage or not usage.prompt_tokens:
            return estimate
        tokens_in, tokens_out = int(usage.prompt_tokens), int(usage.completion_tokens or 0)
        return Cost(tokens_in, tokens_out, self.price(tokens_in, tokens_out))

    async def ask(self, messages: list[Message]) -> Any:
        """Call the model and return LiteLLM's response. Temporary faults are retried after the pause of `pause`.

        Raises UnreadableError, LiteLLM's errors, or TimeoutError.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES), retry=retry_if_exception(may_pass), wait=pause, reraise=True
        )
        return await retrying(self.ask_once, messages, list(self.ladder), set(self.refused_parameters))

    async def ask_once(self, messages: list[Message], ladder: list[str], refused_parameters: set[str]) -> Any:
        """Call the model with the strictest way to demand the schema that it accepts for this question.

        ladder, refused_parameters: what is left for this question; a way or a parameter that is refused leaves them.
        """
        while True:
            try:
                response = await self.call(messages, ladder[0], refused_parameters)
            except Exception as error:
                if not self.may_be_about_request(error):
                    raise
                named = {name for name in self.parameters(refused_parameters) if re.search(rf"\b{name}\b", str(error))}
                if named:
                    refused_parameters |= named
                    continue
                status = status_of(error)
                # A server error in a way that has worked is no refusal of the way.
                if len(ladder) == 1 or (status == 500 and ladder[0] in self.accepted):
                    raise
                self.reasons.setdefault(ladder.pop(0), first_line(error))
                # The retry asks in the next way.
                if status == 500:
                    raise
            else:
                self.learn(ladder[0], refused_parameters)
                return response

    def learn(self, way: str, refused_parameters: set[str]) -> None:
        """Note how a question was answered. Ways that WITNESSES questions found refused leave the ladder for all.

        A single refusal may be about the question. A way that has worked for any question stays.
        """
        self.refused_parameters |= refused_parameters
        self.accepted.add(way)
        above = self.ladder[: self.ladder.index(way)] if way in self.ladder else []
        for refused in above:
            self.refusals[refused] += 1
            if self.refusals[refused] >= WITNESSES and refused not in self.accepted:
                self.ladder.remove(refused)
                log.info(f"{self.name} takes no {refused}, asking for a {way}: {self.reasons.get(refused, 'refused')}")

    def parameters(self, refused: Set[str]) -> dict[str, int]:
        """The parameters of a call without those that are refused."""
        parameters = {"temperature": 0, "max_tokens": self.answer_tokens, "max_completion_tokens": self.answer_tokens}
        left = {name: value for name, value in parameters.items() if name not in refused}
        # The newer name is for those that refuse the older one.
        if "max_tokens" in left:
            del left["max_completion_tokens"]
        return left

    async def call(self, messages: list[Message], way: str, refused_parameters: Set[str]) -> Any:
        """Call the model once. Raises UnreadableError if a response came that LiteLLM can not read."""
        try:
            async with asyncio.timeout(self.timeout):
                response = await self.litellm.acompletion(
                    model=self.name,
                    base_url=self.base_url,
                    api_key=self.api_key,
                    messages=messages,
                    # Only `ask` retries, because the providers' clients differ in what they retry.
                    max_retries=0,
                    # LiteLLM would search the tools for MCP servers, with a library that it does not install.
                    _skip_mcp_handler=True,
                    **self.parameters(refused_parameters),
                    **LADDER[way](self.tool, answer_schema(self.answer)),
                )
        except (self.litellm.InternalServerError, self.litellm.APIConnectionError) as error:
            parts = unread_parts(error)
            if parts:
                return self.litellm.ModelResponse(
                    model=self.name,
                    choices=[{"finish_reason": "stop", "message": {"role": "assistant", "content": parts}}],
                )
            if was_answered(error):
                said = first_line(error).partition(" Traceback ")[0]
                raise UnreadableError(f"the answer can not be read: {said}") from None
            raise
        if response is None:
            raise UnreadableError("LiteLLM gave no response")
        return response

    def may_be_about_request(self, error: BaseException) -> bool:
        """Whether a server may have refused the form of a request, and not its content, its key or its model."""
        about_content = (self.litellm.ContextWindowExceededError, self.litellm.ContentPolicyViolationError)
        return status_of(error) in (400, 403, 404, 405, 422, 500, 501) and not (
            isinstance(error, about_content) or TOO_LONG.search(str(error)) or CONTENT_REFUSED.search(str(error))
        )

    def explain(self, error: BaseException, tokens: int) -> str:
        """The message of an error of a question of about so many tokens.

        If every later call would fail the same way, the message becomes the model's refusal.
        """
        if is_lost(error):
            return f"no answer within {self.timeout:g} s"
        said, status = first_line(error), status_of(error)
        if isinstance(error, self.litellm.ContextWindowExceededError) or TOO_LONG.search(said):
            return f"the question is too long for the model, with about {tokens:,} tokens: {said}"
        if isinstance(error, self.litellm.ContentPolicyViolationError) or CONTENT_REFUSED.search(said):
            return f"the provider's filter refused the question: {said}"
        if status == 402 or NO_CREDIT.search(said):
            return f"the provider asks for payment: {said}"
        # A server that has answered may refuse a question with 403 or 404, but a key with 401 only.
        if not self.refusal and (status == 401 or (status in (403, 404) and not self.accepted)):
            self.refusal = said
            log.warning(f"LLM_MODEL={self.name} was refused: {said}")
        return said


def load_litellm() -> Any:
    """Import LiteLLM with settings that keep it from downloading tables and tokenizers; trims keys and addresses."""
    for table in ("MODEL_COST_MAP", "ANTHROPIC_BETA_HEADERS"):
        os.environ.setdefault(f"LITELLM_LOCAL_{table}", "True")
    for name, value in os.environ.items():
        if name.endswith(("_API_KEY", "_API_BASE", "_BASE_URL")) and value != value.strip():
            os.environ[name] = value.strip()
    import litellm

    litellm.suppress_debug_info = True
    # A parameter that LiteLLM knows to be refused raises an error, as one does that the server refuses. With
    # drop_params, a 422 of the server would become a response of None (LiteLLM 1.106.2).
    litellm.drop_params = False
    litellm.disable_hf_tokenizer_download = True
    return litellm


def may_pass(error: BaseException) -> bool:
    """Whether a retry may succeed soon: after a rate limit, a server error or a lost connection.

    A call that timed out is not retried, because the provider may charge for every try.
    """
    import openai

    # LiteLLM 1.106.2 takes a 413 for a rate limit if its message says that the request is too large.
    if isinstance(error, UnreadableError) or NO_CREDIT.search(str(error)) or TOO_LONG.search(str(error)):
        return False
    status = status_of(error)
    is_passing = isinstance(error, openai.APIConnectionError) or status == 429 or (status >= 500 and status != 501)
    return is_passing and not is_lost(error) and (seconds_to_wait(error) or 0) <= MAX_WAIT_SECONDS


def status_of(error: BaseException) -> int:
    """The HTTP status that LiteLLM gives to an error; 0 if it gives none."""
    status = str(getattr(error, "status_code", None))
    return int(status) if status.isdigit() else 0


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def was_answered(error: BaseException) -> bool:
    """Whether a response with status 200 led to an error: LiteLLM reports what it can not read as a server error."""
    import aiohttp
    import openai

    no_answer = (httpx.HTTPError, aiohttp.ClientError, openai.APIError, OSError)
    return not any(isinstance(cause, no_answer) for cause in list(causes(error))[1:])


def unread_parts(error: BaseException) -> str:
    """The text of an answer that is a list of parts, without thoughts. LiteLLM 1.106.2 does not read such answers."""
    for cause in causes(error):
        for problem in cause.errors() if isinstance(cause, ValidationError) else []:
            if problem["loc"] == ("content",) and isinstance(problem["input"], list):
                parts = [part for part in problem["input"] if isinstance(part, dict) and part.get("type") == "text"]
                return "".join(str(part.get("text", "")) for part in parts)
    return ""


def is_lost(error: BaseException) -> bool:
    """Whether a call timed out; the provider may charge for it all the same."""
    import openai

    return isinstance(error, (TimeoutError, openai.APITimeoutError))


def seconds_to_wait(error: BaseException | None) -> float | None:
    """Seconds that the provider asks us to wait; None if the response does not say."""
    # The response in LiteLLM's own errors is made up; the provider's headers are in another attribute.
    headers = getattr(error, "litellm_response_headers", None) or getattr(
        getattr(error, "response", None), "headers", {}
    )
    told = {name: headers.get(name) or "" for name in ("retry-after", "date")}
    return retry_after(httpx.Response(429, headers=told))


def pause(state: Any) -> float:
    """Seconds before the next try: the pause that the provider asks for, else exponential backoff with jitter."""
    from tenacity import wait_random_exponential

    asked = seconds_to_wait(state.outcome.exception())
    return asked if asked is not None else wait_random_exponential(multiplier=1, max=MAX_WAIT_SECONDS)(state)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, at most 500 characters; keys of the environment are replaced."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for name, value in os.environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and len(value) >= 8:
            line = line.replace(value, "[secret]")
    return line[:500]
