"""Times that are written for people: with the name of a month, with a.m. and p.m., or with the day before the month."""

import re
from contextlib import suppress
from typing import Any

CLOCK = (
    r"(?:(?:,|T| at| @)? ?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?)?"
)
WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? )?"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAME = rf"(?P<name>{'|'.join(MONTHS)})[a-z]{{0,6}}\.?"
# 2026/11/20 2:25 PM · 20 November 2026 14:25 · Nov 20, 2026 @ 14:25:01.000 · Fri Nov 20 14:25:01 +0000 2026
TOLD = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        rf"(?P<year>\d{{4}})(?P<between>[/.-])(?P<month>\d{{1,2}})(?P=between)(?P<day>\d{{1,2}}){CLOCK}",
        rf"{WEEKDAY}(?P<day>\d{{1,2}})[ -]{NAME}[ -](?P<year>\d{{4}}){CLOCK}",
        rf"{WEEKDAY}{NAME} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}}){CLOCK}",
        rf"{WEEKDAY}{NAME} +(?P<day>\d{{1,2}}){CLOCK} (?P<year>\d{{4}})",
    )
)
# 05/06/2026 8:00, 5-6-2026: the fifth of June, or the sixth of May. With points between them the day stands first.
NUMBERED = re.compile(
    rf"(?P<one>\d{{1,2}})(?P<between>[/.-])(?P<two>\d{{1,2}})(?P=between)(?P<year>\d{{4}}){CLOCK}",
    re.IGNORECASE | re.ASCII,
)
# No spelling of a time is longer.
LONGEST = 48


def iso(found: re.Match[str], month: int, day: int) -> str:
    """A time in ISO 8601, in UTC if it says no zone. Raises ValueError for an hour that its half day does not have."""
    hour = int(found["hour"] or 0)
    if half := found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("the hour of a time with a.m. or p.m. is from 1 to 12")
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    zone = found["zone"] or "Z"
    if zone[0] in "+-":
        zone = f"{zone[:3]}:{zone[-2:]}"
    return (
        f"{found['year']}-{month:02}-{day:02}T{hour:02}:{found['minute'] or '00'}:{found['second'] or '00'}"
        f"{zone if zone[0] in '+-' else 'Z'}"
    )


def told(text: str) -> str:
    """A time in one of the spellings of TOLD in ISO 8601; any other text as it is.

    Raises ValueError for a time of which nobody can tell whether the day or the month stands first.
    """
    if len(text) > LONGEST:
        return text
    for spelling in TOLD:
        if found := spelling.fullmatch(text):
            fields = found.groupdict()
            month = MONTHS.index(fields["name"].lower()) + 1 if fields.get("name") else int(fields["month"])
            return iso(found, month, int(fields["day"]))
    if NUMBERED.fullmatch(text):
        raise ValueError(
            "whether the day or the month stands first can not be told, or it is not as in the rows before"
        )
    return text


def numbered(value: Any) -> re.Match[str] | None:
    """What a value holds if it is a time in the spelling of NUMBERED."""
    return NUMBERED.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= LONGEST else None


def in_order(value: Any, *, day_first: bool | None) -> Any:
    """A time in the spelling of NUMBERED in ISO 8601; any other value, and one that no such time is, as it is.

    day_first: whether the day stands before the month; None if that is known of times with points only.
    """
    if not (found := numbered(value)) or (day_first is None and found["between"] != "."):
        return value
    first, second = int(found["one"]), int(found["two"])
    day, month = (first, second) if day_first or found["between"] == "." else (second, first)
    with suppress(ValueError):
        return iso(found, month, day) if 1 <= month <= 12 else value
    return value
