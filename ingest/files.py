"""Imports files of posts: python -m ingest --file F…, of every format that ingest.formats declares."""

import glob
import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from groundswell.clock import this_second
from groundswell.database import one_transaction, write_errors
from ingest.bulk import Batch, Reader, counted
from ingest.checking import check
from ingest.day_order import parts, with_days
from ingest.errors import IngestError
from ingest.formats import COLUMNS, Format, folded, formats, knows_own, knows_row, table, unfolded
from ingest.opening import UNREADABLE, Content, binary, opened, spooled
from ingest.reading import (
    Entries,
    ahead,
    guarded,
    header_of,
    parsed,
    read_lines,
    read_parquet,
    read_rows,
    read_table,
    read_values,
    starts_with_json,
)
from ingest.report import LISTED_REJECTS, Report
from ingest.sources import source_at
from ingest.store import Stored, forget_progress, keep_rejected, progress_of, save_progress, upsert_rows

# A checkpoint comes when so many new posts are stored, if none was updated. DuckDB starts a group of rows after a
# checkpoint. A group has 122,880 rows at most, so with a batch more this many fit into one; and a later checkpoint
# writes no group again that is full to three quarters.
CHECKPOINT_POSTS = 95_000
# The size of the log at which a checkpoint comes in any case. Each one writes the groups again in which posts were
# updated, so they are few.
CHECKPOINT = "256MB"
# A checkpoint comes, too, when DuckDB holds so many bytes of changed posts and of texts of more than 4 KB: until then
# they stay in its memory, and can not go to the disk.
HELD = 64_000_000
# DuckDB's own memory in bytes while files are imported. Short posts since the last checkpoint that have no room go to
# the disk and back. Posts that are on their way stand in Python's memory as well.
MEMORY = 192_000_000
# To write a group of rows again, DuckDB reads the texts of 2,048 posts at once: the stored ones, and those that replace
# them; and as much stays beside them.
AT_ONCE = 3 * 2_048
# DuckDB's largest memory in bytes: 2,048 posts of 500 KB at once. An import that needs more ends.
MOST_MEMORY = 16 * MEMORY
# What a table of posts as this command stores them has at least.
OWN_KEYS = {"source", "url", "created_at"}
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
                " source, as --columns source=reddit"
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
        if b"<posts" not in head[:2_000]:
            raise IngestError(f"{name} is XML or HTML, but not the Posts.xml of a Stack Exchange dump")
        rows = [form for form in known if form.knows is knows_row]
        return Source(f"{content.packed}XML, {rows[0].label}", rows, read_rows(content.stream), "row")
    if shape := starts_with_json(content):
        read = read_lines if shape == "lines" else read_values
        kind, unit = ("JSON lines", "line") if shape == "lines" else ("JSON", "entry")
        label, known = of_json(name, first_entries(read, head), known, chosen)
        return Source(f"{content.packed}{kind}, {label}", known, read(content.stream), unit)
    if header := header_of(head):
        names, delimiter, encoding = header
        label, names, known = of_columns(name, names, known, chosen)
        kind = "TSV" if delimiter == "\t" else "CSV"
        kind += "" if encoding == "utf-8" else f" in {encoding}"
        entries = read_table(content.stream, encoding, delimiter, names)
        return Source(f"{content.packed}{kind}, {label}", known, entries, "line")
    raise IngestError(f"{name} is no file of posts: neither JSON, CSV, Parquet nor a dump that is known")


def first_entries(read: Any, head: bytes) -> list[dict[str, Any]]:
    """The first objects of a text of JSON, those of pages one by one."""
    found: list[dict[str, Any]] = []
    try:
        for _, each in read(BytesIO(head)):
            entry = parsed(each)
            found += [part for part in unfolded(entry) if isinstance(part, dict)]
            if isinstance(entry, dict):
                found.append(entry)
            if len(found) >= LOOKED_AT:
                break
    except IngestError:
        pass  # the head ends within an entry
    return found


def of_json(
    name: str, first: Sequence[dict[str, Any]], known: Sequence[Format], chosen: Mapping[str, str]
) -> tuple[str, Sequence[Format]]:
    """What a text of JSON was taken for, and its formats. Raises IngestError."""
    fields = list(dict.fromkeys(field for entry in first for field in entry))
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
    connection: duckdb.DuckDBPyConnection, name: str, wanted: Wanted, progress: Progress | None = None
) -> Report:
    """Store the posts of a file. Raises IngestError if nothing of it can be read.

    Of several versions of a post in a file, the last one is stored.
    """
    shown = "standard input" if name == "-" else name
    report, moment, skipped = Report(Path(shown).name), this_second(), Counter[str]()
    memory = limited(connection, MEMORY)
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

        def keep(batch: Batch) -> None:
            nonlocal memory
            memory = with_room(connection, batch.posts, memory)
            memory = store(connection, batch, report, moment, mark, memory)
            skipped.update(batch.skipped)
            if progress and task is not None:
                progress.update(task, completed=content.position())

        reader = Reader(shown, source.unit, source.formats, wanted.day, wanted.only)
        try:
            check(content, reader, source.entries, done, keep)
        except IngestError as error:
            report.errors.append(f"can not be read: {error}; the posts before that are stored")
        if mark and not report.errors:
            forget_progress(connection, mark)
    if skipped:
        log.info("%s: skipped %s", shown, counted(skipped.items()))
    return report


def store(
    connection: duckdb.DuckDBPyConnection, batch: Batch, report: Report, moment: datetime, mark: str | None, memory: int
) -> int:
    """Store a batch in one transaction, together with how far the file was read. Raises DatabaseError.

    memory: the bytes that DuckDB has. Returns what it has then: more, if the texts that the batch replaces need it.
    """
    rejected = [*batch.rejected, *batch.unparsed]

    def write() -> Stored:
        with one_transaction(connection):
            stored = upsert_rows(connection, batch.posts, moment)
            keep_rejected(connection, "file", report.name, rejected, frozenset(), moment)
            if mark:
                save_progress(connection, mark, batch.entries)
        return stored

    with write_errors():
        while True:
            try:
                stored = write()
                break
            except duckdb.OutOfMemoryException:
                if memory >= MOST_MEMORY:
                    raise
                memory = limited(connection, 2 * memory)
    report.stored = report.stored.plus(stored)
    if holds_much(connection) or (not report.stored.updated and many_new(connection, stored.new)):
        with write_errors():
            connection.execute("checkpoint")
    report.repeated += batch.repeated
    report.fetched += batch.fetched
    report.skipped += batch.skipped.total()
    report.other_days += batch.other_days
    listed = rejected[: max(LISTED_REJECTS - len(report.rejected), 0)]
    report.rejected += [entry.reason for entry in listed]
    report.unlisted_rejects += len(rejected) - len(listed)
    return memory


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


def holds_much(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether DuckDB holds HELD bytes that can not leave its memory before a checkpoint."""
    [(held,)] = connection.execute(
        "select sum(memory_usage_bytes) from duckdb_memory() where tag in ('ALLOCATOR', 'OVERFLOW_STRINGS')"
    ).fetchall()
    return bool(held >= HELD)


def many_new(connection: duckdb.DuckDBPyConnection, new: int) -> bool:
    """Whether these new posts were the last ones of CHECKPOINT_POSTS."""
    [(posts,)] = connection.execute(
        "select estimated_size from duckdb_tables() where schema_name = 'bronze' and table_name = 'raw_items'"
    ).fetchall()
    return bool(posts // CHECKPOINT_POSTS > (posts - new) // CHECKPOINT_POSTS)


def import_files(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], wanted: Wanted, console: Console
) -> list[Report]:
    """Store the posts of files, one after the other. Raises IngestError if none of them can be read.

    A file that can not be read is named, and the others are read.
    """
    # One thread is enough to store what another one reads, and takes less memory than several.
    connection.execute(f"set checkpoint_threshold = '{CHECKPOINT}'; set threads = 1")
    reports, refused = [], []
    with shown_progress(console) as progress:
        for name in expanded(names):
            try:
                reports.append(import_file(connection, name, wanted, progress))
            except IngestError as error:
                refused.append(error)
                reports.append(Report(Path(name).name, errors=[str(error)]))
    if len(refused) == len(reports):
        raise IngestError("; ".join(map(str, refused)))
    return reports


@contextmanager
def shown_progress(console: Console) -> Iterator[Progress | None]:
    """A bar for each file on a terminal; None without one."""
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield progress
