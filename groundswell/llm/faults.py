"""Tells what an error of a call of a language model is about: the question, the provider's pay, or the server."""

import os
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import httpx
from pydantic import ValidationError

from groundswell.http import retry_after
from groundswell.llm.errors import UnreadableError

# If a provider asks for a longer pause, the next model is asked instead.
MAX_WAIT_SECONDS = 60


class Matter(Enum):
    """What a provider objects to, told from its words. A retry, or another form of the request, would not help."""

    LENGTH = re.compile(r"(?i)context (length|size|window)|too (large|long)|maximum.{0,20}tokens")
    CONTENT = re.compile(r"(?i)content.?(filter|policy|management)|sensitive|moderation|safety system|was filtered")
    PAYMENT = re.compile(r"(?i)insufficient.?(quota|credit|balance|fund)|exceeded your current quota")


def matter_of(error: BaseException) -> Matter | None:
    """What a provider objects to; None if its words do not say."""
    from litellm import ContentPolicyViolationError, ContextWindowExceededError

    if isinstance(error, ContextWindowExceededError):
        return Matter.LENGTH
    if isinstance(error, ContentPolicyViolationError):
        return Matter.CONTENT
    if status_of(error) == 402:
        return Matter.PAYMENT
    return next((matter for matter in Matter if matter.value.search(str(error))), None)


def may_be_about_form(error: BaseException) -> bool:
    """Whether a server may have refused the form of a request, and not its content, its key or its model."""
    return status_of(error) in (400, 403, 404, 405, 422, 500, 501) and not matter_of(error)


def is_of_server(error: BaseException) -> bool:
    """Whether an error is about the state of the server: a lost connection, no answer in time, too many requests."""
    import openai

    status = status_of(error)
    is_down = isinstance(error, openai.APIConnectionError) or status == 429 or (status >= 500 and status != 501)
    # LiteLLM 1.106.2 takes a 413 for a rate limit if its message says that the request is too large.
    return is_lost(error) or (is_down and not isinstance(error, UnreadableError) and not matter_of(error))


def may_pass(error: BaseException) -> bool:
    """Whether a retry may succeed soon: after a rate limit, a server error or a lost connection.

    A call that timed out is not retried, because the provider may charge for every try.
    """
    return is_of_server(error) and not is_lost(error) and (seconds_to_wait(error) or 0) <= MAX_WAIT_SECONDS


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
