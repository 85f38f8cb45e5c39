"""Checks entries of a file and stores them in large batches: a file of any size in the same memory."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from ingest.errors import IngestError
from ingest.formats import Format, impersonal, unfolded
from ingest.parsed import Rejected, one_line
from ingest.reading import DamagedError, Entries, Unreadable
from ingest.store import row_of

# Entries and characters per transaction. Each transaction looks through the keys of all stored posts, so few are fast.
BATCH = 25_000
BATCH_CHARACTERS = 16_000_000


@dataclass
class Batch:
    """What some entries of a file turned out to be.

    entries: how many of the file were read, counted from its start.
    fetched: how many entries this batch holds, those of pages one by one.
    rows: the posts as rows of the table, by match_url. Of several versions of a post the last one counts.
    repeated: how many versions were replaced by a later one.
    skipped: how many are no posts, by what they are instead.
    """

    entries: int = 0
    fetched: int = 0
    rows: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    repeated: int = 0
    other_days: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)


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

    def batches(self, entries: Entries, done: int = 0) -> Iterator[Batch]:
        """Batches of the entries, without the first ones that are done already.

        Raises IngestError after the last batch if the file can not be read to its end.
        """
        batch, characters, count = Batch(), 0, 0
        current, failure = self.formats[0], list[IngestError]()
        for place, entry in until_failure(entries, failure):
            count += 1
            if count <= done:
                continue
            if isinstance(entry, dict) and current.knows(entry):
                characters += self.take(batch, current, place, entry)
            else:
                for part in unfolded(entry) if self.format_of(entry) is None else (entry,):
                    current = self.format_of(part) or current
                    characters += self.take(batch, current, place, part)
            if batch.fetched >= BATCH or characters >= BATCH_CHARACTERS:
                batch.entries = count
                yield batch
                batch, characters = Batch(), 0
        batch.entries = count
        if failure and isinstance(failure[0], DamagedError):
            # Lines that can not be parsed shortly before the damage are part of it.
            batch.rejected = [rejected for rejected in batch.rejected if isinstance(rejected.entry, dict)]
        yield batch
        if failure:
            raise failure[0]

    def format_of(self, entry: Any) -> Format | None:
        """The format of an entry, None if it is of none."""
        return next((known for known in self.formats if known.knows(entry)), None) if isinstance(entry, dict) else None

    def take(self, batch: Batch, current: Format, place: int, entry: Any) -> int:
        """Add an entry to a batch; returns its number of characters, roughly."""
        if entry is None:
            batch.skipped["missing items (null)"] += 1
            batch.fetched += 1
            return 0
        batch.fetched += 1
        try:
            if isinstance(entry, Unreadable):
                return self.reject(batch, place, None, entry.reason, entry.length)
            if not isinstance(entry, dict):
                return self.reject(batch, place, None, "not an object with fields", len(str(entry)))
            if not current.knows(entry):
                return self.reject(batch, place, None, "its fields are of no known format", len(str(entry)))
            post = current.to_post(entry)
        except ValidationError as error:
            return self.reject(batch, place, impersonal(entry, current.kept), one_line(error))
        except KeyError as error:
            return self.reject(batch, place, impersonal(entry, current.kept), f"{error.args[0]}: Field required")
        except (TypeError, AttributeError, OverflowError, RecursionError) as error:
            reason = f"not as {current.label} are ({type(error).__name__})"
            return self.reject(batch, place, impersonal(entry, current.kept), reason)
        except ValueError as error:
            return self.reject(batch, place, impersonal(entry, current.kept), quoted_nowhere(error))
        if isinstance(post, str):
            batch.skipped[post] += 1
        elif self.only and post.source not in self.only:
            batch.skipped["posts of other sources"] += 1
        elif self.day and post.collection_date != self.day:
            batch.other_days += 1
        else:
            batch.repeated += post.match_url in batch.rows
            batch.rows[post.match_url] = row_of(post)
            return 300 + len(post.body or "")
        return 0

    def reject(self, batch: Batch, place: int, kept: Any, reason: str, length: int = 0) -> int:
        """Add what could not be read, without the name of its author, or without anything if it could not be parsed."""
        if kept is None:
            kept = f"{self.name}, {self.unit} {place}: {length:,} characters"
        batch.rejected.append(Rejected(kept, f"{self.name}:{place}: {reason}"))
        return 1_000


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
