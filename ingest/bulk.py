"""Checks entries of a file and stores them in large batches: a file of any size in the same memory."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
import pyarrow as pa
from pydantic import ValidationError

from ingest.errors import IngestError
from ingest.formats import Format, impersonal, parts_of
from ingest.parsed import Rejected, one_line
from ingest.reading import DamagedError, Entries, Unreadable, parsed
from ingest.store import BODY, CREATED_AT, MATCH_URL, SOURCE, Row, table_of

# Entries and characters per batch. Storing a batch looks through the keys of all stored posts, so few are fast.
BATCH = 25_000
BATCH_CHARACTERS = 12_000_000


@dataclass
class Batch:
    """What some entries of a file turned out to be.

    entries: how many of the file were read, counted from its start.
    fetched: how many entries this batch holds, those of pages one by one.
    posts: the posts as rows of ITEM_SCHEMA. Of several versions of a post the last one counts.
    repeated: how many versions were replaced by a later one.
    skipped: how many are no posts, by what they are instead.
    rejected: what is an entry, but no post that can be stored; the text of its fields, as JSON.
    unparsed: what is no entry at all; where it stands, and how long it is.
    """

    entries: int = 0
    fetched: int = 0
    posts: pa.Table = field(default_factory=lambda: table_of(()))
    repeated: int = 0
    other_days: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    unparsed: list[Rejected] = field(default_factory=list)


@dataclass
class Reader:
    """Turns the entries of one file into batches of posts.

    name: the file, for messages and for bronze.rejected_items.
    unit: what a place in the file is, as in "line".
    day, only: the day and the sources to keep; None and empty for all.
    """

    name: str
    unit: str
    formats: Sequence[Format]
    day: date | None = None
    only: Sequence[str] = ()
    _rows: dict[str, Row] = field(default_factory=dict)

    def batches(self, entries: Entries, done: int = 0) -> Iterator[Batch]:
        """Batches of the entries, without the first ones that are done already.

        Raises IngestError after the last batch if the file can not be read to its end.
        """
        batch, characters, count = Batch(), 0, 0
        current, failure = self.formats[0], list[IngestError]()
        for place, each in until_failure(entries, failure):
            count += 1
            if count <= done:
                continue
            entry = parsed(each)
            if isinstance(entry, dict) and current.knows(entry):
                characters += self.take(batch, current, place, entry)
            else:
                for part in parts_of(entry, self.formats):
                    found = self.format_of(part)
                    characters += self.take(batch, found, place, part)
                    current = found or current
            if batch.fetched >= BATCH or characters >= BATCH_CHARACTERS:
                yield self.ended(batch, count)
                batch, characters = Batch(), 0
        if failure and isinstance(failure[0], DamagedError):
            # Lines that can not be parsed shortly before the damage are part of it.
            batch.unparsed.clear()
        yield self.ended(batch, count)
        if failure:
            raise failure[0]

    def ended(self, batch: Batch, count: int) -> Batch:
        """A batch that ends with an entry, with its posts."""
        batch.entries, batch.posts = count, table_of(self._rows.values())
        self._rows.clear()
        return batch

    def format_of(self, entry: Any) -> Format | None:
        """The format of an entry, None if it is of none."""
        return next((known for known in self.formats if known.knows(entry)), None) if isinstance(entry, dict) else None

    def take(self, batch: Batch, form: Format | None, place: int, entry: Any) -> int:
        """Add an entry of a format, None if it is of none, to a batch; returns its number of characters, roughly."""
        if entry is None:
            batch.skipped["missing items (null)"] += 1
            batch.fetched += 1
            return 0
        batch.fetched += 1
        if isinstance(entry, Unreadable):
            return self.leave_out(batch, place, entry.length, entry.reason)
        if form is None:
            reason = "its fields are of no known format" if isinstance(entry, dict) else "not an object with fields"
            return self.leave_out(batch, place, length_of(entry), reason)
        try:
            post = form.to_post(entry)
        except ValidationError as error:
            return self.reject(batch, place, entry, form, one_line(error))
        except KeyError as error:
            return self.reject(batch, place, entry, form, f"{error.args[0]}: Field required")
        except (TypeError, AttributeError, OverflowError, RecursionError) as error:
            return self.reject(batch, place, entry, form, f"not as {form.label} are ({type(error).__name__})")
        except ValueError as error:
            return self.reject(batch, place, entry, form, quoted_nowhere(error))
        if isinstance(post, str):
            batch.skipped[post] += 1
        elif self.only and post[SOURCE] not in self.only:
            batch.skipped["posts of other sources"] += 1
        elif self.day and post[CREATED_AT].date() != self.day:
            batch.other_days += 1
        else:
            batch.repeated += post[MATCH_URL] in self._rows
            self._rows[post[MATCH_URL]] = post
            return 300 + len(post[BODY] or "")
        return 0

    def reject(self, batch: Batch, place: int, entry: Any, current: Format, reason: str) -> int:
        """Add an entry that is no post, with the fields of its format only: none of them names a person."""
        try:
            text = as_text(impersonal(entry, current.kept))
        except RecursionError:
            return self.leave_out(batch, place, 0, "too many levels")
        batch.rejected.append(Rejected(text, f"{self.name}:{place}: {reason}"))
        return len(text)

    def leave_out(self, batch: Batch, place: int, length: int, reason: str) -> int:
        """Add what is no entry: anything in it may be a name, so only its place and length are kept."""
        text = f"{self.name}, {self.unit} {place}: {length:,} characters"
        batch.unparsed.append(Rejected(text, f"{self.name}:{place}: {reason}"))
        return len(text)


def length_of(entry: Any) -> int:
    """The characters of an entry, roughly; 0 if it has too many levels to tell."""
    try:
        return len(str(entry))
    except RecursionError:
        return 0


def as_text(fields: dict[str, Any]) -> str:
    """Some fields as JSON."""
    try:
        return orjson.dumps(fields).decode()
    except orjson.JSONEncodeError:
        # Numbers beyond 64 bits, half a pair of surrogates, and values of Parquet that JSON does not have.
        return json.dumps(fields, ensure_ascii=False, default=str)


def until_failure(entries: Entries, failure: list[IngestError]) -> Entries:
    """The entries as far as they can be read; what ended them is added to `failure`."""
    try:
        yield from entries
    except IngestError as error:
        failure.append(error)


def quoted_nowhere(error: ValueError) -> str:
    """The text of an error of ours; Python's own errors quote what they could not read."""
    text = str(error)
    return "not a number" if "invalid literal" in text or "could not convert" in text else text


def counted(skipped: Iterable[tuple[str, int]]) -> str:
    """Counts in words, as "1,203 comments, 5 pull requests"."""
    return ", ".join(f"{count:,} {what}" for what, count in sorted(skipped, key=lambda pair: -pair[1]))
