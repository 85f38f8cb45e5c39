"""HTTP response headers that say when to ask again."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


def retry_after(response: httpx.Response) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or as a date (RFC 9110, 10.2.3); None without one."""
    header = response.headers.get("retry-after", "")
    seconds = header_number(header)
    if seconds is None and (moment := http_date(header)):
        seconds = (moment - server_time(response)).total_seconds()
    return None if seconds is None else max(seconds, 0.0)


def server_time(response: httpx.Response) -> datetime:
    """The server's clock, if the response has a Date header, else ours.

    The server's waits are in its own time, and our clock may be wrong.
    """
    return http_date(response.headers.get("date", "")) or datetime.now(UTC)


def http_date(text: str) -> datetime | None:
    """An HTTP date (RFC 9110, 5.6.7) as a time in UTC; None for any other text."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def header_number(text: str | None) -> float | None:
    """The finite number that a header holds; None for any other text."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
