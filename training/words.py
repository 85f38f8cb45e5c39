"""What share of the words that authors wrote the text cleaning keeps: `python -m training.words POSTS...`.

POSTS are files of posts, as `python -m ingest --file` reads them. words.tsv holds the labels: a post's url_hash, the
number of a paragraph, and whether a reader takes its words for the author's own. Headings and fields of forms, logs,
code, quotes of others and boilerplate are not. The posts themselves are not part of the project.
"""

import csv
import gzip
import html
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from ingest.item import Item
from tests.support.models import load

LABELS = Path(__file__).with_name("words.tsv")
READ = 20_000
WORD = re.compile(r"\w+")
FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
BLOCK_TAG = re.compile(
    r"(?i)<(?:pre|blockquote)\b[\s\S]*?</(?:pre|blockquote)>|</?(?:p|ul|ol|li|h[1-6]|div|table|tr|hr|details|summary)\b[^<>]*>"
)
NOT_WORDS = re.compile(r"!\[[^\]]*\]\([^)]*\)|(?<=\])\([^)\s]*\)|<[a-zA-Z/][^<>]*>|https?://\S+|[A-Za-z0-9+/=_-]{60,}")


def paragraphs(source: str, body: str) -> list[str]:
    """The paragraphs of a body as it was written: parts between blank lines or block tags, a block of code as one."""
    body = body[:READ].replace("\r\n", "\n")
    if source in ("hackernews", "stackoverflow"):
        parts, end = [], 0
        for tag in BLOCK_TAG.finditer(body):
            parts.append(body[end : tag.start()])
            if tag[0].lower().startswith(("<pre", "<blockquote")):
                parts.append(tag[0])
            end = tag.end()
        return [part for part in (*parts, body[end:]) if words(part)]
    found, current, fenced = [], [], False
    for line in body.split("\n"):
        if FENCE.match(line):
            if not fenced:
                found.append(current)
                current = []
            fenced = not fenced
            current.append(line)
            if not fenced:
                found.append(current)
                current = []
        elif not fenced and (not line.strip() or line.startswith("#")):
            found += [current, [line]] if line.startswith("#") else [current]
            current = []
        else:
            current.append(line)
    return [text for lines in (*found, current) if words(text := "\n".join(lines))]


def words(text: str) -> list[str]:
    """The words of a text without its markup and addresses, in lower case."""
    return WORD.findall(NOT_WORDS.sub(" ", html.unescape(html.unescape(text))).lower().replace("_", " "))
