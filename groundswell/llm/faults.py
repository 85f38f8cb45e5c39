"""Tells what an error of a call of a language model is about: the question, the provider's pay, or the server."""

import json
import os
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import httpx
from pydantic import ValidationError

from groundswell.http import retry_after
from groundswell.llm.errors import UnreadableError, storable

# If a provider asks for a longer pause, the next model is asked instead.
MAX_WAIT_SECONDS = 60
# The pause that a server gets that is loading its model.
LOADING_SECONDS = 15
LOADING = re.compile(r"(?i)loading model|currently loading")
# The pause that a message asks for ("try again in 1m0.5s", "retry after 45 seconds"), and its parts. Gemini and its
# gateways say it nowhere else.
PAUSE = re.compile(r"(?i)try (?:again )?(?:in|after) ((?:\d+(?:\.\d+)?\s*(?:ms|[hms])[a-z]*\s*)+)")
PART = re.compile(r"(?i)(\d+(?:\.\d+)?)\s*(ms|[hms])")
SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Matter(Enum):
    """What a provider objects to, told from its words. A retry, or another form of the request, would not help."""

    # A schema that is too large is no matter of the question's length: it may be demanded in another way.
    LENGTH = re.compile(
        r"(?is)^(?!.*(grammar|schema)).*(context (length|size|window)|too (large|long)|maximum.{0,20}tokens)"
    )
    CONTENT = re.compile(r"(?i)content.?(filter|policy|management)|sensitive|moderation|safety system|was filtered")
    PAYMENT = re.compile(
        r"(?i)insufficient.?(quota|credit|balance|fund)|credit balance|more credits|exceeded your current quota"
    )


def matter_of(error: BaseException) -> Matter | None:
    """What a provider objects to; None if its words do not say."""
    from litellm import ContentPolicyViolationError, ContextWindowExceededError

    if isinstance(error, ContextWindowExceededError):
        return Matter.LENGTH
    if isinstance(error, ContentPolicyViolationError):
        return Matter.CONTENT
    if status_of(error) == 402:
        return Matter.PAYMENT
    found = next((matter for matter in Matter if matter.value.search(words_of(error))), None)
    # Gemini words a limit of a minute like a lack of credit, and says when it ends.
    return None if found is Matter.PAYMENT and seconds_to_wait(error) is not None else found


def may_be_about_form(error: BaseException) -> bool:
    """Whether a server may have refused the form of a request, and not its content, its key or its model."""
    is_refusal = status_of(error) in (400, 403, 404, 405, 422, 500, 501)
    return is_refusal and not is_of_connection(error) and not matter_of(error)


def is_of_server(error: BaseException) -> bool:
    """Whether an error is about the state of the server: a lost connection, no answer in time, too many requests."""
    import openai

    status = status_of(error)
    is_down = isinstance(error, openai.APIConnectionError) or status == 429 or (status >= 500 and status != 501)
    return is_lost(error) or (is_down and not isinstance(error, UnreadableError) and not matter_of(error))


def may_pass(error: BaseException) -> bool:
    """Whether a retry may succeed soon: after a rate limit, a server error or a lost connection.

    A call that timed out is not retried, because the provider may charge for every try.
    """
    return is_of_server(error) and not is_lost(error) and (seconds_to_wait(error) or 0) <= MAX_WAIT_SECONDS


def status_of(error: BaseException) -> int:
    """The HTTP status of the server's answer, else the one that LiteLLM gives to an error; 0 if there is none.

    LiteLLM 1.106.2 takes each refusal with "rate limit" in its words for a 429, and a server may repeat a post in them.
    """
    told = [cause.response.status_code for cause in causes(error) if isinstance(cause, httpx.HTTPStatusError)]
    status = str(told[-1] if told else getattr(error, "status_code", None))
    return int(status) if status.isdigit() else 0


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def words_of(error: BaseException) -> str:
    """What an error says. OpenRouter puts the words of the provider behind it elsewhere, under its own."""
    for cause in causes(error):
        body = getattr(cause, "body", None)
        metadata = body.get("metadata") if isinstance(body, dict) else None
        if isinstance(metadata, dict) and metadata.get("raw"):
            return f"{error}: {metadata['raw']}"
    return str(error)


def is_of_connection(error: BaseException) -> bool:
    """Whether a connection broke: LiteLLM 1.106.2 reports it like a server error with a status of 500."""
    import aiohttp
    import openai

    of_connection = (openai.APIConnectionError, httpx.TransportError, aiohttp.ClientConnectionError)
    return any(isinstance(cause, of_connection) for cause in list(causes(error))[1:])


def was_answered(error: BaseException) -> bool:
    """Whether a response with status 200 led to an error: LiteLLM reports what it can not read as a server error."""
    import aiohttp
    import openai

    no_answer = (httpx.HTTPError, aiohttp.ClientError, openai.APIError, OSError)
    return not any(isinstance(cause, no_answer) for cause in list(causes(error))[1:])


def unread_content(error: BaseException) -> str:
    """The text of an answer that LiteLLM 1.106.2 does not read: a list of parts, without thoughts, or a JSON object."""
    for cause in causes(error):
        for problem in cause.errors() if isinstance(cause, ValidationError) else []:
            content = problem["input"] if problem["loc"] == ("content",) else None
            if isinstance(content, dict):
                return json.dumps(content)
            if isinstance(content, list):
                parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
                return "".join(str(part.get("text", "")) for part in parts)
    return ""


def is_lost(error: BaseException) -> bool:
    """Whether a call timed out, here or at the server; the provider may charge for it all the same."""
    import openai

    return isinstance(error, (TimeoutError, openai.APITimeoutError)) or status_of(error) in (408, 504)


def was_ended_by_server(error: BaseException) -> bool:
    """Whether a call timed out because the server, or a gateway before it, gave it up with a status of 408 or 504."""
    import openai

    return any(isinstance(cause, (openai.APIStatusError, httpx.HTTPStatusError)) for cause in causes(error))


def seconds_to_wait(error: BaseException | None) -> float | None:
    """Seconds that the provider asks us to wait, by a header or in words; None if the response does not say."""
    # The response in LiteLLM's own errors is made up; the provider's headers are in another attribute.
    headers = getattr(error, "litellm_response_headers", None) or getattr(
        getattr(error, "response", None), "headers", {}
    )
    told = {name: headers.get(name) or "" for name in ("retry-after", "date")}
    asked = retry_after(httpx.Response(429, headers=told))
    if asked is not None:
        return asked
    words = words_of(error) if error else ""
    if told_in_words := PAUSE.search(words):
        return sum(float(number) * SECONDS[unit.lower()] for number, unit in PART.findall(told_in_words[1]))
    return LOADING_SECONDS if LOADING.search(words) else None


def pause(state: Any) -> float:
    """Seconds before the next try: the pause that the provider asks for, else exponential backoff with jitter."""
    from tenacity import wait_random_exponential

    asked = seconds_to_wait(state.outcome.exception())
    return asked if asked is not None else wait_random_exponential(multiplier=1, max=MAX_WAIT_SECONDS)(state)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, at most 500 characters; keys of the environment are replaced."""
    line = (words_of(error).strip().splitlines() or [type(error).__name__])[0]
    for name, value in os.environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and len(value) >= 8:
            line = line.replace(value, "[secret]")
    return storable(line[:500])
