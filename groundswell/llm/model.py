"""One language model: its calls, the schema of its answers, its price, and its retries after temporary faults."""

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
        return Cost(
            usage.prompt_tokens, usage.completion_tokens, self.price(usage.prompt_tokens, usage.completion_tokens)
        )

    async def ask(self, messages: list[Message]) -> Any:
        """Call the model and return LiteLLM's response. Temporary faults are retried after the pause of `pause`.

        Raises LiteLLM's errors, or TimeoutError.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES), retry=retry_if_exception(may_pass), wait=pause, reraise=True
        )
        return await retrying(self.ask_once, messages)

    async def ask_once(self, messages: list[Message]) -> Any:
        """Call the model once, with the strictest way to demand the schema that the model accepts."""
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
                        # Only `ask` retries, because the providers' clients differ in what they retry.
                        max_retries=0,
                        # LiteLLM would search the tools for MCP servers, with a library that it does not install.
                        _skip_mcp_handler=True,
                        **LADDER[rung](self.answer.__name__.lower(), answer_schema(self.answer)),
                    )
            except self.litellm.BadRequestError as error:
                beyond = (self.litellm.ContextWindowExceededError, self.litellm.ContentPolicyViolationError)
                if isinstance(error, beyond) or len(self.ladder) == 1:
                    raise
                # The first refused call of those in flight removes the way for all calls.
                if rung == self.ladder[0]:
                    self.ladder.pop(0)
                    log.info(f"{self.name} takes no {rung}, asking for a {self.ladder[0]}: {first_line(error)}")

    def explain(self, error: BaseException) -> str:
        """The message of an error. If every later call would fail the same way, it becomes the model's refusal."""
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
    """Import LiteLLM with settings that keep it from downloading its price table and tokenizers."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.drop_params = True
    litellm.disable_hf_tokenizer_download = True
    return litellm


def may_pass(error: BaseException) -> bool:
    """Whether a retry may succeed soon: after a rate limit, a server error or a lost connection.

    A call that timed out is not retried, because the provider may charge for every try.
    """
    import openai

    status = getattr(error, "status_code", None) or 0
    is_passing = isinstance(error, openai.APIConnectionError) or status == 429 or status >= 500
    return is_passing and not is_lost(error) and (seconds_to_wait(error) or 0) <= MAX_WAIT_SECONDS


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
