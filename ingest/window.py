"""A window: one query over a slice of one day's time, and how far its collection has come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

FIRST_PAGE = "1"
# The most readings of a window whose pages contradict each other.
READINGS = 3
# Slices are cut at whole seconds, the finest unit of the services' clocks.
SECOND = timedelta(seconds=1)
# A slice is planned to fill this share of a service's limit, because posts are not spread evenly over a day.
FILL = 0.8


@dataclass(frozen=True)
class Window:
    """A query over a time slice (UTC, end exclusive) of one day: a row of bronze.ingest_windows.

    pages_left: pages that are still to be fetched.
    reading: 1 for the first reading of the window, 2 for the second, and so on.
    status: pending, complete, truncated or failed.
    error: why the window is truncated or failed, or why it brought fewer posts than the service reported.
    """

    source: str
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
        """A window that has not been fetched yet: the same query over the same slice, or over another one."""
        return Window(self.source, self.query, start or self.start, end or self.end)

    def read_anew(self) -> "Window | None":
        """This window for its next reading, from the first page on; None after READINGS readings."""
        return replace(self.afresh(), reading=self.reading + 1) if self.reading < READINGS else None

    def halves(self, parts: int = 2) -> list["Window"]:
        """Fresh windows of equal length that replace this one; an empty list if the window is too short to be cut."""
        seconds = int((self.end - self.start).total_seconds())
        parts = min(parts, seconds)
        if parts < 2:
            return []
        cuts = [self.start + timedelta(seconds=seconds * part // parts) for part in range(parts + 1)]
        return [self.afresh(start, end) for start, end in pairwise(cuts)]

    def truncated(self, reason: str) -> "Window":
        """This window, closed although the service has more posts."""
        return replace(self, pages_left=(), status="truncated", error=reason)

    def __str__(self) -> str:
        """The query and the slice, for people."""
        if self.end - self.start == timedelta(days=1):
            return f"{self.query}, {self.collection_date}"
        last = "24:00" if self.end.date() > self.collection_date else f"{self.end:%H:%M:%S}"
        return f"{self.query}, {self.collection_date} {self.start:%H:%M:%S}-{last}"


def day_window(source: str, query: str, day: date) -> Window:
    """The window of a whole UTC day."""
    start = datetime.combine(day, time.min, UTC)
    return Window(source, query, start, start + timedelta(days=1))


def closed(window: Window) -> Window:
    """A window whose last page has been read, as complete; error says how many reported posts are missing."""
    missing = None
    if window.reported_total is not None and window.fetched < window.reported_total:
        missing = f"the service gave {window.fetched:,} of the {window.reported_total:,} posts it reported"
    return replace(window, status="complete", error=missing)


def advance_counted(
    window: Window, total: int | None, before: Window, *, page_size: int, limit: int, service: str
) -> Sequence[Window]:
    """The windows that replace a window after a page, for a service that reports totals and numbers its pages.

    total is what the page reported. The service gives at most `limit` results for a window:

    - A larger total: the window is cut into equal slices, each small enough by the total. A window of one second can
      not be cut: it is read up to the limit and then recorded as truncated.
    - A total that fell since the page before: a post was deleted, and later posts moved up to pages that have been
      read already. The window is read again from the start.
    """
    total = total or 0
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
