"""Reads the entries of a response into posts, one by one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import ValidationError

from groundswell.words import reason
from ingest.errors import StrangeResponseError
from ingest.item import Item

MISSING = "it is missing"
TIME, NUMBER = "a time is expected, as 2026-11-20T08:00:00Z", "a whole number is expected"
# Our words for what pydantic finds, by the name of its error.
WORDS = {
    "missing": MISSING,
    "string_type": "a text is expected",
    "datetime_type": TIME,
    "datetime_parsing": TIME,
    "datetime_from_date_parsing": TIME,
    "int_type": NUMBER,
    "int_parsing": NUMBER,
    "int_from_float": NUMBER,
}

# A response as parsed from JSON. Its type is Any because nobody knows what a service sends.
Payload = Any


class Rejected(NamedTuple):
    """An entry that could not be read, as the service sent it, and the reason."""

    entry: Any
    reason: str


@dataclass
class Parsed:
    """The content of a response.

    skipped: entries that are no posts by design, such as pull requests.
    rejected: entries that could not be read.
    total: how many posts the service reports for the query.
    more: the next page's name, None on the last page.
    last_page: the number of the last page that the service gives, None if there is no such limit.
    incomplete: the service ended its search early.
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
        """The number of entries in the response: posts, skipped and rejected ones."""
        return len(self.items) + self.skipped + len(self.rejected)


def parse_entries(entries: Iterable[Any], to_item: Callable[[Any], Item | None], total: Any = None) -> Parsed:
    """Read entries one by one: an entry that can not be read is rejected, and the others stay.

    to_item returns None for an entry that is to be skipped. A post without title and body is skipped too.
    """
    parsed = Parsed(total=total if isinstance(total, int) and total >= 0 else None)
    for entry in entries:
        try:
            item = to_item(entry)
        except ValidationError as error:
            parsed.rejected.append(Rejected(entry, one_line(error)))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            parsed.rejected.append(Rejected(entry, f"{type(error).__name__}: {error}"))
        else:
            if item is None or item.says_nothing:
                parsed.skipped += 1
            else:
                parsed.items.append(item)
    return parsed


def entries_of(payload: Payload, *path: str) -> list[Any]:
    """The list at a path of keys. Raises StrangeResponseError if the response has no such list."""
    found = payload
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list):
        raise StrangeResponseError(f"not a response of this service: no list at {'.'.join(path)}")
    return found


def one_line(error: ValidationError) -> str:
    """A pydantic error as `field: reason; field: reason`."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'line'}: {reason(problem, WORDS)}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    )
