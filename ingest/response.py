"""What a response says about requests: errors, waits and quotas."""

from dataclasses import dataclass

import httpx

from groundswell.http import retry_after
from ingest.errors import IngestError
from ingest.item import clean_text
from ingest.parsed import Payload


class TransientError(Exception):
    """A request failed, and the same request may succeed later.

    limited: the service wants fewer requests.
    wait: seconds until the next request, if the service says so.
    renew: the credentials have expired.
    """

    def __init__(self, why: str, *, limited: bool = False, wait: float | None = None, renew: bool = False) -> None:
        super().__init__(why)
        self.limited, self.wait, self.renew = limited, wait, renew


@dataclass(frozen=True)
class Quota:
    """The service accepts `remaining` more requests in the next `seconds` seconds."""

    remaining: float
    seconds: float
    reason: str


def error_text(response: httpx.Response, payload: Payload, *keys: str) -> str:
    """The service's own error text in one line: the values of these keys, or else the start of the body."""
    if isinstance(payload, dict):
        words = [str(payload[key]) for key in keys if payload.get(key)]
        if words:
            return clean_text(" ".join(": ".join(words).split())[:300])
    if "html" in response.headers.get("content-type", "") or response.text.lstrip()[:1] == "<":
        return "an HTML page"
    return " ".join(response.text.split())[:200] or response.reason_phrase or "no text"


def general_problem(response: httpx.Response, payload: Payload, service: str, words: str) -> Exception | None:
    """The error that a status code means at any service, with the service's words; None for success.

    Returns a TransientError or an IngestError.
    """
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return TransientError(f"{service} asks for fewer requests (429)", limited=True, wait=retry_after(response))
    if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
        return TransientError(f"{service} answered {status}: {words}", wait=retry_after(response))
    if response.is_redirect:
        where = response.headers.get("location", "nowhere")
        return IngestError(f"{service} answered {status}, a redirect to {where}: check the service's address")
    if response.is_error:
        return IngestError(f"{service} answered {status}: {words}")
    if payload is None:
        size = f"{len(response.content):,} bytes"
        return TransientError(f"{service} answered something that is not JSON ({size}, {words[:80]})")
    return None
