"""Checks entries of a file and stores them in large batches: a file of any size in the same memory."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import compress
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
from pydantic import ValidationError

from ingest.errors import IngestError
from ingest.formats import Entry, Format, Post, impersonal, parts_of
from ingest.item import Item
from ingest.parsed import MISSING, Rejected, one_line
from ingest.reading import DamagedError, Entries, Unreadable, parsed
from ingest.report import LISTED_REJECTS
from ingest.store import BODY, CREATED_AT, MATCH_URL, NAMED_SCHEMA, REJECTS_SCHEMA, SOURCE, TITLE, rejects_of, row_of
from ingest.usual import usual_columns

# Entries and characters per batch. Storing a batch looks through the keys of all stored posts, so few are fast.
BATCH = 25_000
BATCH_CHARACTERS = 8_000_000
# Entries that are checked together, and characters of them.
AT_ONCE = 2_000
CHARACTERS_AT_ONCE = 4_000_000


@dataclass
class Batch:
    """What some entries of a file turned out to be.

    entries: how many of the file were read, counted from its start.
    fetched: how many entries this batch holds, those of pages one by one.
    posts: a table of NAMED_SCHEMA. Of several versions of a post the last one counts.
    repeated: how many versions were replaced by a later one.
    skipped: how many are no posts, by what they are instead.
    rejects: what can not be stored, as ingest.store.rejects_of gives it.
    rejected: how many these are; reasons: those of the first LISTED_REJECTS.
    """

    entries: int = 0
    fetched: int = 0
    posts: pa.Table = field(default_factory=NAMED_SCHEMA.empty_table)
    repeated: int = 0
    other_days: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejects: pa.Table = field(default_factory=REJECTS_SCHEMA.empty_table)
    rejected: int = 0
    reasons: list[str] = field(default_factory=list)


class NoPost(NamedTuple):
    """Why an entry is no post that can be stored."""

    reason: str


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
    # Entries that are to be checked, each with its place and format; and the columns of the posts of a batch.
    _waiting: list[tuple[int, Format, Entry]] = field(default_factory=list)
    _columns: list[list[Any]] = field(default_factory=lambda: [[] for _ in NAMED_SCHEMA])
    # What is an entry but no post, with its fields as JSON; and what is no entry, with its place and length.
    _rejected: list[Rejected] = field(default_factory=list)
    _unparsed: list[Rejected] = field(default_factory=list)

    def batches(self, entries: Entries, done: int = 0) -> Iterator[Batch]:
        """Batches of the entries, without the first ones that are done already.

        Raises IngestError after the last batch if the file can not be read to its end.
        """
        batch, characters, waiting, count = Batch(), 0, 0, 0
        current, failure = self.formats[0], list[IngestError]()
        for place, each in until_failure(entries, failure):
            count += 1
            if count <= done:
                continue
            entry = parsed(each)
            waiting += size_of(each)
            if isinstance(entry, dict) and current.knows(entry):
                batch.fetched += 1
                self._waiting.append((place, current, entry))
            else:
                for part in parts_of(entry, self.formats):
                    batch.fetched += 1
                    if found := self.format_of(part):
                        current = found
                        self._waiting.append((place, current, part))
                    else:
                        self.pass_over(batch, place, part)
            if len(self._waiting) >= AT_ONCE or waiting >= CHARACTERS_AT_ONCE or batch.fetched >= BATCH:
                characters, waiting = characters + self.check(batch), 0
                if batch.fetched >= BATCH or characters >= BATCH_CHARACTERS:
                    yield self.ended(batch, count)
                    batch, characters = Batch(), 0
        self.check(batch)
        if failure and isinstance(failure[0], DamagedError):
            # Lines that can not be parsed shortly before the damage are part of it.
            self._unparsed.clear()
        yield self.ended(batch, count)
        if failure:
            raise failure[0]

    def format_of(self, entry: Any) -> Format | None:
        """The format of an entry, None if it is of none."""
        return next((known for known in self.formats if known.knows(entry)), None) if isinstance(entry, dict) else None

    def check(self, batch: Batch) -> int:
        """Check the entries that wait, and add them to a batch; returns the number of their characters, roughly."""
        waiting, self._waiting = self._waiting, []
        posts = [post_of(form, form.to_post, entry) for _, form, entry in waiting]
        odd, columns = usual_columns(posts)
        kept, characters = [True] * len(posts), 0
        for number in odd:
            place, form, entry = waiting[number]
            post = posts[number]
            if isinstance(post, dict):
                post = post_of(form, Item.model_validate, post)
            if isinstance(post, Item):
                for column, value in zip(columns, row_of(post), strict=True):
                    column[number] = value
                continue
            kept[number] = False
            if isinstance(post, NoPost):
                characters += self.reject(place, entry, form, post.reason)
            elif isinstance(post, str):
                batch.skipped[post] += 1
        if self.only or self.day or None in columns[TITLE]:
            rows = zip(*columns, strict=True)
            kept = [is_post and self.wants(batch, row) for is_post, row in zip(kept, rows, strict=True)]
        if not all(kept):
            columns = [[*compress(column, kept)] for column in columns]
        for column, added in zip(self._columns, columns, strict=True):
            column += added
        bodies = columns[BODY]
        return characters + 300 * len(bodies) + sum(map(len, filter(None, bodies)))

    def wants(self, batch: Batch, row: tuple[Any, ...]) -> bool:
        """Whether a post is to be stored; if not, it is counted in a batch."""
        if row[TITLE] is None and row[BODY] is None:
            batch.skipped["without title and text"] += 1
        elif self.only and row[SOURCE] not in self.only:
            batch.skipped["posts of other sources"] += 1
        elif self.day and row[CREATED_AT].date() != self.day:
            batch.other_days += 1
        else:
            return True
        return False

    def ended(self, batch: Batch, count: int) -> Batch:
        """A batch that ends with an entry, with its posts."""
        columns, self._columns = self._columns, [[] for _ in NAMED_SCHEMA]
        last = {key: row for row, key in enumerate(columns[MATCH_URL])}
        batch.repeated = len(columns[MATCH_URL]) - len(last)
        if batch.repeated:
            columns = [[column[row] for row in last.values()] for column in columns]
        batch.entries, batch.posts = count, pa.table(columns, NAMED_SCHEMA)
        rejected = [*self._rejected, *self._unparsed]
        self._rejected.clear()
        self._unparsed.clear()
        batch.rejected, batch.rejects = len(rejected), rejects_of(rejected)
        batch.reasons = [bad.reason for bad in rejected[:LISTED_REJECTS]]
        return batch

    def pass_over(self, batch: Batch, place: int, entry: Any) -> None:
        """Add an entry of no format to a batch."""
        if entry is None:
            batch.skipped["missing items (null)"] += 1
        elif isinstance(entry, Unreadable):
            self.leave_out(place, entry.length, entry.reason)
        else:
            reason = "its fields are of no known format" if isinstance(entry, dict) else "not an object with fields"
            self.leave_out(place, length_of(entry), reason)

    def reject(self, place: int, entry: Entry, form: Format, reason: str) -> int:
        """Note an entry that is no post, with the fields of its format only: none of them names a person."""
        try:
            text = as_text(impersonal(entry, form.kept))
        except RecursionError:
            return self.leave_out(place, 0, "too many levels")
        self._rejected.append(Rejected(text, f"{self.name}:{place}: {reason}"))
        return len(text)

    def leave_out(self, place: int, length: int, reason: str) -> int:
        """Note what is no entry: anything in it may be a name, so only its place and length are kept."""
        text = f"{self.name}, {self.unit} {place}: {length:,} characters"
        self._unparsed.append(Rejected(text, f"{self.name}:{place}: {reason}"))
        return len(text)


def size_of(entry: Any) -> int:
    """The bytes of a line, or the characters of the texts in an entry."""
    if isinstance(entry, bytes):
        return len(entry)
    return sum(len(text) for text in entry.values() if isinstance(text, str)) if isinstance(entry, dict) else 0


def post_of(form: Format, to_post: Callable[[Entry], Post], entry: Entry) -> Post | NoPost:
    """What to_post makes of an entry of a format."""
    try:
        return to_post(entry)
    except ValidationError as error:
        return NoPost(one_line(error))
    except KeyError as error:
        return NoPost(f"{error.args[0]}: {MISSING}")
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        return NoPost(f"not as {form.label} are ({type(error).__name__})")
    except ValueError as error:
        return NoPost(quoted_nowhere(error))


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
