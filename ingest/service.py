"""A conversation with one service: never too fast, patient with faults, and nothing said is lost."""

import asyncio
import logging
import os
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote, quote_plus

import duckdb
import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from groundswell.clock import now
from ingest import archive
from ingest.allowance import Allowance, Sending
from ingest.errors import IngestError, StrangeAnswerError
from ingest.item import SourceName
from ingest.source import Payload, Question, Source, TransientError
from ingest.store import request_answered, request_sent

ATTEMPTS = 5
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# A whole answer must be there by then, however steadily it trickles.
DEADLINE = 120.0
USER_AGENT = "python:groundswell:0.1.0"
SECRETS = ("GITHUB_TOKEN", "STACKEXCHANGE_KEY", "REDDIT_CLIENT_SECRET", "AUTHOR_SALT")

Content = TypeVar("Content")

log = logging.getLogger("groundswell.ingest")


@dataclass(frozen=True)
class Answer(Generic[Content]):
    """What an answer says, when it came (UTC, without a zone), and where it is archived."""

    content: Content
    received_at: datetime
    recording: Path | None = None


@dataclass(frozen=True)
class Limits:
    """span: seconds in which a service grants its allowance; patience: the longest pause, in seconds, to sit out."""

    span: float
    patience: float

    @classmethod
    def from_environment(cls) -> "Limits":
        """INGEST_WINDOW_SECONDS and INGEST_MAX_WAIT_SECONDS. Raises IngestError that names the variable."""
        return cls(seconds_setting("INGEST_WINDOW_SECONDS", 60.0), seconds_setting("INGEST_MAX_WAIT_SECONDS", 900.0))


def seconds_setting(name: str, default: float) -> float:
    """A positive number of seconds from the environment."""
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise IngestError(f"{name}={text}: write a number of seconds above 0, such as {default:g}")
    return seconds


class Stopwatch:
    """Adds up the seconds in which at least one of its with blocks was running."""

    def __init__(self) -> None:
        self.total = 0.0
        self._running = 0
        self._since = 0.0

    def __enter__(self) -> None:
        """Start, unless it runs."""
        if not self._running:
            self._since = time.monotonic()
        self._running += 1

    def __exit__(self, *_: object) -> None:
        """Stop, unless another block runs."""
        self._running -= 1
        if not self._running:
            self.total += time.monotonic() - self._since


@dataclass
class Service:
    """What is needed to ask a service.

    requests counts what was sent; busy the time in which a request was under way or an answer was worked on.
    """

    name: SourceName
    source: Source
    client: httpx.AsyncClient
    allowance: Allowance
    connection: duckdb.DuckDBPyConnection
    archive: Path | None = None
    requests: int = 0
    busy: Stopwatch = field(default_factory=Stopwatch)
    _headers: dict[str, str] | None = None
    _tokens: set[str] = field(default_factory=set)
    _signing_in: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def state(self) -> str:
        """What it is doing, in a few words."""
        under_way = f"{self.allowance.in_flight} under way" if self.allowance.in_flight else ""
        return self.allowance.waiting or under_way

    async def ask(self, question: Question, read: Callable[[Payload], Content]) -> Answer[Content]:
        """Ask until there is an answer that `read` can read, at most ATTEMPTS times.

        Raises IngestError, or QueryRefusedError, in one line and without credentials.
        """
        try:
            question.address  # noqa: B018
        except (httpx.InvalidURL, ValueError) as error:
            raise IngestError(f"{question.url} is no address: {error}") from error
        renewed = 0
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TransientError), stop=stop_after_attempt(ATTEMPTS), wait=self._wait,
            before_sleep=self._tell, reraise=True,
        )  # fmt: skip
        try:
            async for attempt in attempts:
                with attempt:
                    headers = await self._sign_in() if question.window else {}
                    try:
                        return await self._ask_once(question, headers, read)
                    except TransientError as retry:
                        if retry.renew:
                            renewed += 1
                            if renewed > 1:
                                raise IngestError(f"{retry}, nor a new one") from retry
                            self._sign_out(headers)
                        wait = retry.wait
                        if retry.limited and wait is None:
                            wait = self.allowance.span * 2 ** (attempt.retry_state.attempt_number - 1)
                        if wait is not None:
                            self.allowance.pause(wait, self._redacted(str(retry)))
                        raise
        except TransientError as retry:
            raise IngestError(self._redacted(f"{retry}, {ATTEMPTS} times in a row")) from retry
        except IngestError as error:
            raise type(error)(self._redacted(str(error))) from error
        raise AssertionError("tenacity ends with an answer or an error")

    def _wait(self, state: RetryCallState) -> float:
        """1 s at a span of a minute, doubled each time up to the span, and up to as much again by chance."""
        unit = self.allowance.span / 60
        return wait_exponential_jitter(multiplier=unit, max=self.allowance.span, jitter=unit)(state)

    def _tell(self, state: RetryCallState) -> None:
        reason = state.outcome.exception() if state.outcome else None
        log.info("%s: attempt %d failed: %s", self.name, state.attempt_number, self._redacted(str(reason)))

    def _redacted(self, text: str) -> str:
        """A text without credentials: a service may repeat in an answer what it was sent."""
        for secret in self._secrets():
            text = text.replace(secret, "[redacted]")
        return text

    def _scrubbed(self, response: httpx.Response) -> httpx.Response:
        """A response without credentials, before anybody cuts its words in two."""
        # The content is unpacked by now.
        headers = [
            (name, self._redacted(value))
            for name, value in response.headers.multi_items()
            if name not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        # Byte for byte, whatever the encoding.
        content = self._redacted(response.content.decode("latin-1")).encode("latin-1")
        return httpx.Response(response.status_code, headers=headers, content=content, request=response.request)

    def _secrets(self) -> list[str]:
        """Credentials of this process, as they are and as they travel.

        Shorter ones are no secret, and would tear other words apart.
        """
        known = [os.environ.get(name, "").strip() for name in SECRETS] + sorted(self._tokens)
        pair = f"{os.environ.get('REDDIT_CLIENT_ID', '').strip()}:{os.environ.get('REDDIT_CLIENT_SECRET', '').strip()}"
        known.append(b64encode(pair.encode()).decode())
        secrets = [secret for secret in known if len(secret) >= 8]
        return [form for secret in secrets for form in (secret, quote(secret, ""), quote_plus(secret))]

    async def _sign_in(self) -> dict[str, str]:
        async with self._signing_in:
            if self._headers is None:
                self._headers = await self.source.headers(self._ask_for_token)
                self._tokens.add(self._headers.get("Authorization", "").removeprefix("Bearer "))
            return self._headers

    async def _ask_for_token(self, question: Question, read: Callable[[Payload], str]) -> str:
        return (await self.ask(question, read)).content

    def _sign_out(self, headers: dict[str, str]) -> None:
        """Forget expired credentials, unless another request has renewed them already."""
        if self._headers is headers:
            self._headers = None

    async def _ask_once(
        self, question: Question, headers: dict[str, str], read: Callable[[Payload], Content]
    ) -> Answer[Content]:
        async with self.allowance.slot() as sending:
            self.requests += 1
            request_id = request_sent(
                self.connection, self.name, question.address, self.allowance.requests, self.allowance.span
            )
            try:
                with self.busy:
                    response = await self._send(question, headers, sending)
                    # A token that is granted is the one credential that is wanted.
                    if question.window or response.is_error:
                        response = self._scrubbed(response)
            except TransientError as retry:
                request_answered(self.connection, request_id, None, self._redacted(str(retry)))
                raise
        received_at = now()
        outcome, problem = archive.USED, None
        with self.busy:
            try:
                content = self._read(response, read)
            except (TransientError, IngestError) as error:
                outcome, problem = self._redacted(f"{type(error).__name__}: {error}"), error
            request_answered(self.connection, request_id, response.status_code, outcome)
            recording = None
            if self.archive and question.window:
                recording = archive.keep(
                    self.archive, self.name, question, question.window, response, received_at, outcome
                )
        if problem:
            raise problem
        return Answer(content, received_at, recording)

    async def _send(self, question: Question, headers: dict[str, str], sending: Sending) -> httpx.Response:
        """Send a request. Raises TransientError where no whole answer comes, IngestError where the address is none."""
        try:
            async with asyncio.timeout(DEADLINE):
                return await self.client.request(
                    question.method,
                    question.url,
                    params={**question.params, **question.secrets},
                    data=dict(question.data) if question.data else None,
                    headers=headers,
                    auth=question.auth,
                    extensions={"trace": sending.trace},
                )
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise IngestError(f"{question.url} is no address: {error}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise TransientError(
                f"{question.url} can not be reached: {type(error).__name__} {error}".rstrip()
            ) from error

    def _read(self, response: httpx.Response, read: Callable[[Payload], Content]) -> Content:
        """What a response says. Raises TransientError, QueryRefusedError or IngestError."""
        try:
            payload = response.json()
        except (ValueError, RecursionError):
            payload = None
        for quota in self.source.quotas(response, payload):
            self.allowance.limit(quota.remaining, quota.seconds, quota.reason)
        if problem := self.source.problem(response, payload):
            raise problem
        try:
            return read(payload)
        except StrangeAnswerError as error:
            raise TransientError(f"{response.url.copy_with(query=None)}: {error}") from error
