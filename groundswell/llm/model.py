"""One language model: its calls, the schema of its answers, its price, and its retries after temporary faults."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Callable, Set
from functools import lru_cache
from typing import Any

from dbt.adapters.events.logging import AdapterLogger
from pydantic import BaseModel

from groundswell.llm.answer import answer_schema
from groundswell.llm.budget import Cost
from groundswell.llm.errors import ModelError, UnreadableError, storable
from groundswell.llm.faults import (
    Matter,
    first_line,
    is_lost,
    is_of_server,
    matter_of,
    may_be_about_form,
    may_pass,
    pause,
    status_of,
    unread_content,
    was_answered,
    was_ended_by_server,
)
from groundswell.llm.ollama import PROVIDERS, Ollama, require_whole

# The most tries of one call; a try may fail because of a temporary fault.
TRIES = 4
# A model is not asked any more in a run after so many calls in a row in which its server gave no answer.
MOST_SILENT = 4
# The estimate counts tokens with OpenAI's tokenizer. Other tokenizers give up to this many times as many tokens.
MARGIN = 1.3
# A server that counts more tokens is wrong.
MOST_TOKENS = 10**9
# OpenAI's providers in LiteLLM, and what is sent in place of a key.
OPENAI = ("openai", "text-completion-openai")
NO_KEY = "none"
# The ends of the names of variables that hold a provider's address.
ADDRESSES = ("_API_BASE", "_BASE_URL")

Message = dict[str, str]

log = AdapterLogger("Groundswell")


def demand_schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The parameter that demands an answer by a JSON schema."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}}


# The ways to make a model follow the schema of an answer, the strictest way first. A server at home keeps an answer to
# the lengths while the model writes it; some hosted models refuse a schema with lengths.
LADDER: dict[str, Callable[[str, type[BaseModel]], dict[str, Any]]] = {
    "JSON schema with lengths": lambda name, answer: demand_schema(name, answer_schema(answer, with_lengths=True)),
    "JSON schema": lambda name, answer: demand_schema(name, answer_schema(answer)),
    "tool call": lambda name, answer: {
        "tools": [{"type": "function", "function": {"name": name, "parameters": answer_schema(answer)}}],
        "tool_choice": {"type": "function", "function": {"name": name}},
    },
    "JSON object": lambda *_: {"response_format": {"type": "json_object"}},
    "prompt": lambda *_: {},
}

# A way to demand the schema leaves the ladder after this many questions were answered only in another way.
WITNESSES = 2

LACKS_V1 = ": does its address lack /v1?"
# The words for what a provider objects to.
OBJECTIONS = {
    Matter.LENGTH: "the question is too long for the model, with about {tokens:,} tokens",
    Matter.CONTENT: "the provider's filter refused the question",
    Matter.PAYMENT: "the provider asks for payment",
}


class Model:
    """One of the models of LLM_MODEL."""

    def __init__(
        self, name: str, base_url: str | None, timeout: float, answer_tokens: int, answer: type[BaseModel]
    ) -> None:
        """`timeout`: seconds. `answer_tokens`: the longest answer. `answer`: the schema of every answer.

        Raises ModelError if LiteLLM does not know the provider, if the provider's key is missing, or if the address is
        that of another protocol.
        """
        self.litellm = load_litellm()
        self.name = name
        self.base_url = base_url
        self.timeout = timeout
        self.answer_tokens = answer_tokens
        self.answer = answer
        self.refusal = ""
        # Calls in a row in which the server gave no answer.
        self.silent = 0
        self.tool = answer.__name__.lower()
        # Ways that worked; for how many questions a way was refused; the first reason; parameters that are refused.
        self.accepted: set[str] = set()
        self.refusals: Counter[str] = Counter()
        self.reasons: dict[str, str] = {}
        self.refused_parameters: set[str] = set()
        try:
            provider = self.litellm.get_llm_provider(name, api_base=base_url)[1]
        except self.litellm.BadRequestError:
            raise ModelError(
                f"LLM_MODEL={name} names no provider that LiteLLM knows: write it as provider/model, "
                "for example groq/llama-3.3-70b-versatile"
            ) from None
        if provider == "anthropic" and base_url and base_url.endswith("/v1"):
            # LiteLLM 1.106.2 adds /v1/messages to it.
            self.base_url = base_url.removesuffix("/v1")
        self.ollama = Ollama(self.litellm, name, provider, base_url) if provider in PROVIDERS else None
        # LiteLLM has a name of its own for an address, such as OPENAI_API_BASE.
        has_address = base_url or any(f"{provider.upper()}{end}" in os.environ for end in ADDRESSES)
        # A server at home may answer one question at a time.
        self.may_be_at_home = bool(has_address or self.ollama)
        self.api_key = self.key(provider)
        self.ladder = list(LADDER)
        if self.price(1, 1):
            # LiteLLM knows the abilities of the models that have a price. For other models, each call tries the
            # strictest way that no earlier call has found refused.
            able = {
                "JSON schema with lengths": False,
                "JSON schema": self.litellm.supports_response_schema(name),
                "tool call": self.litellm.supports_function_calling(name),
            }
            self.ladder = [rung for rung in LADDER if able.get(rung, True)]

    def key(self, provider: str) -> str | None:
        """The key for the model; None if LiteLLM finds it. Raises ModelError if it is missing."""
        # LiteLLM 1.106.2 misses an address for Ollama, which needs none, and for Azure all variables if it misses one.
        missing = [] if self.ollama else self.litellm.validate_environment(self.name).get("missing_keys") or []
        missing = [each for each in missing if each not in os.environ]
        if missing and not self.may_be_at_home:
            raise ModelError(f"LLM_MODEL={self.name} needs {' and '.join(missing)} in the environment")
        # The client library needs a key even if the server at base_url does not.
        if any(each.endswith("_API_KEY") for each in missing):
            return NO_KEY
        # load_litellm hides OpenAI's key from LiteLLM.
        return os.environ.get("OPENAI_API_KEY") if provider in OPENAI else None

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

    def is_silent(self) -> bool:
        """Whether the server seems to be down: the last MOST_SILENT calls got no answer from it."""
        return self.silent >= MOST_SILENT

    def estimate(self, messages: list[Message], times: int = 1) -> Cost:
        """The highest cost that a call may have, with an answer of up to this many times answer_tokens."""
        tokens_in = round(MARGIN * count_tokens(self.name, tuple(tuple(each.items()) for each in messages)))
        tokens_out = times * self.answer_tokens
        return Cost(tokens_in, tokens_out, self.price(tokens_in, tokens_out))

    def actual(self, response: Any, estimate: Cost) -> Cost:
        """The cost of a call by the provider's count of tokens; the estimate if the response has no count."""
        usage = getattr(response, "usage", None)
        if not usage or not usage.prompt_tokens:
            return estimate
        counts = (int(usage.prompt_tokens), int(usage.completion_tokens or 0))
        tokens_in, tokens_out = (min(max(0, count), MOST_TOKENS) for count in counts)
        return Cost(tokens_in, tokens_out, self.price(tokens_in, tokens_out))

    def require_whole(self, response: Any, cost: Cost, estimate: Cost) -> None:
        """Raise FinalError if the server has read only a part of the question, by the cost that it reports."""
        require_whole(response, self.ollama is not None, cost.tokens_in, estimate.tokens_in / MARGIN)

    async def ask(self, messages: list[Message], estimate: Cost) -> Any:
        """Call the model and return LiteLLM's response. Temporary faults are retried after the pause of `pause`.

        estimate: the highest cost, which limits the length of the answer. Raises UnreadableError, LiteLLM's errors, or
        TimeoutError.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

        retrying = AsyncRetrying(
            stop=stop_after_attempt(TRIES), retry=retry_if_exception(may_pass), wait=pause, reraise=True
        )
        try:
            response: Any = await retrying(
                self.ask_once, messages, estimate, list(self.ladder), set(self.refused_parameters)
            )
        except Exception as error:
            self.silent = self.silent + 1 if is_of_server(error) else 0
            raise
        self.silent = 0
        return response

    async def ask_once(
        self, messages: list[Message], estimate: Cost, ladder: list[str], refused_parameters: set[str]
    ) -> Any:
        """Call the model with the strictest way to demand the schema that it accepts for this question.

        ladder, refused_parameters: what is left for this question; a way or a parameter that is refused leaves them.
        """
        while True:
            try:
                parameters = self.parameters(estimate, refused_parameters)
                response = await self.call(messages, ladder[0], parameters)
            except Exception as error:
                if not may_be_about_form(error):
                    raise
                named = {name for name in parameters if re.search(rf"\b{name}\b", str(error))}
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

    def parameters(self, estimate: Cost, refused: Set[str]) -> dict[str, int]:
        """The parameters of a call that costs at most `estimate`, without those that are refused."""
        parameters = {"temperature": 0, "max_tokens": estimate.tokens_out, "max_completion_tokens": estimate.tokens_out}
        if self.ollama:
            parameters["num_ctx"] = self.ollama.context_for(estimate.tokens_in + estimate.tokens_out)
        left = {name: value for name, value in parameters.items() if name not in refused}
        # The newer name is for those that refuse the older one.
        if "max_tokens" in left:
            del left["max_completion_tokens"]
        return left

    async def call(self, messages: list[Message], way: str, parameters: dict[str, int]) -> Any:
        """Call the model once. Raises UnreadableError if a response came that LiteLLM can not read."""
        try:
            async with asyncio.timeout(self.timeout):
                response = await self.litellm.acompletion(
                    model=self.name,
                    base_url=self.base_url,
                    api_key=self.api_key,
                    messages=messages,
                    # Without it, LiteLLM gives up after 600 seconds.
                    timeout=self.timeout,
                    # Only `ask` retries, because the providers' clients differ in what they retry.
                    max_retries=0,
                    # LiteLLM would search the tools for MCP servers, with a library that it does not install.
                    _skip_mcp_handler=True,
                    **parameters,
                    **LADDER[way](self.tool, self.answer),
                )
        except (self.litellm.InternalServerError, self.litellm.APIConnectionError) as error:
            content = unread_content(error)
            if content:
                return self.litellm.ModelResponse(
                    model=self.name,
                    choices=[{"finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
                )
            if was_answered(error):
                said = first_line(error).partition(" Traceback ")[0]
                raise UnreadableError(f"the answer can not be read: {said}") from None
            raise
        if response is None:
            raise UnreadableError("LiteLLM gave no response")
        return response

    def explain(self, error: BaseException, tokens: int) -> str:
        """The message of an error of a question of about so many tokens.

        If every later call would fail the same way, the message becomes the model's refusal.
        """
        said, status, matter = first_line(error), status_of(error), matter_of(error)
        if is_lost(error) and was_ended_by_server(error):
            return f"the server or a gateway gave the call up, by a limit of its own: {said}"
        if is_lost(error):
            return f"no answer within {self.timeout:g} s: raise var llm_timeout_seconds"
        # LiteLLM 1.106.2 drops the words of an error with status 200, as LM Studio sends it without /v1.
        if said.endswith("Error in response object"):
            return f"the server answered with an error that LiteLLM does not tell{LACKS_V1}"
        if matter:
            return f"{OBJECTIONS[matter].format(tokens=tokens)}: {said}"
        # A server that has answered may refuse a question with 403 or 404, but a key with 401 only.
        if not self.refusal and (status == 401 or (status in (403, 404) and not self.accepted)):
            is_of_path = status == 404 and not re.search(r"(?i)model|deployment", said)
            said += LACKS_V1 if is_of_path and self.base_url and "/v1" not in self.base_url else ""
            self.refusal = said
            log.warning(f"LLM_MODEL={self.name} was refused: {said}")
        return said


@lru_cache(maxsize=64)
def count_tokens(name: str, messages: tuple[tuple[tuple[str, str], ...], ...]) -> int:
    """The tokens of messages, each given by its items, by LiteLLM's tokenizer for a model.

    The budget asks for the same question several times before its call leaves.
    """
    return int(load_litellm().token_counter(name, messages=[dict(each) for each in messages]))


def served_name(said: object) -> str:
    """The name of the model that a server says it has asked, without the folders and the ending of a file.

    llama.cpp and vLLM may tell the path of the file that they were started with.
    """
    model = storable(str(said))
    is_path = model.endswith(".gguf") or re.search(r"^[/~.]|//|\\|^[A-Za-z]:/", model)
    return re.split(r"[/\\]", model.rstrip("/\\"))[-1].removesuffix(".gguf") if is_path else model


def load_litellm() -> Any:
    """Import LiteLLM with settings that keep keys from strangers and tables from being downloaded.

    White space around keys and addresses of the environment is cut off.
    """
    # Its warnings are about itself, such as a new event loop for each dbt model.
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    for table in ("MODEL_COST_MAP", "ANTHROPIC_BETA_HEADERS"):
        os.environ.setdefault(f"LITELLM_LOCAL_{table}", "True")
    for name, value in os.environ.items():
        if name.endswith(("_API_KEY", *ADDRESSES)) and value != value.strip():
            os.environ[name] = value.strip()
    import litellm

    litellm.suppress_debug_info = True
    # LiteLLM 1.106.2 sends OPENAI_API_KEY to each provider with OpenAI's protocol whose own key is missing.
    litellm.openai_key = NO_KEY
    # A parameter that LiteLLM knows to be refused raises an error, as one does that the server refuses. With
    # drop_params, a 422 of the server would become a response of None (LiteLLM 1.106.2).
    litellm.drop_params = False
    litellm.disable_hf_tokenizer_download = True
    return litellm
