"""One language model: how it is reached, held to an answer's schema, priced, and asked again where a fault may pass."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import httpx
from dbt.adapters.events.logging import AdapterLogger
from pydantic import BaseModel

from groundswell.http import retry_after
from groundswell.llm.answer import answer_schema
from groundswell.llm.budget import Cost
from groundswell.llm.errors import ModelError

# Calls of one question to one model that may fail on the way.
TRIES = 4
# The longest pause that a provider may ask for before the next model is asked instead.
MAX_WAIT_SECONDS = 60
# Tokens are estimated with OpenAI's tokenizer; others cut a text into up to so many times as many.
MARGIN = 1.3

Message = dict[str, str]

log = AdapterLogger("Groundswell")

# How a model is held to the schema of the answer, the strictest way first.
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


class Model:
    """One of the models of LLM_MODEL: how it is reached, and what is known of it."""

    def __init__(
        self, name: str, base_url: str | None, timeout: float, answer_tokens: int, answer: type[BaseModel]
    ) -> None:
        """`timeout` is in seconds, `answer` what every answer must be.

        Raises ModelError where LiteLLM does not know the provider or its key is missing.
        """
        self.litellm = load_litellm()
        self.name = name
        self.base_url = base_url
        self.timeout = timeout
        self.answer_tokens = answer_tokens
        self.answer = answer
        self.refusal = ""
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

    def estimate(self, messages: list[Message]) -> Cost:
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

    async def ask(self, messages: list[Message]) -> Any:
        """LiteLLM's response; what may pass is tried again, when the provider says so.

        Raises what LiteLLM raises, or TimeoutError.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES), retry=retry_if_exception(may_pass), wait=pause, reraise=True
        )
        return await retrying(self.ask_once, messages)

    async def ask_once(self, messages: list[Message]) -> Any:
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
                        **LADDER[rung](self.answer.__name__.lower(), answer_schema(self.answer)),
                    )
            except self.litellm.BadRequestError as error:
                beyond = (self.litellm.ContextWindowExceededError, self.litellm.ContentPolicyViolationError)
                if isinstance(error, beyond) or len(self.ladder) == 1:
                    raise
                # Of eight calls in flight, the first that is refused climbs down for all.
                if rung == self.ladder[0]:
                    self.ladder.pop(0)
                    log.info(f"{self.name} takes no {rung}, asking for a {self.ladder[0]}: {first_line(error)}")

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
    return is_passing and not is_lost(error) and (seconds_to_wait(error) or 0) <= MAX_WAIT_SECONDS


def is_lost(error: BaseException) -> bool:
    """Whether a question was not answered in time, and may have been paid for all the same."""
    import openai

    return isinstance(error, (TimeoutError, openai.APITimeoutError))


def seconds_to_wait(error: BaseException | None) -> float | None:
    """Seconds that a provider asks to wait, None where it does not say."""
    # LiteLLM's own errors hold a made-up response, and the provider's headers beside it.
    headers = getattr(error, "litellm_response_headers", None) or getattr(
        getattr(error, "response", None), "headers", {}
    )
    told = {name: headers.get(name) or "" for name in ("retry-after", "date")}
    return retry_after(httpx.Response(429, headers=told))


def pause(state: Any) -> float:
    """Seconds before the next try: what the provider asks for, else exponential with jitter (tenacity)."""
    from tenacity import wait_random_exponential

    asked = seconds_to_wait(state.outcome.exception())
    return asked if asked is not None else wait_random_exponential(multiplier=1, max=MAX_WAIT_SECONDS)(state)


def first_line(error: BaseException) -> str:
    """What an error says, without its details, and without the keys that a server may have repeated."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for name, value in os.environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and len(value) >= 8:
            line = line.replace(value, "[secret]")
    return line[:500]
