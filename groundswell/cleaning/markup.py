"""The blocks of text in a body that is markdown or HTML.

cmark-gfm (https://github.github.com/gfm/) turns markdown into HTML. libxml2 turns HTML into blocks of text; it reports
events and builds no tree, so that deep nesting can not overflow the stack.
"""

import ctypes
import html
import re
from contextlib import suppress
from typing import Any, NamedTuple

from cmarkgfm import _cmark, cmark
from cmarkgfm.cmark import Options
from lxml import etree
from lxml.html import defs

from groundswell.cleaning.characters import SHIELD

# A line of a list that was pasted with its indentation, which markdown takes for code.
PASTED_ITEM = re.compile(r"(?m)^[ \t]+(?=[•‣◦▪●]\s)|^\t(?=\d{1,2}[.)]\s|[*-]\s)")
SPOILER = re.compile(r">! ?((?:(?!!<)[^\n])*+)!<")
# GitHub's alerts, a kind of quote: > [!WARNING]
ALERT = re.compile(r"(?im)^ {0,3}> ?\[!(?:note|tip|important|warning|caution)\][ \t]*\n((?: {0,3}>.*(?:\n|\Z))*)")
QUOTE_MARK = re.compile(r"(?m)^ {0,3}> ?")
# A comment that nobody closed, up to the next one or the end.
OPEN_COMMENT = re.compile(r"<!--((?:(?!-->|<!--)[\s\S])*+)(?=<!--|\Z)")

BREAKING = (frozenset(defs.block_tags) | frozenset(defs.list_tags) | frozenset(defs.table_tags)) | frozenset(
    "html body p li dt dd hr details summary section article header footer main figure figcaption".split()
)
KNOWN = frozenset(defs.tags) | frozenset(
    "picture details summary section article header footer main figure figcaption kbd video audio source svg"
    " path g math mark time"
    " template clipboard-copy g-emoji track wbr ruby rt rp bdi canvas embed nav aside dialog slot search".split()
)
SILENT = frozenset(
    "script style template svg math iframe object embed video audio canvas noscript title select head".split()
)
# HTML elements whose text is not the author's prose, with the kind of their blocks.
ASIDE = {"pre": "code", "listing": "code", "xmp": "code", "blockquote": "quote", "details": "aside", "table": "table"}
HTML_BODY = re.compile(r"(?i)<(?:p|pre|code|a|br|ul|ol|li|i|b|em|strong|div|blockquote|h[1-6])\b[^<>]{0,2000}>")
HOSTILE_ELEMENT = re.compile(r"(?i)<(?=/?(?:script|style|iframe|object|embed|svg|img|math|template)\b)|<(?=https?://)")
TYPE = re.compile(r"[\w-]+")
EXTENSIONS = ["table", "strikethrough", "tasklist"]
# What frees the tree of a text and its page. cmarkgfm holds the functions but does not offer them; on a system where
# they are hidden nothing is freed.
FREE: tuple[Any, ...] = ()
with suppress(AttributeError, OSError, TypeError):
    FREE = (ctypes.CDLL(_cmark.__file__).cmark_node_free, ctypes.CDLL(None).free)


class Block(NamedTuple):
    """A paragraph, heading, list item or other block of a post; newlines separate its lines.

    nested: it is within a quote, a table or the like, which is within another one.
    """

    kind: str
    text: str
    nested: bool = False


class Reader:
    """Collects the blocks of a page from the events of libxml2's HTML parser (the target interface of lxml)."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.pieces: list[str] = []
        self.asides: list[str] = []
        self.tasks: list[bool] = []
        self.silent = 0
        self.heading = False
        self.header = 0

    def start(self, tag: str, attributes: Any) -> None:
        """Handle the start of an element."""
        if tag in SILENT:
            self.silent += 1
        elif tag in BREAKING:
            self.flush()
            if tag in ASIDE:
                self.asides.append(tag)
            elif tag == "li":
                self.tasks.append(False)
            elif tag == "th":
                self.header += 1
            elif len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
                self.heading = True
        elif tag == "br":
            self.pieces.append("\n")
        elif tag == "input" and self.tasks and attributes.get("type") == "checkbox":
            self.tasks[-1] = True
        elif tag not in KNOWN and not attributes and TYPE.fullmatch(tag):
            # An unknown tag without attributes is text, for example in Vec<String> or <your-name>.
            self.data(f"<{tag}>")

    def end(self, tag: str) -> None:
        """Handle the end of an element."""
        if tag in SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in BREAKING:
            self.flush()
            if tag in ASIDE and tag in self.asides:
                self.asides.reverse()
                self.asides.remove(tag)
                self.asides.reverse()
            elif tag == "li" and self.tasks:
                self.tasks.pop()
            elif tag == "th":
                self.header = max(0, self.header - 1)
            self.heading = False

    def data(self, text: str) -> None:
        """Handle text."""
        if not self.silent:
            self.pieces.append(text)

    def flush(self) -> None:
        """Finish the current block."""
        text = "".join(self.pieces).strip("\n")
        self.pieces.clear()
        if text and not text.isspace():
            self.blocks.append(Block(self.kind(), text, len(self.asides) > 1))

    def kind(self) -> str:
        """The kind of the current block: that of the innermost aside, else task, heading or prose."""
        if self.asides:
            return "header" if self.header and self.asides == ["table"] else ASIDE[self.asides[-1]]
        if self.tasks and self.tasks[-1]:
            return "task"
        return "heading" if self.heading else "prose"

    def close(self) -> list[Block]:
        """Finish the page and return its blocks."""
        self.flush()
        return self.blocks


# The sources whose bodies are HTML, and the start of a body in a feed of Reddit.
HTML_SOURCES = ("feeds", "hackernews", "lobsters")
REDDIT_HTML = "<!-- SC_OFF -->"


def to_html(source: str, body: str) -> str:
    """A body as HTML. The source tells the format; imported Stack Overflow posts may be HTML or markdown."""
    # A comment ends with its paragraph if it has no other end.
    body = OPEN_COMMENT.sub(lambda comment: comment[1].partition("\n\n")[2] or comment[1], body)
    if source in HTML_SOURCES or body.startswith(REDDIT_HTML) or (source == "stackoverflow" and HTML_BODY.search(body)):
        return body
    body = PASTED_ITEM.sub("", body)
    if source in ("reddit", "stackoverflow"):
        # Both services write entities into their markdown. Neither treats HTML in a post as markup.
        body = shielded(SPOILER.sub(r"\1", html.unescape(body)))
    else:
        body = ALERT.sub(lambda alert: "\n" + QUOTE_MARK.sub("", alert[1]) + "\n", body)
    return from_markdown(body)


def from_markdown(text: str) -> str:
    """A text in GitHub's markdown as HTML.

    cmarkgfm's own function never frees what it reads a text into: 4 to 36 times the size of each text.
    """
    cmark.core_extensions_ensure_registered()
    parser = cmark.parser_new(Options.CMARK_OPT_UNSAFE)
    try:
        for name in EXTENSIONS:
            cmark.parser_attach_syntax_extension(parser, cmark.find_syntax_extension(name))
        cmark.parser_feed(parser, text)
        root = cmark.parser_finish(parser)
        page = _cmark.lib.cmark_render_html(root, Options.CMARK_OPT_UNSAFE, cmark.parser_get_syntax_extensions(parser))
        # For &#65534; and &#65535; it writes one byte, which is no UTF-8.
        found = str(_cmark.ffi.string(page).decode(errors="replace"))
        for free, memory in zip(FREE, (root, page), strict=False):
            free(ctypes.c_void_p(int(_cmark.ffi.cast("intptr_t", memory))))
    finally:
        cmark.parser_free(parser)
    return found


def shielded(text: str) -> str:
    """Replace each "<" by SHIELD, except before a hostile element (a script, a picture) and before an address."""
    opening = {match.start() for match in HOSTILE_ELEMENT.finditer(text)}
    return "".join(SHIELD if c == "<" and i not in opening else c for i, c in enumerate(text)) if "<" in text else text


def blocks_of(page: str) -> list[Block]:
    """The blocks of an HTML page, in order."""
    parser = etree.HTMLParser(target=Reader(), huge_tree=True, encoding="utf-8")
    parser.feed(page.encode("utf-8", "ignore"))
    return list(parser.close())
