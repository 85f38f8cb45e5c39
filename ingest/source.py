"""What every source module provides, and the little that they share."""

import math
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Protocol

import httpx
from pydantic import ValidationError

from groundswell.http import retry_after
from ingest.errors import IngestError, StrangeAnswerError
from ingest.item import Item, SourceName, clean_text
from ingest.settings import Settings

# A response of a service, as parsed from JSON: hostile, hence no narrower type.
Payload = Any

FIRST_PAGE = "1"
# How often a window is read where its answers do not fit together.
READINGS = 3
# Slices are cut at whole seconds, the finest that the services' clocks show.
SECOND = timedelta(seconds=1)
# Of a service's limit, the share that a slice is planned to fill: posts do not spread evenly over a day.
FILL = 0.8


@dataclass(frozen=True)
class Window:
    """A query over a time slice (UTC, end exclusive) of one day, and how far it has got: a row of ingest_windows.

    pages_left holds what is still to be asked for; reading counts how often it was begun. status is pending,
    complete, truncated or failed; error says why a window is truncated, has failed or brought less than was
    reported.
    """

    source: SourceName
    query: str
    start: datetime
    end: datetime
    pages_left: tuple[str, ...] = (FIRST_PAGE,)
    pages: int = 0
    reading: int = 1
    reported_total: int | None = None
    fetched: int = 0
    stored: int = 0
    status: str = "pending"
    error: str | None = None

    @property
    def collection_date(self) -> date:
        """The UTC day that the slice belongs to."""
        return self.start.date()

    def afresh(self, start: datetime | None = None, end: datetime | None = None) -> "Window":
        """The same query, nothing asked yet, over another slice if one is given."""
        return Window(self.source, self.query, start or self.start, end or self.end)

    def read_anew(self) -> "Window | None":
        """This window from its first page on; None where it has been begun READINGS times."""
        return replace(self.afresh(), reading=self.reading + 1) if self.reading < READINGS else None

    def halves(self, parts: int = 2) -> list["Window"]:
        """As many fresh windows of equal length in its place; none where it is too short to be cut."""
        seconds = int((self.end - self.start).total_seconds())
        parts = min(parts, seconds)
        if parts < 2:
            return []
        cuts = [self.start + timedelta(seconds=seconds * part // parts) for part in range(parts + 1)]
        return [self.afresh(start, end) for start, end in pairwise(cuts)]

    def truncated(self, reason: str) -> "Window":
        """This window, closed though the service holds more."""
        return replace(self, pages_left=(), status="truncated", error=reason)

    def __str__(self) -> str:
        """The query and the slice, for people."""
        if self.end - self.start == timedelta(days=1):
            return f"{self.query}, {self.collection_date}"
        last = "24:00" if self.end.date() > self.collection_date else f"{self.end:%H:%M:%S}"
        return f"{self.query}, {self.collection_date} {self.start:%H:%M:%S}-{last}"


def day_window(source: SourceName, query: str, day: date) -> Window:
    """The window of a whole UTC day."""
    start = datetime.combine(day, time.min, UTC)
    return Window(source, query, start, start + timedelta(days=1))


@dataclass(frozen=True)
class Question:
    """A request: what is asked (params), and what only proves who asks (secrets, auth), which nobody else may see.

    window and page tell what the answer is for; a question for a token has none.
    """

    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    data: Mapping[str, str] | None = None
    auth: httpx.BasicAuth | None = None
    window: Window | None = None
    page: str = FIRST_PAGE

    @property
    def address(self) -> str:
        """The address without credentials."""
        return str(httpx.URL(self.url, params=self.params))


@dataclass(frozen=True)
class Rejected:
    """An entry that could not be read, as the service gave it, and why."""

    entry: Any
    reason: str


@dataclass
class Parsed:
    """What a response held: posts, what is none by design (skipped), and what could not be read (rejected).

    total is how many posts the service says there are; more tells the next page, null where this is the last;
    last_page is the number after which the service gives none, null where there is no such; incomplete says that
    the service gave up on the search before its end.
    """

    items: list[Item] = field(default_factory=list)
    skipped: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    total: int | None = None
    more: str | None = None
    last_page: int | None = None
    incomplete: bool = False

    @property
    def fetched(self) -> int:
        """Entries in the response, of whatever kind."""
        return len(self.items) + self.skipped + len(self.rejected)


class TransientError(Exception):
    """An answer that is worth asking again for.

    limited: the service wants fewer requests; wait: seconds until the next one, where it says so; renew: the
    credentials have expired.
    """

    def __init__(self, why: str, *, limited: bool = False, wait: float | None = None, renew: bool = False) -> None:
        super().__init__(why)
        self.limited, self.wait, self.renew = limited, wait, renew


@dataclass(frozen=True)
class Quota:
    """A service's word: so many requests remain for so many seconds."""

    remaining: float
    seconds: float
    reason: str


Ask = Callable[[Question, Callable[[Payload], str]], Awaitable[str]]


class Source(Protocol):
    """A module that collects from one service. Its functions are pure but for reading the environment."""

    # What the fields of an entry that name a person are called.
    PERSONAL: frozenset[str]

    def allowance(self) -> int:
        """Requests that the service grants in 60 seconds."""

    def queries(self, settings: Settings) -> Sequence[str]:
        """What to ask for each day. Raises IngestError where the source lacks its credentials."""

    async def headers(self, ask: Ask) -> dict[str, str]:
        """Headers of every request, credentials included; may ask for a token first."""

    def question(self, window: Window, page: str) -> Question:
        """The request for a page of a window."""

    def quotas(self, response: httpx.Response, payload: Payload) -> list[Quota]:
        """What the service says of further requests."""

    def problem(self, response: httpx.Response, payload: Payload) -> Exception | None:
        """What is wrong with a response: a TransientError, QueryRefusedError or IngestError; None where nothing is."""

    def parse(self, payload: Payload) -> Parsed:
        """Read a response. Raises StrangeAnswerError where it is none of this service's."""

    def advance(self, window: Window, page: str, parsed: Parsed, before: Window) -> list[Window]:
        """The windows that take a window's place after a page, itself among them where it goes on.

        window counts the page already; before is the same window without it.
        """


def parse_entries(entries: Iterable[Any], to_item: Callable[[Any], Item | None], total: Any = None) -> Parsed:
    """Read entries one by one, so that a broken one never sinks its page; None from to_item means skip."""
    parsed = Parsed(total=total if isinstance(total, int) and total >= 0 else None)
    for entry in entries:
        try:
            item = to_item(entry)
        except ValidationError as error:
            parsed.rejected.append(Rejected(entry, one_line(error)))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            parsed.rejected.append(Rejected(entry, f"{type(error).__name__}: {error}"))
        else:
            if item is None:
                parsed.skipped += 1
            else:
                parsed.items.append(item)
    return parsed


def entries_of(payload: Payload, *path: str) -> list[Any]:
    """The list at a path of keys. Raises StrangeAnswerError where the response has no such list."""
    found = payload
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise StrangeAnswerError(f"not a response of this service: no list at {'.'.join(path)}")
    return found


def one_line(error: ValidationError) -> str:
    """A pydantic error as `field: reason; field: reason`."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'line'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_context=False)
    )


def advance_counted(
    window: Window, parsed: Parsed, before: Window, *, page_size: int, limit: int, service: str
) -> list[Window]:
    """Go on in a window of a service that tells the total, numbers its pages, and gives `limit` results at most.

    More than that: equal slices in the window's place, each small enough by the total; a single second is
    read as far as it goes and recorded as truncated. Where the total falls while pages are turned, something
    has gone and what followed it has moved up, past us: the window is read anew.
    """
    total = parsed.total or 0
    if total > limit and (parts := window.halves(max(2, math.ceil(total / (limit * FILL))))):
        return parts
    fell = before.reported_total is not None and total < before.reported_total
    if fell and (anew := window.read_anew()):
        return [anew]
    last = math.ceil(min(total, limit) / page_size)
    known = math.ceil(min(before.reported_total or 0, limit) / page_size) or 1
    window = replace(window, pages_left=window.pages_left + tuple(str(page) for page in range(known + 1, last + 1)))
    if not window.pages_left and total > limit:
        return [window.truncated(f"{service} gives {limit:,} of the {total:,} posts of this second")]
    return [window]


def closed(window: Window) -> Window:
    """A window whose last page has been read, complete, with a word on what the service reported but did not give."""
    missing = None
    if window.reported_total is not None and window.fetched < window.reported_total:
        missing = f"the service gave {window.fetched:,} of the {window.reported_total:,} posts it reported"
    return replace(window, status="complete", error=missing)


def said(response: httpx.Response, payload: Payload, *keys: str) -> str:
    """The service's own words on a failure, in one line."""
    if isinstance(payload, dict):
        words = [str(payload[key]) for key in keys if payload.get(key)]
        if words:
            return clean_text(" ".join(": ".join(words).split())[:300])
    if "html" in response.headers.get("content-type", "") or response.text.lstrip()[:1] == "<":
        return "an HTML page"
    return " ".join(response.text.split())[:200] or response.reason_phrase or "no text"


def general_problem(response: httpx.Response, payload: Payload, service: str, words: str) -> Exception | None:
    """What a status means at any service; see Source.problem."""
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


def credential(name: str) -> str | None:
    """A key from the environment, without the white space of a careless copy. Raises IngestError for what is none."""
    key = (os.environ.get(name) or "").strip()
    if not key.isascii() or not key.isprintable():
        raise IngestError(f"{name} holds characters that no key has: copy it anew")
    return key or None
