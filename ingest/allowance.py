"""Decides when the next request to a service may leave."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from groundswell.clock import now
from groundswell.errors import GroundswellError
from ingest.errors import IngestError

# A request counts from its response on. If the response takes longer than this share of the span, it counts from then.
SLACK = 0.04
# Shorter waits, in seconds, are not logged.
NOTEWORTHY = 5.0
# A response that waits at the network is noticed within three turns of the event loop: the loop sees the bytes, wakes
# the task that waits for them, and the task reads the headers.
TURNS = 4
# If these turns take longer, in seconds, another task has worked meanwhile, and a response may have come.
QUIET = 0.005
# asyncio may end a shorter wait, in seconds, before its clock goes on.
LEAST_WAIT = 0.000_001

log = logging.getLogger("groundswell.ingest")


class TurnedBackError(Exception):
    """The request has not left: since it got its slot, the service has asked for a pause, or its source has ended."""


class Sending:
    """A request that is being sent. httpcore calls trace, which lets the request leave and notes its progress.

    left_at: when the network has taken the headers (seconds of the loop's clock, and UTC without a zone).
    """

    def __init__(self, allowance: "Allowance") -> None:
        self._allowance = allowance
        self.left_at: float | None = None
        self.left_at_utc: datetime | None = None
        self.turned_back = False

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Hold the request until it can leave. Raises TurnedBackError if it may not leave."""
        match event.partition(".")[2]:
            case "send_request_headers.started":
                await self._allowance.pass_gate(self)
            case "send_request_headers.complete":
                self.left_at, self.left_at_utc = asyncio.get_running_loop().time(), now()
                self._allowance.leave_gate(self)
            case "receive_response_headers.complete":
                self._allowance.answered.add(self)


class Allowance:
    """Lets at most `requests` requests leave in any `span` seconds, and obeys the waits and quotas of the service.

    There are `requests` slots. A request takes a slot and frees it `span` seconds after its response. So no slot is
    used twice within a span, neither by the time when requests leave nor by the time when they arrive. Rate limiting
    libraries keep a log of departures instead: a delayed request could arrive together with those of the next span.

    A request that has a slot still has to connect, and a response with a pause can arrive meanwhile. So each request
    passes a gate in the moment in which it leaves: one at a time, and only while no response is being read. A request
    that finds a pause there is turned back: it frees its slot, and waits for another one.

    At full load a slot is idle only while its request is under way, and for at most the share SLACK of a span. So at
    least 1 / (1 + SLACK) = 96 % of the allowance is used.

    All times are seconds of the running event loop's clock.
    """

    def __init__(self, name: str, requests: int, span: float, patience: float, recent: Iterable[float] = ()) -> None:
        """Start with all slots free, except those of requests of an earlier run: `recent` holds their ages in seconds.

        A pause longer than `patience` seconds ends the source.
        """
        self.name, self.requests, self.span, self.patience = name, requests, span, patience
        self.in_flight = 0
        self._waits: tuple[str, float] | None = None
        self._frees_at: list[float] = []
        loop = asyncio.get_running_loop()
        # Only the youngest count: one per slot.
        busy = sorted(age for age in recent if age < self._hold)[:requests]
        self._slots = asyncio.Semaphore(requests - len(busy))
        for age in busy:
            self._free(loop.time() + self._hold - age)
        self._door = asyncio.Lock()
        self._gate = asyncio.Lock()
        self._at_gate: Sending | None = None
        # The requests whose responses have begun to arrive, and may ask for a pause.
        self.answered: set[Sending] = set()
        self._news = asyncio.Event()
        self._closed: GroundswellError | None = None
        self._open_at, self._reason = 0.0, ""
        self._left, self._reset_at = float("inf"), 0.0

    @property
    def _hold(self) -> float:
        return self.span * (1 + SLACK)

    @property
    def waiting(self) -> str:
        """What the next request waits for, and how long, in words; empty if it does not wait."""
        if self._waits is None:
            return ""
        reason, until = self._waits
        seconds = max(until - asyncio.get_running_loop().time(), 0.0)
        return f"waiting {seconds:.0f} s: {reason}" if seconds else f"waiting: {reason}"

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Sending]:
        """Hold a slot while a request is sent and answered. Requests get slots in the order in which they ask.

        Once the block ends, the caller reads the response and calls pause and limit before it awaits anything.

        Raises IngestError if the service wants a longer pause than patience; the message says when to resume.
        """
        sending = await self._take_slot()
        try:
            yield sending
        finally:
            self._give_back_slot(sending)

    async def _take_slot(self) -> Sending:
        """Wait for a slot and for the permission of the service; count the request. Raises IngestError as slot does."""
        async with self._door:
            if self._slots.locked():
                until = min(self._frees_at, default=asyncio.get_running_loop().time())
                self._waits = f"{self.requests} requests in {self.span:g} s are spent", until
            await self._slots.acquire()
            try:
                await self._until_open()
            except BaseException:
                self._slots.release()
                raise
            finally:
                self._waits = None
            self._left -= 1
            self.in_flight += 1
        return Sending(self)

    def _give_back_slot(self, sending: Sending) -> None:
        """Free the slot of a request that has been answered, one span from the moment from which the request counts."""
        self.in_flight -= 1
        self.answered.discard(sending)
        self.leave_gate(sending)
        self._news.set()
        if sending.turned_back:
            self._left += 1
            self._slots.release()
            return
        counts_from = asyncio.get_running_loop().time()
        if sending.left_at is not None:
            counts_from = min(counts_from, sending.left_at + SLACK * self.span)
        self._free(counts_from + self.span)

    def _free(self, moment: float) -> None:
        """Free a slot at a later time."""

        def free() -> None:
            self._frees_at.remove(moment)
            self._slots.release()

        self._frees_at.append(moment)
        asyncio.get_running_loop().call_at(moment, free)

    async def pass_gate(self, sending: Sending) -> None:
        """Wait until the request can leave at once. Raises TurnedBackError if it may not leave.

        The caller sends the first byte before it awaits anything else.
        """
        # Through a proxy, a request first asks the proxy for a connection, and has been answered once.
        self.answered.discard(sending)
        await self._gate.acquire()
        self._at_gate = sending
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            for _ in range(TURNS):
                await asyncio.sleep(0)
            if self.answered:
                self._news.clear()
                await self._news.wait()
            elif loop.time() - started < QUIET:
                break
        if self._closed or loop.time() < self._open_at:
            sending.turned_back = True
            raise TurnedBackError

    def leave_gate(self, sending: Sending) -> None:
        """Let the next request come to the gate, if this one stands there."""
        if self._at_gate is sending:
            self._at_gate = None
            self._gate.release()

    def pause(self, seconds: float, reason: str) -> None:
        """Let no request leave for some seconds. Of several pauses, the one that ends last counts."""
        open_at = asyncio.get_running_loop().time() + seconds
        if seconds > 0 and open_at > self._open_at:
            self._open_at, self._reason = open_at, reason
            self._news.set()

    def limit(self, remaining: float, seconds: float, reason: str) -> None:
        """Let at most `remaining` requests leave in the next `seconds` seconds, as a response's headers say.

        The service may not have counted the requests under way yet, so they are subtracted. Responses can arrive out of
        order: until the reset, the lowest remaining count is kept.
        """
        if remaining < 1:
            self.pause(seconds, reason)
            return
        now = asyncio.get_running_loop().time()
        left = remaining - self.in_flight
        if now < self._reset_at:
            self._left = min(self._left, left)
        else:
            self._left, self._reset_at = left, now + seconds
        self._reason_left = reason
        self._news.set()

    def close(self, error: GroundswellError) -> None:
        """Let no request leave any more: everybody who waits for a slot, or asks for one, gets the error."""
        self._closed = self._closed or error
        self._news.set()
        # Wakes the one that waits for a slot now.
        self._slots.release()

    async def _until_open(self) -> None:
        """Wait until the next request may leave."""
        loop = asyncio.get_running_loop()
        noted = 0.0
        while True:
            if self._closed:
                raise self._closed
            now = loop.time()
            spent = self._left < 1 and now < self._reset_at
            if spent and not self.in_flight:
                # No response is under way that could raise the count.
                self.pause(self._reset_at - now, self._reason_left)
            if now < self._open_at:
                wait = self._open_at - now
                if wait > self.patience:
                    raise IngestError(f"{self._reason}: resume after {hour(wait)}, with the same command")
                self._waits = self._reason, self._open_at
                if wait >= NOTEWORTHY and self._open_at > noted:
                    noted = self._open_at
                    log.info("%s waits %.0f s: %s", self.name, wait, self._reason)
            elif spent:
                wait = self._reset_at - now
                self._waits = "answers that are under way", now
            else:
                return
            self._news.clear()
            try:
                async with asyncio.timeout(max(wait, LEAST_WAIT)):
                    await self._news.wait()
            except TimeoutError:
                continue


def hour(seconds: float) -> str:
    """The time some seconds from now as HH:MM UTC, rounded up; with the day if that is not today."""
    now = datetime.now(UTC)
    # A service may ask for a very long wait, and datetime has a last year.
    then = now + min(timedelta(days=365), timedelta(seconds=min(seconds, 1e9)))
    # Round up to the minute. A difference of one second between clocks does not add a minute.
    then += timedelta(seconds=59)
    return f"{then:%H:%M} UTC" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M} UTC"
