"""Imports files of posts: python -m ingest --file F…, of every format that ingest.formats declares."""

import glob
import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from rich.console import Console

from groundswell.clock import this_second
from groundswell.database import write_errors
from ingest.bulk import Batch, Reader, counted
from ingest.day_order import parts, with_days
from ingest.errors import IngestError
from ingest.formats import COLUMNS, Entry, Format, folded, formats, knows_feed, knows_own, knows_row, table
from ingest.meanwhile import MMAP_THRESHOLD, by_a_copy, call_c
from ingest.opening import UNREADABLE, Content, binary, opened, spooled
from ingest.reading import (
    Entries,
    ahead,
    guarded,
    header_of,
    read_lines,
    read_parquet,
    read_rows,
    read_table,
    read_values,
    starts_with_json,
)
from ingest.report import LISTED_REJECTS, Report
from ingest.sources import feeds, source_at
from ingest.store import (
    NAMED_SCHEMA,
    REJECTS_SCHEMA,
    Stored,
    forget_progress,
    hashed,
    keep_rejected,
    progress_of,
    save_progress,
    upsert_rows,
)

if TYPE_CHECKING:
    from rich.progress import Progress

# A transaction ends with so many posts, or with so many bytes of them. DuckDB merges small groups of rows later and
# writes them again, but not groups of this many.
TRANSACTION_POSTS = 95_000
TRANSACTION_BYTES = 128_000_000
# A transaction that adds so many bytes goes into the file itself, with a checkpoint, and not into the log first. DuckDB
# counts about 100 bytes for each post, however long it is.
CHECKPOINT = "4MB"
# A transaction ends, too, when DuckDB holds so many bytes of texts of more than 4 KB: until then they stay in its
# memory, and can not go to the disk.
HELD = 64_000_000
# The bytes that DuckDB uses, and those of them that stay in its memory until a checkpoint.
MEMORY_USED = """
select sum(memory_usage_bytes), sum(memory_usage_bytes) filter (where tag in ('ALLOCATOR', 'OVERFLOW_STRINGS'))
from duckdb_memory()
"""
# From this part of its memory on, DuckDB drops what it has read, and its allocator keeps what is free. To set the limit
# again gives that back.
NEARLY_ALL = 0.9
# DuckDB's own memory in bytes while files are imported. Short posts of a transaction that have no room go to the disk
# and back. Posts that are on their way stand in Python's memory as well.
MEMORY = 192_000_000
# To write texts, DuckDB has those of 2,048 posts at once, and needs as much beside them; the same where it reads those
# that it replaces.
AT_ONCE = 3 * 2_048
# DuckDB's largest memory in bytes: 2,048 posts of 500 KB at once. An import that needs more ends.
MOST_MEMORY = 16 * MEMORY
# What a table of posts as this command stores them has at least.
OWN_KEYS = {"source", "url", "created_at"}
# The first element of an RSS or Atom feed, and of Posts.xml.
FEED = re.compile(rb"<(?:\w+:)?(?:rss|feed|RDF)[\s>]")
POSTS = re.compile(rb"<(?:\w+:)?posts[\s>/]")
# Entries at the start of a file by which its format is told.
LOOKED_AT = 500

log = logging.getLogger("groundswell.ingest.files")
log.setLevel(logging.INFO)


@dataclass
class Wanted:
    """What to import of the files.

    day, only: the day and the sources to keep; None and empty for all.
    columns: the column of each field, as the user named it.
    day_first: of times as 05/06/2026, whether the day stands before the month; None to tell it by the file.
    """

    day: date | None = None
    only: Sequence[str] = ()
    columns: Mapping[str, str] | None = None
    day_first: bool | None = None


def parse_columns(text: str) -> dict[str, str]:
    """`title=headline,body=text` by field. Raises ValueError."""
    chosen = {}
    for pair in text.split(","):
        field, separator, column = pair.strip().partition("=")
        if not separator or field not in COLUMNS or not column:
            raise ValueError(f"{pair.strip()!r} is not FIELD=COLUMN with one of {', '.join(COLUMNS)}")
        chosen[field] = column
    return chosen


def expanded(names: Sequence[str]) -> list[str]:
    """The files that patterns match, in order of name; any other name as it is."""
    files: list[str] = []
    for name in names:
        matching = sorted(glob.glob(name)) if not Path(name).exists() else []  # noqa: PTH207  (a Path can not hold a pattern from the root)
        files += [file for file in matching if Path(file).is_file()] or [name]
    return list(dict.fromkeys(files))


@dataclass
class Source:
    """The entries of a file, and what it was taken for."""

    taken_for: str
    formats: Sequence[Format]
    entries: Entries
    unit: str

    def of_known_sources(self, name: str) -> "Source":
        """The same, if its posts say of which source they are. Raises IngestError for a table that does not."""
        address = self.formats[0].address
        if not address:
            return self
        first, entries = ahead(self.entries, LOOKED_AT)
        addresses = [part.get(address) for _, part in parts(first, self.formats)]
        if addresses and not any(map(source_at, addresses)):
            raise IngestError(
                f"{name}: no column holds the source of a post, and no address is at a site of a source: name the"
                " source, as --columns source=feeds for other sites"
            )
        return replace(self, entries=entries)


def recognised(stack: ExitStack, name: str, content: Content, chosen: Mapping[str, str]) -> Source:
    """Tell the format of a file by its content. Raises IngestError if it is none of ours."""
    known: Sequence[Format] = formats(content.names)
    head = content.head
    if not head.strip():
        raise IngestError(f"{name} is empty")
    if head.startswith(b"PAR1"):
        file = spooled(stack, content.stream) if content.packed or content.size is None else content.stream
        return from_parquet(stack, name, content, file, known, chosen)
    if what := binary(head):
        raise IngestError(f"{name} holds {content.packed}{what}: it can not be read")
    if head.lstrip().startswith(b"<"):
        if FEED.search(head, 0, 2_000):
            entries = feed_entries(name, content.stream)
            return Source(
                f"{content.packed}a feed", [form for form in known if form.knows is knows_feed], entries, "entry"
            )
        if not POSTS.search(head, 0, 2_000):
            raise IngestError(f"{name} is XML or HTML, but neither a feed nor the Posts.xml of a Stack Exchange dump")
        rows = [form for form in known if form.knows is knows_row]
        return Source(f"{content.packed}XML, {rows[0].label}", rows, read_rows(content.stream), "row")
    if shape := starts_with_json(content):
        read = read_lines if shape == "lines" else read_values
        kind, unit = ("JSON lines", "line") if shape == "lines" else ("JSON", "entry")
        first, entries = first_entries(read(BytesIO(head)), known), guarded(read(content.stream))
        if not first:
            # The first entry may be longer than the head.
            begun, entries = ahead(entries, 1)
            first = first_entries(iter(begun), known)
        label, known = of_json(name, first, known, chosen)
        return Source(f"{content.packed}{kind}, {label}", known, entries, unit)
    if header := header_of(head):
        names, delimiter, encoding = header
        label, names, known = of_columns(name, names, known, chosen)
        kind = "TSV" if delimiter == "\t" else "CSV"
        kind += "" if encoding == "utf-8" else f" in {encoding}"
        entries = read_table(content.stream, encoding, delimiter, names)
        return Source(f"{content.packed}{kind}, {label}", known, entries, "line")
    raise IngestError(f"{name} is no file of posts: neither JSON, CSV, Parquet nor a dump that is known")


def feed_entries(name: str, stream: IO[bytes]) -> Entries:
    """The entries of an RSS or Atom feed. Raises IngestError."""
    body = stream.read(feeds.SOURCE.largest + 1)
    if len(body) > feeds.SOURCE.largest:
        raise IngestError(f"{name} is a feed of more than {feeds.SOURCE.largest >> 20} MB: it can not be read")
    try:
        entries = feeds.entries_in(feeds.decode(body))
    except ValueError as error:
        raise IngestError(f"{name} can not be read as a feed: {error}") from None
    if not entries:
        raise IngestError(f"{name} is a feed without entries, or breaks off before the first one")
    return iter([*enumerate(entries, 1)])


def first_entries(entries: Entries, known: Sequence[Format]) -> list[Entry]:
    """The first objects of a text of JSON, those of pages one by one."""
    # The text may end within an entry.
    first, _ = ahead(entries, LOOKED_AT)
    return [part for _, part in islice(parts(first, known), LOOKED_AT)]


def of_json(
    name: str, first: Sequence[Entry], known: Sequence[Format], chosen: Mapping[str, str]
) -> tuple[str, Sequence[Format]]:
    """What a text of JSON was taken for, and its formats. Raises IngestError."""
    fields = list(dict.fromkeys(field for entry in first for field in entry))
    if not fields:
        raise IngestError(f"{name} begins as JSON does, but no object with fields can be read at its start")
    if not chosen:
        labels = Counter(next((form.label for form in known if form.knows(entry)), None) for entry in first)
        labels.pop(None, None)
        if labels:
            return " and ".join(label or "" for label, _ in labels.most_common()), known
    if form := table(fields, chosen):
        return form.label, [form]
    raise unknown(name, "JSON", fields)


def of_columns(
    name: str, names: list[str], known: Sequence[Format], chosen: Mapping[str, str]
) -> tuple[str, list[str], Sequence[Format]]:
    """What a table was taken for, the names of its columns, and its formats. Raises IngestError."""
    if not chosen:
        for variant in (names, [folded(column) for column in names]):
            form = next((form for form in known if form.knows(dict.fromkeys(variant))), None)
            # A table with a source may have other names for the rest, as Created At.
            if form and (form.knows is not knows_own or {*variant} >= OWN_KEYS):
                return form.label, variant, [form]
    if form := table(names, chosen):
        return form.label, names, [form]
    raise unknown(name, "a table", names)


def unknown(name: str, kind: str, fields: Sequence[str]) -> IngestError:
    """The error for a file whose fields do not make a post."""
    listed = ", ".join(fields[:12]) + ("…" if len(fields) > 12 else "")
    return IngestError(
        f"{name} is {kind}, but a post needs an address, a time, and a title or text; it has: {listed or 'nothing'}."
        " Name the columns, as --columns url=link,created_at=day,title=headline"
    )


def from_parquet(
    stack: ExitStack, name: str, content: Content, file: Any, known: Sequence[Format], chosen: Mapping[str, str]
) -> Source:
    """The rows of a Parquet file. Raises IngestError."""
    import pyarrow.parquet as pq

    if file is content.stream:
        file = stack.enter_context(Path(name).open("rb"))
    try:
        columns = pq.read_schema(file).names
    except (*UNREADABLE, pa.ArrowException) as error:
        raise IngestError(f"{name} can not be read: {' '.join(str(error).split())}") from error
    file.seek(0)
    label, names, known = of_columns(name, columns, known, chosen)
    wanted = [
        (column, renamed)
        for column, renamed in zip(columns, names, strict=True)
        if known[0].columns is None or renamed in known[0].columns
    ]
    entries = read_parquet(file, [column for column, _ in wanted], [renamed for _, renamed in wanted])
    return Source(f"{content.packed}Parquet, {label}", known, entries, "row")


def fingerprint(name: str, content: Content, wanted: Wanted) -> str | None:
    """A hash of a file and of what is wanted of it, by which a killed import is found again; None for a pipe."""
    if content.size is None:
        return None
    facts = (
        content.size,
        Path(name).stat().st_mtime_ns,
        str(wanted.day),
        sorted(wanted.only),
        wanted.columns,
        wanted.day_first,
    )
    return hashlib.sha256(content.head + repr(facts).encode()).hexdigest()


def import_file(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    wanted: Wanted,
    report: Report,
    memory: int,
    progress: "Progress | None" = None,
) -> None:
    """Store the posts of a file. Raises duckdb.Error, and IngestError if nothing of the file can be read.

    Of several versions of a post in a file, the last one is stored. memory: the bytes that DuckDB has for it.
    """
    shown = "standard input" if name == "-" else name
    with ExitStack() as stack:
        content = stack.enter_context(opened(name))
        source = recognised(stack, shown, content, wanted.columns or {})
        source = replace(source, entries=guarded(source.entries)).of_known_sources(shown)
        source = replace(source, entries=with_days(source.entries, shown, wanted.day_first, source.formats))
        log.info("%s: %s", shown, source.taken_for)
        mark = fingerprint(name, content, wanted)
        done = progress_of(connection, mark) if mark else 0
        if done:
            log.info("%s: goes on after %s entries, which an earlier run stored", shown, f"{done:,}")
        task = progress.add_task(report.name, total=content.size) if progress else None

        store = Store(connection, report, limited(connection, memory), mark)

        reader = Reader(shown, source.unit, source.formats, wanted.day, wanted.only)
        batches = ((batch, content.position()) for batch in reader.batches(source.entries, done))
        try:
            with closing(by_a_copy(batches)) as read:
                for batch, position in read:
                    store.keep(batch)
                    if progress and task is not None:
                        progress.update(task, completed=position)
        except IngestError as error:
            report.errors.append(f"can not be read: {error}; the posts before that are stored")
        store.commit(is_last=not report.errors)
    if store.skipped:
        log.info("%s: skipped %s", shown, counted(store.skipped.items()))


def import_with_room(
    connection: duckdb.DuckDBPyConnection, name: str, wanted: Wanted, report: Report, progress: "Progress | None"
) -> None:
    """Store the posts of a file, with more memory if they need it; see import_file."""
    memory = MEMORY
    while True:
        try:
            import_file(connection, name, wanted, report, memory, progress)
            return
        except BaseException as error:
            # Also after Ctrl-C: nothing that comes later may see, or publish to a lake, what is half stored.
            with suppress(duckdb.Error):
                connection.rollback()
            # What is stored can be long, too. The import goes on where it was; a pipe can not be read again.
            if not isinstance(error, duckdb.OutOfMemoryException) or memory >= MOST_MEMORY or not Path(name).is_file():
                raise
            memory *= 2


@dataclass
class Store:
    """Stores the batches of a file, many in one transaction, each together with how far the file was read.

    memory: the bytes that DuckDB has.
    mark: the file, by which a killed import is found again; None for a pipe.
    batches: those of the open transaction, without their posts and entries; size: the bytes of these.
    """

    connection: duckdb.DuckDBPyConnection
    report: Report
    memory: int
    mark: str | None
    moment: datetime = field(default_factory=this_second)
    batches: list[Batch] = field(default_factory=list)
    stored: Stored = field(default_factory=Stored)
    size: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def keep(self, batch: Batch) -> None:
        """Store a batch; it is committed with others. Raises duckdb.Error; the transaction is then still open."""
        self.memory = with_room(self.connection, batch.posts, self.memory)
        if not self.batches:
            self.connection.begin()
        self.stored = self.stored.plus(upsert_rows(self.connection, hashed(batch.posts), self.moment))
        keep_rejected(self.connection, "file", self.report.name, batch.rejects, self.moment)
        self.report.days |= set(batch.posts["created_at"].cast(pa.date32()).unique().to_pylist())
        self.size += batch.posts.nbytes + batch.rejects.nbytes
        self.batches.append(replace(batch, posts=NAMED_SCHEMA.empty_table(), rejects=REJECTS_SCHEMA.empty_table()))
        [(used, held)] = self.connection.execute(MEMORY_USED).fetchall()
        if (
            sum(batch.fetched for batch in self.batches) >= TRANSACTION_POSTS
            or self.size >= TRANSACTION_BYTES
            or held >= HELD
        ):
            self.commit()
        elif used >= NEARLY_ALL * self.memory:
            limited(self.connection, self.memory)

    def commit(self, *, is_last: bool = False) -> None:
        """Commit the batches so far, and report them; is_last: whether the file was read to its end.

        Raises duckdb.Error.
        """
        if self.mark and is_last:
            forget_progress(self.connection, self.mark)
        elif self.mark and self.batches:
            save_progress(self.connection, self.mark, self.batches[-1].entries)
        if self.batches:
            self.connection.commit()
            limited(self.connection, self.memory)
        report = self.report
        report.stored = report.stored.plus(self.stored)
        for batch in self.batches:
            report.repeated += batch.repeated
            report.fetched += batch.fetched
            report.skipped += batch.skipped.total()
            report.other_days += batch.other_days
            self.skipped.update(batch.skipped)
            listed = batch.reasons[: max(LISTED_REJECTS - len(report.rejected), 0)]
            report.rejected += listed
            report.unlisted_rejects += batch.rejected - len(listed)
        self.batches, self.stored, self.size = [], Stored(), 0


def with_room(connection: duckdb.DuckDBPyConnection, posts: pa.Table, memory: int) -> int:
    """Give DuckDB more memory than this many bytes if the bodies of the posts need it; returns what it has then."""
    needed: int = HELD + AT_ONCE * posts["body"].nbytes // max(posts.num_rows, 1)
    return limited(connection, min(needed, MOST_MEMORY)) if needed > memory else memory


def limited(connection: duckdb.DuckDBPyConnection, memory: int) -> int:
    """Give DuckDB this many bytes of memory; returns their number."""
    # Less than it holds can not be had. That is so if the file before had long texts.
    with suppress(duckdb.OutOfMemoryException):
        connection.execute(f"set memory_limit = '{memory}B'")
    return memory


def import_files(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], wanted: Wanted, console: Console
) -> list[Report]:
    """Store the posts of files, one after the other. Raises IngestError if none of them can be read.

    A file that can not be read is named, and the others are read.
    """
    give_memory_back()
    # One thread is enough to store what another one reads, and takes less memory than several. To merge groups of rows
    # at a checkpoint takes memory beyond any limit (findings/duckdb_merges_rows_beyond_its_memory_limit.sh): the next
    # command's checkpoint does it.
    connection.execute(f"set checkpoint_threshold = '{CHECKPOINT}'; set threads = 1; set max_vacuum_tasks = 0")
    reports, refused = [], []
    with shown_progress(console) as progress:
        for name in expanded(names):
            reports.append(report := Report("standard input" if name == "-" else Path(name).name))
            try:
                with write_errors():
                    import_with_room(connection, name, wanted, report, progress)
            except IngestError as error:
                refused.append(error)
                report.errors.append(str(error))
    if len(refused) == len(reports):
        raise IngestError("; ".join(map(str, refused)))
    return reports


def give_memory_back() -> None:
    """Let large pieces of memory go back to the system as soon as nothing holds them."""
    # Arrow's own allocators keep what a table has left.
    pa.set_memory_pool(pa.system_memory_pool())
    # So does the GNU C library: of DuckDB's blocks of 256 KB, up to 100 MB.
    call_c("mallopt", MMAP_THRESHOLD, 200_000)


@contextmanager
def shown_progress(console: Console) -> "Iterator[Progress | None]":
    """A bar for each file on a terminal; None without one."""
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield progress
