"""What every source module provides, and the little that they share."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import httpx
from pydantic import ValidationError

from ingest.errors import IngestError
from ingest.item import Item
from ingest.settings import Settings

# A response of a service, as parsed from JSON: hostile, hence no narrower type.
Payload = Any


@dataclass(frozen=True)
class Window:
    """One question to one service: a query over a time slice (UTC, end exclusive)."""

    query: str
    start: datetime
    end: datetime


@dataclass
class Parsed:
    """What a response held: posts, what is none by design (skipped), and what could not be read (rejected)."""

    items: list[Item] = field(default_factory=list)
    skipped: int = 0
    rejected: list[str] = field(default_factory=list)
    reported_total: int | None = None

    @property
    def fetched(self) -> int:
        """Entries in the response, of whatever kind."""
        return len(self.items) + self.skipped + len(self.rejected)


class Source(Protocol):
    """A module that collects from one service."""

    def windows(self, settings: Settings, day: date) -> list[Window]:
        """The questions to ask for a day. Raises IngestError where the source lacks its credentials."""

    def pages(self, client: httpx.AsyncClient, window: Window) -> AsyncIterator[Payload]:
        """Ask one of them, page by page. Raises IngestError where the service refuses."""

    def parse(self, payload: Payload) -> Parsed:
        """Read a response. Raises IngestError where it is none of this service's."""


def day_window(query: str, day: date) -> Window:
    """The window of a whole UTC day."""
    start = datetime.combine(day, time.min, UTC)
    return Window(query, start, start + timedelta(days=1))


def parse_entries(entries: Iterable[Any], to_item: Callable[[Any], Item | None], reported_total: Any = None) -> Parsed:
    """Read entries one by one, so that a broken one never sinks its page; None from to_item means skip."""
    parsed = Parsed(reported_total=reported_total if isinstance(reported_total, int) else None)
    for number, entry in enumerate(entries, start=1):
        try:
            item = to_item(entry)
        except ValidationError as error:
            parsed.rejected.append(f"entry {number}: {one_line(error)}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            parsed.rejected.append(f"entry {number}: {type(error).__name__}: {error}")
        else:
            if item is None:
                parsed.skipped += 1
            else:
                parsed.items.append(item)
    return parsed


def entries_of(payload: Payload, *path: str) -> list[Any]:
    """The list at a path of keys. Raises IngestError where the response has no such list."""
    found = payload
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise IngestError(f"not a response of this service: no list at {'.'.join(path)}")
    return found


def one_line(error: ValidationError) -> str:
    """A pydantic error as `field: reason; field: reason`."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'line'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_context=False)
    )


async def get_json(client: httpx.AsyncClient, url: str, **request: Any) -> Payload:
    """GET a JSON document. Raises IngestError, in one line and without credentials, for anything else."""
    return await send_json(client, "GET", url, **request)


async def send_json(client: httpx.AsyncClient, method: str, url: str, **request: Any) -> Payload:
    """Send a request and read the JSON that answers it; errors as in get_json."""
    try:
        response = await client.request(method, url, **request)
    except httpx.HTTPError as error:
        raise IngestError(f"{url} can not be reached: {type(error).__name__} {error}".rstrip()) from error
    if response.is_error:
        message = " ".join(response.text.split())[:200]
        raise IngestError(f"{url} answered {response.status_code}: {message}")
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise IngestError(f"{url} answered something that is not JSON ({len(response.content):,} bytes)") from error
