"""Tells by the columns of a file whether the day or the month stands first in times as 05/06/2026."""

from collections.abc import Iterable
from typing import Any

from ingest.errors import IngestError
from ingest.formats import COLUMNS, folded
from ingest.reading import Entries, ahead, parsed
from ingest.times import in_order, numbered

# Entries by which a file's order of day and month is told; and so many if the first ones do not tell it.
LOOKED_AT, LOOKED_AT_MORE = 500, 5_000


def with_days(entries: Entries, name: str, day_first: bool | None, chosen: str | None = None) -> Entries:
    """The entries of a file, in which times as 05/06/2026 are in ISO 8601.

    chosen: the column of the time, as the user named it; otherwise those are looked at whose names say so.
    day_first: whether the day stands before the month; None to tell it by the columns that hold such times.
    Raises IngestError if these do not tell it.
    """
    first, entries = ahead(entries, LOOKED_AT)
    columns = {column for column in numbered_columns(first) if column == chosen or tells_time(column)}
    if not columns:
        return entries
    if day_first is None and (day_first := order_of(first, columns, name)) is None:
        first, entries = ahead(entries, LOOKED_AT_MORE)
        day_first = order_of(first, columns, name)
    if day_first is None:
        raise IngestError(
            f"{name}: its times, as in column {min(columns)!r}, do not tell whether the day or the month stands first:"
            " say it with --day-first or --month-first"
        )
    return rewritten(entries, columns, day_first=day_first)


def tells_time(column: str) -> bool:
    """Whether a column may hold the time of a post, by its name."""
    return folded(column) in COLUMNS["created_at"]


def numbered_columns(entries: Iterable[tuple[int, Any]]) -> set[str]:
    """The columns that hold such a time in at least half of the entries in which they hold anything."""
    seen, matching = dict[str, int](), dict[str, int]()
    for _, each in entries:
        entry = parsed(each)
        for column, value in entry.items() if isinstance(entry, dict) else ():
            if value not in (None, ""):
                seen[column] = seen.get(column, 0) + 1
                matching[column] = matching.get(column, 0) + bool(numbered(value))
    return {column for column, count in matching.items() if count and 2 * count >= seen[column]}


def order_of(entries: Iterable[tuple[int, Any]], columns: set[str], name: str) -> bool | None:
    """Whether the day stands first in some columns; None if all numbers could be months. Raises IngestError."""
    orders = set[bool]()
    only_points = True
    for _, each in entries:
        entry = parsed(each)
        for column in columns if isinstance(entry, dict) else ():
            if (found := numbered(entry.get(column))) and found["between"] != ".":
                only_points = False
                orders |= {True} if int(found["one"]) > 12 else {False} if int(found["two"]) > 12 else set()
    if len(orders) > 1:
        raise IngestError(
            f"{name}: in some of its times the day stands first and in others the month, so none of them can be"
            " trusted; to import it all the same, say --day-first or --month-first, and the others are rejected"
        )
    return True if only_points else next(iter(orders), None)


def rewritten(entries: Entries, columns: set[str], *, day_first: bool) -> Entries:
    """The entries with the times of these columns in ISO 8601."""
    for place, each in entries:
        entry = parsed(each)
        if isinstance(entry, dict):
            entry = {
                column: in_order(value, day_first=day_first) if column in columns else value
                for column, value in entry.items()
            }
        yield place, entry
