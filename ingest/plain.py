"""Lines of JSON that hold posts in their usual form: DuckDB reads them in a fraction of the time that Python needs.

A file of millions of posts holds little else. Nothing is decided here: a line is plain if no rule of ingest.item would
refuse or change any of its fields, and every other line goes through Item. A property test holds both ways equal.

If a line names a field twice, the first one counts here, and the last one in Python.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.clock import now
from groundswell.placeholders import GONE_WORDS, HIDDEN_WORDS
from ingest.item import LARGEST_COUNT, MISSING, USUAL_TIME, has_hashes, hash_author, none_if_gone
from ingest.sources import sites, sources
from ingest.store import ITEM_SCHEMA

FIELDS = ("source", "url", "created_at", "title", "body", "author", "comment_count", "vote_count")
NEWLINE, RETURN = b"\n\r"
PART = 1 << 20
# A letter or a digit, and no white space of any kind. Most scripts do, as all letters take DuckDB long to prepare.
SAYS = r"[0-9A-Za-z\x{a1}-\x{167f}\x{3041}-\x{ffff}]"
# A text with a bracket near its start and one of these may be a placeholder. The beginnings of the words do, because
# lower and upper case of a few letters are not the same in Python and in DuckDB.
GONE = "(?i)" + "|".join(word[:5] for word in (*GONE_WORDS, *HIDDEN_WORDS))
# A text of fewer than 20 characters with one of these may say only that a value is missing.
MISSED = "(?i)" + "|".join(re.escape(word) for word in sorted(MISSING) if word)

# A text that stays as it is: it says something, and is neither a placeholder nor a word for a missing value. Only case
# spares DuckDB the later conditions.
TEXT = r"""
    case
        when {field} is null then coalesce({kind}, 'NULL') in ('NULL', 'VARCHAR')
        when {kind} != 'VARCHAR' or not regexp_matches({field}, {says}) then false
        when strlen({field}) < 20 then not regexp_matches({field}, {missed}) and not regexp_matches({field}, {gone})
        when contains(left({field}, 20), '[') then not regexp_matches({field}, {gone})
        else true
    end
"""
COUNT = """
    (coalesce({kind}, 'NULL') = 'NULL' or {kind} in ('BIGINT', 'UBIGINT') and {field} between -{largest} and {largest})
"""
# Each "offset 0" is a fence: DuckDB would put the expressions below it into those above, and parse each line ten times.
READ = """
with parsed as (
    select place, try(json_type(line, {paths})) as types, try(json_extract_string(line, {paths})) as fields,
        not contains(line, '\\u0000') and not regexp_matches(line, ',\\s*[}}\\]]') as is_strict,
    from lines
    offset 0
),
named as (
    select place, types, is_strict, fields[1] as source, {address} as url, nullif(fields[4], '') as title,
        nullif(fields[5], '') as body, fields[6] as author,
        try_cast(if(regexp_full_match(fields[3], {time}), fields[3], null) as timestamp) as created_at,
        try_cast(fields[7] as bigint) as comment_count, try_cast(fields[8] as bigint) as vote_count,
    from parsed
    offset 0
),
told as (
    select *, is_strict and source in ({sources}) and url is not null
        and created_at between '1970-01-01' and $latest and (title is not null or body is not null)
        and coalesce(types[6], 'NULL') in ('NULL', 'VARCHAR') and {checks} as is_plain,
    from named
    offset 0
)
select place, sha256(url) as url_hash, source, url, {match_url} as match_url, title, body, created_at, comment_count,
    vote_count, author
from told
where is_plain
"""


@cache
def query() -> str:
    """The query for the plain ones of some lines. $latest, the latest time of a post, is to be replaced."""
    texts = {"says": quoted(SAYS), "gone": quoted(GONE), "missed": quoted(MISSED)}
    checks = [
        TEXT.format(kind=f"types[{number}]", field=field, **texts) for number, field in ((4, "title"), (5, "body"))
    ]
    counts = ((7, "comment_count"), (8, "vote_count"))
    checks += [COUNT.format(kind=f"types[{number}]", field=field, largest=LARGEST_COUNT) for number, field in counts]
    return READ.format(
        paths=[f"$.{field}" for field in FIELDS],
        address=usual_form("fields[2]"),
        time=quoted(USUAL_TIME.pattern),
        sources=", ".join(map(quoted, sources())),
        checks=" and ".join(checks),
        match_url=match_url("url"),
    )


def quoted(text: str) -> str:
    """A text of ours as a constant of SQL."""
    return "'" + text.replace("'", "''") + "'"


def usual_form(column: str) -> str:
    """The function of that name in ingest.item, as an expression of SQL."""
    whens = []
    for site in {site.host: site for site in sites().values()}.values():
        if site.usual:
            names = [name for name, other in sites().items() if other is site and name not in site.short_hosts]
            start = rf"https?://(?:www\.)?(?:{'|'.join(map(re.escape, names))})"
            address = rf"'https://{site.host}' || regexp_replace({column}, '^https?://[^/]*', '')"
            whens.append(f"when regexp_full_match({column}, '{start}(?:{site.usual.pattern})') then {address}")
    return f"case {' '.join(whens)} end"


def match_url(column: str) -> str:
    """The function of that name in ingest.item, as an expression of SQL, for addresses in normal form."""
    whens = []
    for site in {site.host: site for site in sites().values()}.values():
        for pattern, form in site.shortest:
            found = f"'^{re.escape(f'https://{site.host}')}{pattern.pattern}$'"
            short = "'" + re.sub(r"{(\d)}", r"\\\1", f"https://{site.host}{form}") + "'"
            whens.append(f"when regexp_matches({column}, {found}) then regexp_replace({column}, {found}, {short})")
    return f"case {' '.join(whens)} else {column} end"


class Lines:
    """Lines that stand one after the other in a block of bytes; `first` is the number of the first one."""

    def __init__(self, block: memoryview, first: int) -> None:
        self._block, self.first = block, first
        # Part by part: a block of flags for all bytes would be as large as the text.
        bytes_of, parts = np.frombuffer(block, np.uint8), range(0, len(block), PART)
        ends = [np.flatnonzero(bytes_of[start : start + PART] == NEWLINE) + start + 1 for start in parts]
        rest = [] if block[-1] == NEWLINE else [[len(block)]]
        self._bounds = np.concatenate([[0], *ends, *rest]).astype(np.int32)

    def __len__(self) -> int:
        """The number of lines."""
        return len(self._bounds) - 1

    def after(self, number: int) -> Self:
        """Leave out the lines up to one with this number."""
        left_out = min(max(number - self.first + 1, 0), len(self))
        self._bounds, self.first = self._bounds[left_out:], self.first + left_out
        return self

    def texts(self) -> pa.Array:
        """The lines as they stand in the block; null for one that does not look like an object, or is not in UTF-8."""
        bytes_of, start, end = np.frombuffer(self._block, np.uint8), self._bounds[:-1], self._bounds[1:] - 1
        end = end - (bytes_of[end] == NEWLINE)
        end = end - (bytes_of[end] == RETURN)
        # DuckDB takes long to find that a line is no JSON. Most of these lines are cut.
        whole = (bytes_of[start] == ord("{")) & (bytes_of[end] == ord("}"))
        buffers = [pa.py_buffer(np.packbits(whole, bitorder="little")), *map(pa.py_buffer, (self._bounds, self._block))]
        texts = pa.Array.from_buffers(pa.string(), len(self), buffers)
        try:
            texts.validate(full=True)
        except pa.ArrowInvalid:
            lines = texts.cast(pa.binary()).to_pylist()
            texts = pa.array([line if line and is_utf8(line) else None for line in lines], pa.string())
        return texts

    def without(self, numbers: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
        """The lines that have none of these numbers, and are not blank, each with its number."""
        others = np.ones(len(self), bool)
        others[numbers - self.first] = False
        for index in np.flatnonzero(others).tolist():
            line = bytes(self._block[self._bounds[index] : self._bounds[index + 1]])
            if not line.isspace():
                yield self.first + index, line


def plain_posts(connection: duckdb.DuckDBPyConnection, block: Lines) -> pa.Table:
    """The posts of the plain ones of some lines, as ITEM_SCHEMA has them, and `place`, the number of the line."""
    places = pa.array(np.arange(block.first, block.first + len(block)))
    lines = pa.table({"place": places, "line": block.texts()})  # noqa: F841  (DuckDB finds it by name)
    posts = connection.execute(query().replace("$latest", f"'{now() + timedelta(days=1)}'")).to_arrow_table()
    names = zip(posts["source"].to_pylist(), posts["author"].to_pylist(), strict=True)
    hashed = {name for name in sources() if has_hashes(name)}
    hashes = [hash_author(source, none_if_gone(name)) if name and source in hashed else None for source, name in names]
    return posts.drop_columns(["author"]).append_column("author_hash", pa.array(hashes, pa.string()))


def no_posts() -> pa.Table:
    """What plain_posts gives for lines of which none is plain."""
    return pa.schema([("place", pa.int64()), *ITEM_SCHEMA]).empty_table()


def is_utf8(line: bytes) -> bool:
    """Whether a line is in UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
