"""What share of the words that authors wrote the cleaning of texts keeps: python -m training.words POSTS...

POSTS are files of posts, as `python -m ingest --file` reads them. words.tsv holds the labels of a reader: the url_hash
of a post, the number of a paragraph, whether its words are the author's own, and how many posts of the pool the post
stands for. Headings and fields of forms, logs, code, quotes of others and what bots add are not the author's own.

Recall is the share of the own words that the cleaning keeps. Precision is the share of own words in what it keeps.
Words are matched in order (difflib), without markup and addresses. The limit of silver.texts, 2,000 characters, is left
out: it is no decision about whose words they are.
"""

import csv
import gzip
import html
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

import typer

from ingest.item import Item
from tests.support.models import load
from tests.support.project import read_seed
from training import FOLDER

plain_texts: Any = load("plain_texts")

WORD = re.compile(r"\w+")
FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
# A part of HTML that is a paragraph of its own, with its text, or a tag that begins or ends one.
BLOCK_TAG = re.compile(
    r"(?i)<(?:pre|blockquote)\b[\s\S]*?</(?:pre|blockquote)>"
    r"|</?(?:p|ul|ol|li|h[1-6]|div|table|tr|hr|details|summary)\b[^<>]*>"
)
NOT_WORDS = re.compile(r"!\[[^\]]*\]\([^)]*\)|(?<=\])\([^)\s]*\)|<[a-zA-Z/][^<>]*>|https?://\S+|[A-Za-z0-9+/=_-]{60,}")


class Share(NamedTuple):
    """Words of posts: the author's own, those of them that are kept, and all that are kept."""

    own: float = 0
    own_kept: float = 0
    kept: float = 0

    def plus(self, other: "Share", times: float = 1) -> "Share":
        """The sum, with the other share so many times."""
        return Share(*(mine + times * theirs for mine, theirs in zip(self, other, strict=True)))


def paragraphs(source: str, body: str) -> list[str]:
    """The paragraphs of a body as it was written: parts between blank lines, headings, tags; a block of code is one."""
    body = body[: plain_texts.READ].replace("\r\n", "\n")
    split = html_parts if source in ("hackernews", "stackoverflow") else markdown_parts
    return [part for part in split(body) if words(part)]


def html_parts(body: str) -> Iterator[str]:
    """The parts of HTML between the tags of blocks."""
    end = 0
    for tag in BLOCK_TAG.finditer(body):
        yield body[end : tag.start()]
        if tag[0].lower().startswith(("<pre", "<blockquote")):
            yield tag[0]
        end = tag.end()
    yield body[end:]


def markdown_parts(body: str) -> Iterator[str]:
    """The parts of markdown: fenced blocks, headings, and what stands between blank lines."""
    current: list[str] = []
    fenced = False
    for line in body.split("\n"):
        heading = line.startswith("#") and not fenced
        if heading or (FENCE.match(line) and not fenced) or not (line.strip() or fenced):
            yield "\n".join(current)
            current = []
        current.append(line)
        if heading or (FENCE.match(line) and fenced):
            yield "\n".join(current)
            current = []
        fenced ^= bool(FENCE.match(line))
    yield "\n".join(current)


def words(text: str) -> list[str]:
    """The words of a text without its markup and addresses, in lower case."""
    return WORD.findall(NOT_WORDS.sub(" ", html.unescape(html.unescape(text))).lower().replace("_", " "))


def share(source: str, body: str, own: Sequence[bool], headings: set[str]) -> Share:
    """What the cleaning keeps of a body; own says of each paragraph whether its words are the author's."""
    written = [(word, mine) for part, mine in zip(paragraphs(source, body), own, strict=True) for word in words(part)]
    kept = WORD.findall(plain_texts.plain_body(source, body, headings).lower().replace("_", " "))
    found = SequenceMatcher(None, [word for word, _ in written], kept, autojunk=False).get_matching_blocks()
    whose = [mine for block in found for _, mine in written[block.a : block.a + block.size]]
    return Share(sum(mine for _, mine in written), sum(whose), len(whose))


def read_posts(files: Sequence[str], known: set[str]) -> Iterator[Item]:
    """The labelled posts of files, each once."""
    seen = set[str]()
    for file in files:
        with gzip.open(file, "rt") if file.endswith(".gz") else Path(file).open(encoding="utf-8") as lines:
            for line in lines:
                post = Item.model_validate(json.loads(line))
                if post.url_hash in known - seen:
                    seen.add(post.url_hash)
                    yield post


def main(files: Sequence[str]) -> None:
    """Print recall and precision by half and source: of the labelled posts, and of the pool for which they stand."""
    with (FOLDER / "words.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    own, stands_for = defaultdict[str, list[bool]](list), dict[str, float]()
    for row in rows:
        own[row["url_hash"]].append(row["own"] == "yes")
        stands_for[row["url_hash"]] = float(row["stands_for"])
    headings = {row["question"] for row in read_seed("form_questions")}
    plain_texts.KEPT = sys.maxsize
    labelled, pool = defaultdict[tuple[str, str], Share](Share), defaultdict[tuple[str, str], Share](Share)
    for post in read_posts(files, set(own)):
        found = share(post.source, post.body or "", own[post.url_hash], headings)
        half = "held out" if int(post.url_hash[0], 16) % 2 else "fitted"
        for key in ((half, post.source), (half, "all"), ("all", post.source), ("all", "all")):
            labelled[key] = labelled[key].plus(found)
            pool[key] = pool[key].plus(found, stands_for[post.url_hash])
    for key in sorted(labelled):
        figures = [
            figure
            for each in (labelled[key], pool[key])
            for figure in (each.own_kept / each.own, each.own_kept / each.kept)
        ]
        typer.echo("\t".join((*key, *(f"{figure:.3f}" for figure in figures), f"{labelled[key].own:,.0f} own words")))


if __name__ == "__main__":
    main(sys.argv[1:])
