"""Reads the entries of a text, of a table or of XML one by one, so that a file of any size fits in memory."""

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import IO, Any, NamedTuple
from unicodedata import name as name_of

import orjson
import pyarrow as pa

from ingest.errors import IngestError
from ingest.opening import UNREADABLE, Content

# The longest entry. Real posts have up to 0.2 MB with all their fields, and an event of GH Archive up to 25 MB.
LONGEST = 64 << 20
# The longest field of a table, in characters. A quote that is never closed would take the rest of the file.
LONGEST_FIELD = 8 << 20
# Rows of Parquet that are turned into Python at once.
ROWS = 1_000
PART = 1 << 20
# A text that is not JSON by its first bytes is looked at as a table with one of these between the fields.
DELIMITERS = ",\t;|"
BETWEEN = re.compile(r"[\s,\[\]]*")
# Lines above the header of a table, as its title, a date and a note.
MOST_TITLES = 3
# Characters at the start of a table by which it is told how quotes within fields are written.
SAMPLE = 1 << 18
# What XML 1.0 forbids: control characters, as bytes or as references, and references to halves of a pair or to no
# character. Dumps of Stack Exchange hold what people paste.
CONTROLS = bytes({*range(32)} - {9, 10, 13})
FORBIDDEN = re.compile(
    rb"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef])|0*(?:[0-8]|1[124-9]|2\d|3[01]));", re.IGNORECASE
)
LONGEST_REFERENCE = 16


class Unreadable(NamedTuple):
    """What could not be parsed: its length in bytes or characters, and the reason, which holds none of it."""

    length: int
    reason: str


# A place in the file, as a line or the number of the entry, and what stands there: of a line of JSON its bytes (see
# parsed).
Entries = Iterator[tuple[int, Any]]


def nothing(name: str) -> None:
    """None, for NaN and infinities, which are no JSON: pandas writes them for what is missing."""


NOT_A_NUMBER = json.JSONDecoder(parse_constant=nothing)


def reason_of(error: Exception) -> str:
    """The reason of an error in one line, without what was read: a message may quote it."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}"
    if isinstance(error, RecursionError):
        return "not JSON: too many levels"
    if isinstance(error, UnicodeDecodeError):
        return f"not JSON: not UTF-8 at byte {error.start + 1}"
    return f"not JSON: {type(error).__name__}"


# What orjson refuses and Python's parser takes: NaN and infinities, and half a pair of surrogates.
LENIENT = (b"NaN", b"Infinity", rb"\ud", rb"\uD")


def loads(line: bytes) -> Any:
    """A line of JSON, or why it is none. NaN becomes None."""
    try:
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError as error:
            # Files that were joined have marks of their encoding within.
            if line.startswith(codecs.BOM_UTF8):
                return loads(line.removeprefix(codecs.BOM_UTF8))
            if error.pos < len(line) - 1 and any(map(line.__contains__, LENIENT)):
                return NOT_A_NUMBER.decode(line.decode())
            raise
    except (ValueError, RecursionError) as error:
        return Unreadable(len(line), reason_of(error))


def parsed(entry: Any) -> Any:
    """What stands at a place: a line of JSON is parsed, anything else is as it is."""
    return loads(entry) if isinstance(entry, bytes) else entry


def read_lines(stream: IO[bytes]) -> Entries:
    """The lines of a text that are not blank; of a line that is too long only its length. The place is the line."""
    number, length, readline = 0, 0, stream.readline
    while line := readline(LONGEST):
        if length or (len(line) == LONGEST and not line.endswith(b"\n")):
            length += len(line)
            if line.endswith(b"\n"):
                number += 1
                yield number, Unreadable(length, f"longer than {LONGEST >> 20} MB")
                length = 0
            continue
        number += 1
        if not line.isspace():
            yield number, line
    if length:
        yield number + 1, Unreadable(length, f"longer than {LONGEST >> 20} MB")


def read_values(stream: IO[bytes]) -> Entries:
    """JSON over several lines: an array, or one value after the other. The place is the number of the value.

    Raises IngestError where the text is no JSON, or ends within a value: there is no way to find the next one.
    """
    text = io.TextIOWrapper(stream, "utf-8", errors="replace")
    buffer, position, number, depth, part, ended = "", 0, 0, 0, PART, False
    while True:
        between = BETWEEN.match(buffer, position)
        start = between.end() if between else position
        if start < len(buffer):
            try:
                value, end = NOT_A_NUMBER.raw_decode(buffer, start)
            except RecursionError:
                raise IngestError(f"entry {number + 1} has too many levels") from None
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos >= len(buffer) - 8
                if not cut or len(buffer) - start > LONGEST:
                    at = "" if cut else f" at character {error.pos - start + 1}"
                    reason = f"longer than {LONGEST >> 20} MB" if cut else f"not JSON: {error.msg}{at}"
                    raise IngestError(f"entry {number + 1} is {reason}") from None
            else:
                # A number at the end of the buffer may go on in the next part.
                if end < len(buffer) or ended or isinstance(value, dict | list | str):
                    separators = buffer[position:start]
                    depth += separators.count("[") - separators.count("]")
                    number += 1
                    yield number, value
                    position = end
                    continue
        if ended:
            break
        more = text.read(part)
        ended = not more
        # An entry that is long is tried again with twice as much, not with a little more each time.
        part = PART if position else min(2 * part, LONGEST)
        buffer, position = buffer[position:] + more, 0
    if start < len(buffer) or depth + buffer.count("[", position) - buffer.count("]", position) > 0:
        raise IngestError(f"it ends in the middle, after entry {number:,}")


def read_table(stream: IO[bytes], encoding: str, delimiter: str, columns: Sequence[str]) -> Entries:
    """CSV or TSV without its header. Empty fields are None. The place is the line on which the row ends."""
    csv.field_size_limit(LONGEST_FIELD)
    text = io.TextIOWrapper(stream, encoding, errors="replace", newline="")
    names, width = tuple(columns), len(columns)
    sample = text.read(SAMPLE) + text.readline()
    written = quotes_of(sample, delimiter, width)
    rows = csv.reader(chain(io.StringIO(sample, newline=""), text), delimiter=delimiter, **written)
    if SEPARATOR_LINE.match(sample):
        next(rows, None)
    first_row(rows)
    while True:
        try:
            for row in rows:
                if len(row) == width:
                    yield rows.line_num, {name: field or None for name, field in zip(names, row, strict=True)}
                elif row:
                    # Which field is the author's can not be told.
                    reason = f"{len(row)} fields, where the first line has {width}"
                    yield rows.line_num, Unreadable(sum(map(len, row)) + len(row) - 1, reason)
            return
        except csv.Error as error:
            yield rows.line_num, Unreadable(0, f"not CSV: {error}")


# The first line by which a program tells Excel what stands between the fields.
SEPARATOR_LINE = re.compile(r'"?sep=[,\t;|]"?\r?\n', re.IGNORECASE)


def quotes_of(sample: str, delimiter: str, width: int) -> dict[str, Any]:
    r"""How a table writes quotes, as csv.reader takes it: in quotes as two, or after a backslash as Spark and MySQL do.

    Or a quote is like any other character, as in many files with tabs. sample: the start of a table of so many columns.
    """

    def good_rows(written: dict[str, Any]) -> int:
        count = 0
        with suppress(csv.Error):
            for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True, **written):
                count += len(row) == width
        return count

    ways: list[dict[str, Any]] = [{}]
    if '\\"' in sample:
        ways.append({"escapechar": "\\"})
    if delimiter == "\t" and '"' in sample:
        ways.append({"quoting": csv.QUOTE_NONE})
    return max(ways, key=good_rows) if len(ways) > 1 else ways[0]


# How much of a table tells its encoding.
ENCODED_BYTES = 64_000


def header_of(head: bytes) -> tuple[list[str], str, str] | None:
    """The columns of a CSV or TSV, its delimiter and its encoding; None if the first line is no header."""
    encoding = encoding_of(head)
    text = SEPARATOR_LINE.sub("", head.decode(encoding, "replace"), count=1)
    found: list[tuple[int, list[str], str]] = []
    for delimiter in DELIMITERS:
        try:
            header = first_row(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        except csv.Error:
            continue
        names = [name.strip() for name in header]
        # A header names most columns once, in few words. What is after the last column, as in a,b,,, has no name.
        if len({*names} - {""}) > 1 and all(len(name) <= 80 and not {*"\n{"} & {*name} for name in names):
            found.append((len(names), [*numbered_names(names)], delimiter))
    if not found:
        return None
    _, names, delimiter = max(found, key=lambda candidate: candidate[0])
    return names, delimiter, encoding


def encoding_of(head: bytes) -> str:
    """The encoding of the start of a table. It is UTF-8, or what charset-normalizer finds.

    Western letters alone do not tell one encoding from another. They are read as Windows writes them.
    """
    try:
        head.decode()
        return "utf-8"
    except UnicodeDecodeError as error:
        start = error.start
    # The head may end within a character.
    if start > len(head) - 4:
        return "utf-8"
    # Few files need it, and each command would take 20 ms to load it.
    from charset_normalizer import from_bytes

    # Whole lines from the first one that is not ASCII.
    line = head.rfind(b"\n", 0, start) + 1
    lines = head[line : line + ENCODED_BYTES]
    found = from_bytes(lines[: lines.rfind(b"\n") + 1] or lines).best()
    letters = {letter for letter in str(found or "") if letter.isalpha() and letter > "\xff"}
    western = all(name_of(letter, "").startswith("LATIN") for letter in letters)
    return "cp1252" if found is None or western else found.encoding


def first_row(rows: Iterator[list[str]]) -> list[str]:
    """The first row of several fields, which is the header; an empty one if there is none.

    Rows of one field above it are left out if they are few: people and programs write a title there.
    """
    titles = 0
    for row in rows:
        filled = sum(bool(field.strip()) for field in row)
        if filled > 1:
            return row
        titles += filled
        if titles > MOST_TITLES:
            break
    return []


def numbered_names(names: Sequence[str]) -> Iterator[str]:
    """The names of columns, of which each one stands there once: a second column `title` is called `title.2`."""
    seen = Counter[str]()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}.{seen[name]}"


def read_parquet(file: IO[bytes], columns: Sequence[str], names: Sequence[str]) -> Entries:
    """The rows of a Parquet file with some of its columns, under other names. The place is the number of the row."""
    # Few files need it, and each command would take 15 ms to load it.
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(file, buffer_size=PART, pre_buffer=False)
    number = 0
    for batch in parquet.iter_batches(ROWS, columns=list(columns), use_threads=False):
        by_name = dict(zip(columns, names, strict=True))
        fields = [by_name[name] for name in batch.schema.names]
        # Of several columns with one name the first one counts, as in CSV.
        fields = [*numbered_names(fields)]
        values = [values_of(column) for column in batch.columns]
        for row in zip(*values, strict=True):
            number += 1
            yield number, dict(zip(fields, row, strict=True))


def values_of(column: Any) -> list[Any]:
    """The values of a column: texts also where they are stored as bytes, as ClickHouse and old versions of Spark do.

    A time in nanoseconds becomes one in microseconds, which Python's datetime can hold.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    values: list[Any] = column.to_pylist()
    if any(is_bytes(kind) for is_bytes in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)):
        return [value if value is None else value.decode(errors="replace") for value in values]
    return values


class Permitted:
    """An XML file without the characters that XML forbids, for a parser that reads from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes, about so many; none only at the end of the file."""
        while True:
            part = self._stream.read(size)
            data = self._left + part.translate(None, CONTROLS)
            # A reference may go on in the next part.
            start = data.rfind(b"&", -LONGEST_REFERENCE) if part else -1
            end = start if start >= 0 and b";" not in data[start:] else len(data)
            data, self._left = FORBIDDEN.sub(b"", data[:end]), data[end:]
            if data or not part:
                return data


def read_rows(stream: IO[bytes]) -> Entries:
    """The rows of a Stack Exchange dump: the attributes of each <row>, names in lower case. The place is the number."""
    # Few files need it, and each command would take 30 ms to load it.
    from lxml import etree

    number = 0
    try:
        source: Any = Permitted(stream)
        for _, row in etree.iterparse(source, tag="{*}row", resolve_entities=False, no_network=True, load_dtd=False):
            number += 1
            yield number, {name.lower(): value for name, value in row.attrib.items()}
            row.clear()
            while row.getprevious() is not None:
                del row.getparent()[0]
    except etree.XMLSyntaxError as error:
        raise IngestError(f"it is not XML after entry {number:,}: {error.msg}") from None


class DamagedError(IngestError):
    """A file can not be unpacked to its end. What was unpacked shortly before may be wrong."""


def guarded(entries: Entries) -> Entries:
    """The entries. Raises DamagedError for what a library raises while it unpacks the file."""
    try:
        yield from entries
    except (*UNREADABLE, pa.ArrowException) as error:
        raise DamagedError(" ".join(str(error).split()) or type(error).__name__) from error


def ahead(entries: Entries, count: int) -> tuple[list[tuple[int, Any]], Entries]:
    """The first entries, fewer if there are no more, and all of them, with the error that ends them if there is one."""
    first, failure = list[tuple[int, Any]](), list[IngestError]()
    try:
        first += islice(entries, count)
    except IngestError as error:
        failure.append(error)

    def again() -> Entries:
        yield from first
        if failure:
            raise failure[0]
        yield from entries

    return first, again()


def starts_with_json(content: Content) -> str | None:
    """Whether a text is "lines" or "values" of JSON; None if it does not start as JSON does."""
    start = content.head.lstrip()
    if start[:1] == b"[":
        return "values"
    if start[:1] != b"{" and not start.startswith(b"null\n"):
        return None
    whole = content.head.split(b"\n")
    # Of a long file the head may end within a line.
    lines = [line for line in (whole[:-1] if len(whole) > 1 else whole)[:1_000] if line.strip()]
    if len(whole) == 1 and len(content.head) >= 1 << 20:
        return "lines"
    # A line within an object that stands over several lines is no object, or it is indented.
    return "lines" if any(line.startswith(b"{") and isinstance(loads(line), dict) for line in lines) else "values"
