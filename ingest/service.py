"""Sends requests to one service: within its allowance, with retries, and with a record of every request."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import duckdb
import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from groundswell import __version__
from groundswell.clock import now
from ingest import archive
from ingest.allowance import Allowance, Sending, TurnedBackError
from ingest.errors import IngestError, QueryRefusedError, StrangeResponseError
from ingest.parsed import Payload
from ingest.redaction import ENCODING_HEADERS, Redaction
from ingest.request import ApiRequest
from ingest.response import TransientError
from ingest.sign_in import SignIn
from ingest.source import Source
from ingest.stopwatch import Stopwatch
from ingest.store import request_answered, request_sent, request_withdrawn

ATTEMPTS = 5
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# Seconds until the whole response must be there, even if it trickles steadily.
DEADLINE = 120.0
USER_AGENT = f"python:groundswell:{__version__}"

Content = TypeVar("Content")

log = logging.getLogger("groundswell.ingest")


class TooLargeError(Exception):
    """The body of a response is larger than the source declares."""


@dataclass(frozen=True)
class Answer(Generic[Content]):
    """The content of a response, the time it came (UTC, without a zone), and its file in the archive."""

    content: Content
    received_at: datetime
    recording: Path | None = None


@dataclass
class Service:
    """One service, and the connection that its requests are recorded with.

    attempts: how often a request is sent at most.
    requests: how many requests were sent.
    busy: the time in which a request was under way or a response was processed.
    """

    source: Source[Any]
    client: httpx.AsyncClient
    allowance: Allowance
    connection: duckdb.DuckDBPyConnection
    archive: Path | None = None
    attempts: int = ATTEMPTS
    requests: int = 0
    busy: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self) -> None:
        """Start without tokens."""
        self._redaction = Redaction()
        self._sign_in = SignIn(self.source, self._redaction)

    @property
    def state(self) -> str:
        """The current activity, in a few words."""
        under_way = f"{self.allowance.in_flight} under way" if self.allowance.in_flight else ""
        return self.allowance.waiting or under_way

    async def ask(self, request: ApiRequest, read: Callable[[Payload], Content]) -> Answer[Content]:
        """Send a request until `read` can read the response, at most `attempts` times.

        Raises IngestError or QueryRefusedError, with a message of one line without credentials.
        """
        try:
            request.address  # noqa: B018
        except (httpx.InvalidURL, ValueError) as error:
            raise IngestError(f"{request.url} is no address: {error}") from error
        renewed = 0
        attempts = AsyncRetrying(
            retry=retry_if_exception_type(TransientError), stop=stop_after_attempt(self.attempts), wait=self._wait,
            before_sleep=self._log_failure, reraise=True,
        )  # fmt: skip
        try:
            async for attempt in attempts:
                with attempt:
                    headers = await self._sign_in.headers(self._ask_for_token) if request.window else {}
                    try:
                        return await self._ask_once(request, headers, read, attempt.retry_state.attempt_number)
                    except TransientError as failure:
                        if failure.renew:
                            renewed += 1
                            if renewed > 1:
                                raise IngestError(f"{failure}, nor a new one") from failure
                            self._sign_in.forget(headers)
                        raise
        except TransientError as failure:
            often = f", {self.attempts} times in a row" if self.attempts > 1 else ""
            raise self._lasting(self._redaction.text(f"{failure}{often}")) from failure
        except IngestError as error:
            raise type(error)(self._redaction.text(str(error))) from error
        raise AssertionError("tenacity ends with an answer or an error")

    def _lasting(self, message: str) -> IngestError:
        """The error that ends the source. Of a source of many hosts it ends the query: other hosts may still answer."""
        return QueryRefusedError(message) if self.source.has_many_hosts else IngestError(message)

    def _wait(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: for a span of 60 s, 1 s, doubled each time up to 60 s, plus up to 1 s."""
        unit = self.allowance.span / 60
        return wait_exponential_jitter(multiplier=unit, max=self.allowance.span, jitter=unit)(state)

    def _log_failure(self, state: RetryCallState) -> None:
        reason = self._redaction.text(str(state.outcome.exception() if state.outcome else None))
        log.info("%s: attempt %d failed: %s", self.source.name, state.attempt_number, reason)

    async def _ask_for_token(self, request: ApiRequest, read: Callable[[Payload], str]) -> str:
        return (await self.ask(request, read)).content

    async def _ask_once(
        self, request: ApiRequest, headers: dict[str, str], read: Callable[[Payload], Content], attempt: int
    ) -> Answer[Content]:
        """Send a request once, and record it before it leaves and after its response. Raises what _read raises."""
        while True:
            try:
                async with self.allowance.slot() as sending:
                    self.requests += 1
                    request_id = request_sent(
                        self.connection, self.source.name, request.address, self.allowance.requests, self.allowance.span
                    )
                    with self.busy:
                        response = await self._send(request, headers, sending)
                break
            except TurnedBackError:
                self.requests -= 1
                request_withdrawn(self.connection, request_id)
            except (TransientError, TooLargeError) as failure:
                outcome = self._redaction.text(str(failure))
                request_answered(self.connection, request_id, None, outcome, sending.left_at_utc, now(), None)
                if isinstance(failure, TooLargeError):
                    raise self._lasting(outcome) from failure
                raise
        # The slot is free again. Nothing is awaited until the pauses that the response asks for are in force: no other
        # request of the service can leave before.
        received_at = now()
        outcome, problem, recording = archive.USED, None, None
        with self.busy:
            # A token that is granted is the one credential that must stay in the response. All others go before an
            # error text is cut, because half a credential would not be found.
            if request.window or response.is_error:
                response = self._redaction.response(response)
            pauses: list[float] = []
            try:
                content = self._read(response, read, pauses)
            except (TransientError, IngestError) as error:
                outcome, problem = self._redaction.text(f"{type(error).__name__}: {error}"), error
                if isinstance(error, TransientError):
                    pauses += self._pause_after(error, attempt)
            # A longer pause is not sat out: it ends the source.
            pause = max((seconds for seconds in pauses if 0 < seconds <= self.allowance.patience), default=None)
            request_answered(
                self.connection, request_id, response.status_code, outcome, sending.left_at_utc, received_at, pause
            )
            if self.archive and request.window:
                recording = archive.keep(self.archive, request, request.window, response, received_at, outcome)
        if problem:
            raise problem
        return Answer(content, received_at, recording)

    def _pause_after(self, failure: TransientError, attempt: int) -> list[float]:
        """Pause as a failure asks for; a limit without a time pauses for a span, doubled with each attempt."""
        wait = failure.wait
        if failure.limited and wait is None:
            wait = self.allowance.span * 2 ** (attempt - 1)
        if wait is None:
            return []
        self.allowance.pause(wait, self._redaction.text(str(failure)))
        return [wait]

    async def _send(self, request: ApiRequest, headers: dict[str, str], sending: Sending) -> httpx.Response:
        """Send a request. Raises TransientError if no whole response comes, IngestError if the address is invalid.

        Raises TooLargeError if the response is too large, and TurnedBackError if the request has not left.
        """
        try:
            async with asyncio.timeout(DEADLINE):
                async with self.client.stream(
                    request.method,
                    request.url,
                    params={**request.params, **request.secrets},
                    data=dict(request.data) if request.data else None,
                    headers=headers,
                    auth=request.auth,
                    extensions={"trace": sending.trace},
                ) as response:
                    return await self._whole(response)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise IngestError(f"{request.url} is no address: {error}") from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise TransientError(
                f"{request.url} can not be reached: {type(error).__name__} {error}".rstrip()
            ) from error

    async def _whole(self, response: httpx.Response) -> httpx.Response:
        """A response with its unpacked body. Raises TooLargeError."""
        content = bytearray()
        async for part in response.aiter_bytes():
            content += part
            if len(content) > self.source.largest:
                where, limit = response.url.copy_with(query=None), self.source.largest / 1e6
                raise TooLargeError(f"{where} answered more than {limit:,.0f} MB: not read")
        headers = [(key, value) for key, value in response.headers.multi_items() if key not in ENCODING_HEADERS]
        return httpx.Response(response.status_code, headers=headers, content=bytes(content), request=response.request)

    def _read(self, response: httpx.Response, read: Callable[[Payload], Content], pauses: list[float]) -> Content:
        """The content of a response. Adds the seconds of pauses that the response asks for, which are then in force.

        Raises TransientError, QueryRefusedError or IngestError.
        """
        try:
            payload = self.source.decode(response.content)
        except (ValueError, RecursionError):
            payload = None
        for quota in self.source.quotas(response, payload):
            self.allowance.limit(quota.remaining, quota.seconds, quota.reason)
            if quota.remaining < 1:
                pauses.append(quota.seconds)
        if problem := self.source.problem_of(response, payload):
            raise problem
        try:
            return read(payload)
        except StrangeResponseError as error:
            raise TransientError(f"{response.url.copy_with(query=None)}: {error}") from error
