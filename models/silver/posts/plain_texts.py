"""Plain text of title and body: without markup, code, quotes and the headings of forms.

Grain: one row per url_hash.
Method (groundswell.cleaning): of code, traces, logs, quotes, tables and fields of forms at most three error lines are
kept. CLD2 (https://github.com/CLD2Owners/cld2) finds the language.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

import pyarrow as pa
import pycld2

from groundswell.cleaning.characters import INVISIBLE, WORDLESS, emoji_words, tidy
from groundswell.cleaning.forms import heading_key, problem_lines
from groundswell.cleaning.lines import FRAME_LINE, is_written
from groundswell.cleaning.markup import KNOWN, Block, blocks_of, to_html
from groundswell.placeholders import is_gone
from groundswell.relations import subquery

BATCH = 1_000
# The characters of a body that are read, and the characters of its plain text that are kept. silver.texts keeps 2,000
# characters of title and body together.
READ = 20_000
KEPT = 4_000
# The text of a body that is only code, quotes or a table: its first lines, within these limits.
LAST_RESORT_LINES = 5
LAST_RESORT_LENGTH = 500
# If a body has no prose, the first of these kinds that it has stands for the body.
LAST_RESORTS = ("quote", "aside", "task", "table", "code")
# With fewer words of prose, one of them is added, but no code.
ENOUGH = 2

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("language", pa.string()),
        ("collection_date", pa.date32()),
    ]
)

# Stack Overflow's pages write this behind titles.
CLOSED = re.compile(r" ?\[(?:duplicate|closed|on hold|migrated|locked)\]$")
NEWS_PREFIX = re.compile(r"(?i)^(?:ask|tell|show|launch) hn ?[:–—-] ?")

WORDS = re.compile(r"[^\W\d_]+")
# A text with fewer letters has no language.
MIN_LETTERS = 50
# What CLD2 calls some languages, and ISO 639-1's code.
OLD_CODES = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv"}
# Markup in a title.
TAG = re.compile(r"</?([a-zA-Z][\w-]{0,30})(?:\s[^<>]{0,500})?/?>")
SCRIPT = re.compile(
    r"(?i)<(script|style)\b[^<>]{0,500}>(?:(?!</(?:script|style))[\s\S])*+(?:</(?:script|style)\s{0,20}>)?"
)


def last_resort(source: str, blocks: list[Block], kinds: Sequence[str], headings: Set[str]) -> list[str]:
    """The lines of a post without prose: those of the first of these kinds that the post has."""
    for kind in kinds:
        texts = [block.text for block in blocks if block.kind == kind]
        if kind in ("quote", "aside"):
            # Some forms fold away all headings with all text of the author.
            lines = problem_lines(source, (Block("prose", text) for text in texts), headings)
            if lines:
                return lines
        text = "\n".join(texts)[:LAST_RESORT_LENGTH]
        lines = [
            line
            for line in map(tidy, text.split("\n"))
            if not WORDLESS.fullmatch(line) and heading_key(line) not in headings and not FRAME_LINE.match(line)
        ]
        if lines:
            return lines[:LAST_RESORT_LINES]
    return []


def plain_body(source: str, body: str, headings: Set[str]) -> str:
    """A body as plain text; newlines separate its blocks."""
    # Earlier versions stored placeholders.
    if is_gone(body):
        return ""
    blocks = [
        block._replace(kind="prose") if is_written(source, body, block) else block
        for block in blocks_of(to_html(source, INVISIBLE.sub("", body[:READ])))
    ]
    lines = problem_lines(source, blocks, headings)
    if len(WORDS.findall(" ".join(lines))) < ENOUGH:
        kinds = LAST_RESORTS[:-1] if lines else LAST_RESORTS
        lines += last_resort(source, blocks, kinds, headings)
    if lines:
        return "\n".join(lines)[:KEPT].rstrip()
    text = "\n".join(block.text for block in blocks)[:KEPT]
    return emoji_words(text)[:KEPT] if WORDLESS.fullmatch(tidy(text)) else ""


def plain_title(title: str) -> str:
    """A title as plain text in one line. The services' titles hold entities and no markup."""
    if is_gone(title):
        return ""
    text = SCRIPT.sub(" ", html.unescape(title[:READ]))
    # A title may be about <b>. Tags are markup if they have attributes, or if the title has no other words.
    text = TAG.sub(lambda tag: " " if " " in tag[0] and tag[1].lower() in KNOWN else tag[0], text)
    if WORDLESS.fullmatch(TAG.sub("", text)) and "<" in text:
        return ""
    line = CLOSED.sub("", NEWS_PREFIX.sub("", tidy(text.replace("`", "").replace("**", ""))))
    return line[:KEPT] if not WORDLESS.fullmatch(line) else emoji_words(text)[:KEPT]


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None if the text is too short or CLD2 is not sure.

    CLD2 counts quadgrams. For less than 50 Latin letters it mistakes names for words ("GitHub Copilot vs Claude Code"
    is Danish), so such texts have no language. The limit counts bytes: letters of other scripts are two or three bytes.
    """
    letters = "".join(WORDS.findall(text[:2_000]))
    if len(letters.encode()) < MIN_LETTERS:
        return None
    reliable, _, guesses = pycld2.detect(text[:2_000], isPlainText=True)
    code = guesses[0][1].split("-")[0]
    code = OLD_CODES.get(code, code)
    return code if reliable and len(code) == 2 and code != "un" else None


def plain_text(row: dict[str, Any], headings: Set[str]) -> dict[str, Any]:
    """The row of SCHEMA for a post; `row` has url_hash, source, title, body and collection_date."""
    title, body = plain_title(row["title"] or ""), plain_body(row["source"], row["body"] or "", headings)
    return {
        "url_hash": row["url_hash"],
        "title": title,
        "body": body,
        "language": language_of(f"{title}\n{body}"),
        "collection_date": row["collection_date"],
    }


def plain_texts(posts: Iterable[pa.RecordBatch], headings: Set[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of SCHEMA for batches of posts."""
    for batch in posts:
        yield pa.RecordBatch.from_pylist([plain_text(row, headings) for row in batch.to_pylist()], schema=SCHEMA)


def model(dbt: Any, session: Any) -> pa.RecordBatchReader:
    """Return the plain texts of the day, batch by batch, so that the day is never in memory as a whole."""
    dbt.config(materialized="incremental", incremental_strategy="replace_day", unique_key="collection_date")
    raw_items = dbt.source("bronze", "raw_items")
    form_questions = dbt.ref("form_questions")
    run_date = dbt.config.meta_get("run_date")
    headings = {heading for (heading,) in form_questions.select("question").fetchall()}

    posts = session.sql(
        f"""
        select url_hash, source, title, body, collection_date
        from {subquery(raw_items)}
        where collection_date = date '{run_date}'
        """
    ).to_arrow_reader(BATCH)
    # dbt-duckdb inserts the result through another cursor, so this cursor can still be read.
    return pa.RecordBatchReader.from_batches(SCHEMA, plain_texts(posts, headings))
