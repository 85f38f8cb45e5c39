"""Tells by the columns of a file whether the day or the month stands first in times as 05/06/2026."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ingest.errors import IngestError
from ingest.formats import COLUMNS, Entry, Format, folded, parts_of
from ingest.reading import Entries, ahead, parsed
from ingest.times import in_order, numbered

# Entries by which a file's order of day and month is told; and so many if the first ones do not tell it.
LOOKED_AT, LOOKED_AT_MORE = 500, 5_000


def with_days(entries: Entries, name: str, day_first: bool | None, known: Sequence[Format]) -> Entries:
    """The entries of a file, in which times as 05/06/2026 are in ISO 8601.

    known: the formats of the file. Of a table the column of its time is looked at, otherwise those whose names say so.
    day_first: whether the day stands before the month; None to tell it by the columns that hold such times.
    Raises IngestError if these do not tell it.
    """
    first, entries = ahead(entries, LOOKED_AT)
    posts = [*parts(first, known)]
    time = known[0].time
    columns = {time} if time else {*filter(tells_time, {column for _, post in posts for column in post})}
    if day_first is None:
        columns = numbered_columns(posts, columns)
        orders = orders_of(posts, columns, name)
        if len(orders) > 1:
            first, entries = ahead(entries, LOOKED_AT_MORE)
            orders = orders_of(parts(first, known), columns, name)
        if len(orders) > 1:
            raise IngestError(
                f"{name}: its times, as in column {min(columns)!r}, do not tell whether the day or the month stands"
                " first: say it with --day-first or --month-first"
            )
        day_first = next(iter(orders), None)
    return rewritten(entries, columns, known, day_first=day_first) if columns else entries


def tells_time(column: str) -> bool:
    """Whether a column may hold the time of a post, by its name."""
    return folded(column) in COLUMNS["created_at"]


def parts(entries: Iterable[tuple[int, Any]], known: Sequence[Format]) -> Iterator[tuple[int, Entry]]:
    """The objects among the entries, those of pages one by one."""
    for place, each in entries:
        for part in parts_of(parsed(each), known):
            if isinstance(part, dict):
                yield place, part


def numbered_columns(entries: Iterable[tuple[int, Entry]], columns: set[str]) -> set[str]:
    """Those of the columns that hold such a time in at least half of the entries in which they hold anything."""
    seen, matching = dict[str, int](), dict[str, int]()
    for _, entry in entries:
        for column in columns:
            if (value := entry.get(column)) not in (None, ""):
                seen[column] = seen.get(column, 0) + 1
                matching[column] = matching.get(column, 0) + bool(numbered(value))
    return {column for column, count in matching.items() if count and 2 * count >= seen[column]}


def orders_of(entries: Iterable[tuple[int, Entry]], columns: set[str], name: str) -> set[bool]:
    """Whether the day stands first in some columns: {True}, {False}, or both if all numbers could be months.

    Times with points do not count: an empty set if there are no others. Raises IngestError for a contradiction.
    """
    orders, untold = set[bool](), False
    for _, entry in entries:
        for column in columns:
            if (found := numbered(entry.get(column))) and found["between"] != ".":
                untold = True
                orders |= {True} if int(found["one"]) > 12 else {False} if int(found["two"]) > 12 else set()
    if len(orders) > 1:
        raise IngestError(
            f"{name}: in some of its times the day stands first and in others the month, so none of them can be"
            " trusted; to import it all the same, say --day-first or --month-first, and the others are rejected"
        )
    return orders or ({True, False} if untold else set())


def rewritten(entries: Entries, columns: set[str], known: Sequence[Format], *, day_first: bool | None) -> Entries:
    """The entries, those of pages one by one, with the times of these columns in ISO 8601."""
    for place, each in entries:
        for part in parts_of(parsed(each), known):
            if isinstance(part, dict):
                yield (
                    place,
                    {
                        column: in_order(value, day_first=day_first) if column in columns else value
                        for column, value in part.items()
                    },
                )
            else:
                yield place, part
