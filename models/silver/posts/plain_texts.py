"""Plain text of title and body: without markup, code, quotes and the headings of forms.

Grain: one row per url_hash.
Method: cmark-gfm (https://github.github.com/gfm/) turns markdown into HTML. libxml2 turns HTML into blocks of text; it
reports events and builds no tree, so that deep nesting can not overflow the stack. Blocks of code, traces, logs,
quotes, tables and form fields are replaced by at most three of their error lines. Every pattern takes time in
proportion to the text. CLD2 (https://github.com/CLD2Owners/cld2) finds the language.
"""

import ctypes
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import suppress
from typing import Any, NamedTuple

import emoji
import pyarrow as pa
import pycld2
from cmarkgfm import _cmark, cmark
from cmarkgfm.cmark import Options
from lxml import etree
from lxml.html import defs

from groundswell.placeholders import is_gone
from groundswell.relations import subquery

BATCH = 1_000
# The characters of a body that are read, and the characters of its plain text that are kept. silver.texts keeps 2,000
# characters of title and body together.
READ = 20_000
KEPT = 4_000
ERROR_LINES = 3
ERROR_LENGTH = 150
# The text of a body that is only code, quotes or a table: its first lines, within these limits.
LAST_RESORT_LINES = 5
LAST_RESORT_LENGTH = 500

SCHEMA = pa.schema(
    [
        ("url_hash", pa.string()),
        ("title", pa.string()),
        ("body", pa.string()),
        ("language", pa.string()),
        ("collection_date", pa.date32()),
    ]
)

# -- Text.

INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff"
    # Noncharacters, of which CLD2 says that they are no UTF-8.
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
SPACE = re.compile(r"\s+")
MAYBE_EMOJI = re.compile("[\xa9\xae\u203c-\u2bff\u3030-\u303d\u3297\u3299\U0001f000-\U0001faff]")
EMOJI_NAME = re.compile(r"(?<![\w:]):[a-z0-9_+-]{2,40}:(?![\w:])")
WEB_ADDRESS = re.compile(
    r"(?i)\bhttps?://(?:www\.)?(?:[^\s/@<>\"']{1,200}@)?([^\s/?#:<>\"'()\[\]]{1,253})[^\s<>\"'()\[\]]*+"
)
WORDLESS = re.compile(r"[\W_]*")
# Base64, hashes and other long tokens that nobody reads.
LONG_TOKEN = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{60,}+")
# Stack Overflow's pages write this behind titles.
CLOSED = re.compile(r" ?\[(?:duplicate|closed|on hold|migrated|locked)\]$")
NEWS_PREFIX = re.compile(r"(?i)^(?:ask|tell|show|launch) hn ?[:–—-] ?")

WORDS = re.compile(r"[^\W\d_]+")
MIN_LETTERS = 50
OLD_CODES = {"iw": "he", "in": "id", "ji": "yi", "jw": "jv"}

# -- Lines.

# The frames of traces that a sentence may look like.
FRAME_LINE = re.compile(
    # Java, JavaScript, C#
    r"at .{0,300}(?:\.\w{1,5}:\d+|:\d+:\d+|\(\S{0,80}\)|\(native\)|\(<?anonymous>?\)|Native Method\)|:line \d+)"
    r"|at [\w.$<>\[\]`]{3,200}(?:\(.{0,200}\))?(?: in .{1,300})?$"
    r"|created by [\w./]+"  # Go
)
TRACE_LINE = re.compile(
    r"Traceback \(most recent call last\)|File \".{1,300}\", line \d|During handling of the above exception"
    r"|The above exception was the direct cause"  # Python
    r"|\.\.\. \d+ (?:more$|common frames)"  # Java
    r"|(?:\w+@)?\S{1,200}:\d+:\d+$"  # Firefox
    # Go
    r"|goroutine \d+ \[|\S{1,200}\.go:\d+(?: \+0x|$)"
    r"|[\w./*()]{3,200}\((?:0x[\da-f]+|\.\.\.)[^)]{0,200}\)$"
    # Ruby, Rust, gdb, PHP
    r"|from \S{1,200}:\d+:in |stack backtrace:|#\d+ +(?:0x[\da-f]+|/)|\d+: +0x[\da-f]+ -|--- End of (?:inner|stack)"
)
LOG_LINE = re.compile(
    r"[\[(]?(?:\d{4}[-/.]\d\d[-/.]\d\d[T ,]|\d\d?[-/ ](?:\d\d|\w{3})[-/ ]\d{4} )?[\[(]?\d\d?:\d\d:\d\d\b"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
    r"|npm (?:ERR!|WARN)|\[\d+\.\d{3,6}\]|Step \d+/\d+ : ?[A-Z]{3,}\b"
    r"|Requirement already satisfied|--->"
)
# A line that begins as a log's does, and as a sentence may: WARNING: Stripe froze my account without notice
LEVEL_LINE = re.compile(
    r"[\[(]?(?:INFO|DEBUG|TRACE|WARN|WARNING|NOTICE|VERBOSE)[\])]?[: |]|[DIWE]/[\w.-]+(?:\(\s*\d+\))?: "
)
REPLY_LINE = re.compile(
    r"On (?=.{0,100}\d).{5,120}(?:wrote|writes):$"
    r"|(?:Am|Le|El|Em) (?=.{0,100}\d).{5,120}(?:schrieb|écrit|escribió|escreveu).{0,60}:$"
    r"|-+ ?Original Message"
    r"|_?Originally posted by |Reply to this email directly|You are receiving this because"
)
ERROR_LINE = re.compile(
    r"\b[\w.]{0,80}(?:Error|Exception|Failure|Fault)(?: ?[\[(][\w .:-]{1,30}[\])])?: ?\S"
    r"|(?i:(?:^|[\s:\]])(?:fatal )?error(?: ?\[[\w./-]{1,30}\]| [A-Z]{1,6}\d{2,6})?: ?\S)"
    r"|\bpanic: |npm ERR! (?!A complete log|code |errno |syscall |path )\S|^fatal: |\b(?:ERROR|FATAL"
    r"|CRITICAL)\b[\]: |-]|^E\s{2,}\S"
    r"|Segmentation fault|segfault|core dumped|command not found|No such file or directory|Permission denied"
    r"|undefined reference"
)
# Lines of code that mention an error and do not report one.
STATEMENT = re.compile(
    r"(?:except|catch|raise|throw|throws|case|def|class|func|function|if|else|elif|import|return|print|console"
    r"|log|#|//|/\*|\*)\b"
    r"|//|#|/?\*|\"?error\"?\s*:\s*(?:function|null|\(|\{|true|false|err|e\b)"
)
STATEMENT_END = ("{", ";", ",", "(", "[", "=>", "&&", "||")
LOG_PREFIX = re.compile(r"^[\[(]?\d{2,4}[-/.:]\d\d[-/.:]\d\d(?:[T ,]+\d\d:\d\d:\d\d)?[\d.,Z+:]{0,12}[\])]?\s*")

# Words that join sentences and that names, versions, commands and messages of programs seldom have.
JOINING = frozenset(
    "a an the this that these those i my me we our us you your he she they them their it its is are was were be been"
    " am not no do does did don't doesn't didn't can't cannot won't could would should will has have had of to for at"
    " by from as but if because since after before when while then than so every each any all again never always"
    " nobody who which what how why there here just even".split()
)
# Punctuation and marks around a word.
EDGES = ".,:;!?()[]\"'’*_`-–—…•#+"
FENCE = re.compile(r"(?m)^\s*(?:```|~~~)")
PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’/-][^\W\d_]+)*")
CODE_MARK = re.compile(r"::|\w\(|[{}=;\\<>|]|\w/\w+/|\w\.\w+\.\w|\w_\w|\$")
# A line of a list that was pasted with its indentation, which markdown takes for code.
PASTED_ITEM = re.compile(r"(?m)^[ \t]+(?=[•‣◦▪●]\s)|^\t(?=\d{1,2}[.)]\s|[*-]\s)")
SPOILER = re.compile(r">! ?((?:(?!!<)[^\n])*+)!<")
# GitHub's alerts, a kind of quote: > [!WARNING]
ALERT = re.compile(r"(?im)^ {0,3}> ?\[!(?:note|tip|important|warning|caution)\][ \t]*\n((?: {0,3}>.*(?:\n|\Z))*)")
QUOTE_MARK = re.compile(r"(?m)^ {0,3}> ?")
# A comment that nobody closed, up to the next one or the end.
OPEN_COMMENT = re.compile(r"<!--((?:(?!-->|<!--)[\s\S])*+)(?=<!--|\Z)")

# A repository's form puts the same headings into all its posts. These words would make posts of one repository similar,
# and not posts of one problem. Below headings about the problem (seed form_questions), the text stays. Below the
# headings of this pattern, short lines go too.
FORM = re.compile(
    r"(?:your |my )?(?:(?:system|environment|version|device|build|platform|machine|network|runtime|software"
    r"|hardware|browser)"
    r"[ /]?(?:info(?:rmation)?|configuration|specifications?|details|setup)|environments?|env|versions?"
    r"|checklist|checks"
    r"|pre-?flight checklist|operating system.{0,30}|os|platforms?|browsers?|.{0,40} versions?|version.{0,60}"
    r"|what version.{0,60}"
    r"|which version.{0,60}|which (?:os|browser|platform).{0,40}|os platform and distribution"
    r"|gpu model and memory|mobile device"
    r"|custom code|issue type|source|website or app|code of conduct|contributing guidelines|validations?"
    r"|before submitting"
    r"|have you (?:reproduced|searched|read|checked|tried).{0,80}|(?:i|please) (?:have )?(?:searched|confirm"
    r"|read|checked).{0,60}(?:issues?|duplicates?|documentation|docs|faqs?|readme|guidelines?|conduct|instructions"
    r"|terms|template)\b.{0,40}"
    r"|are you willing to submit.{0,40}|how did you (?:obtain|install) .{0,40}|smartphone|desktop"
    r"|devtools version \(automated\))"
)
# A field of a form in one line. Examples: Extension version: 0.31.3 · OS: Windows 11 · Browser [e.g. chrome]: Firefox
FIELD = re.compile(
    r"(?i)(?:[\w.`@/+#()-]{1,40} ){0,5}(?:versions?|os|platform|browser|device|arch(?:itecture)?"
    r"|operating system|cpus?|gpu|ram|commit"
    r"|distribution|system|electron|electronbuildid|chromium|node(?:\.js)?|v8|python|type|modes|model id"
    r"|request id|shell|hardware|kernel)"
    r"`?(?: ?[(\[].{0,60}[)\]])? ?[:=]`? ?(?=[^ ]{0,40}$|[^ ]{0,40} [^ ]{0,40}$"
    r"|[^ ]{0,40} [^ ]{0,40} [^ ]{0,40}$|.{0,60}\d).{0,120}$"
)
NO_ANSWER = frozenset(
    "yes no n/a na none no response not applicable nothing unknown bug source binary every time sometimes - +"
    " todo".split()
) | {"no response", "not applicable", "every time", "not sure", "yes/no", "no description provided"}
TEMPLATE_PROSE = re.compile(
    r"(?i)a clear and concise description|if applicable, add|add any other context|describe the solution you"
    r"|please fill|go to '\.\.\.'"
    r"|does this issue occur when all extensions are disabled|i have searched (?:the )?existing|click on '\.\."
    r"|scroll down to '\.\.|see error$|(?:add )?issue description here$|please include following log"
    r"|feature \(e\.g\. |selected model \(e\.g\. |user agent: mozilla|embedder: codespaces|sentry issue: "
)

# -- HTML.

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
# If a body has no prose, the first of these kinds that it has stands for the body.
LAST_RESORTS = ("quote", "aside", "task", "table", "code")
# With fewer words of prose, one of them is added, but no code.
ENOUGH = 2
HTML_BODY = re.compile(r"(?i)<(?:p|pre|code|a|br|ul|ol|li|i|b|em|strong|div|blockquote|h[1-6])\b[^<>]{0,2000}>")
HOSTILE_ELEMENT = re.compile(r"(?i)<(?=/?(?:script|style|iframe|object|embed|svg|img|math|template)\b)|<(?=https?://)")
# This character of private use replaces a "<" that is not markup while the parser reads the page.
SHIELD = "\ue000"
TAG = re.compile(r"</?([a-zA-Z][\w-]{0,30})(?:\s[^<>]{0,500})?/?>")
TYPE = re.compile(r"[\w-]+")
SCRIPT = re.compile(
    r"(?i)<(script|style)\b[^<>]{0,500}>(?:(?!</(?:script|style))[\s\S])*+(?:</(?:script|style)\s{0,20}>)?"
)
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


def tidy(text: str) -> str:
    """A text in one line, in normal form C, without invisible characters, emoji and long tokens.

    A web address is cut to its host.
    """
    if "//" in text:
        text = WEB_ADDRESS.sub(r"\1", text)
    text = LONG_TOKEN.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace(SHIELD, "<")
        if MAYBE_EMOJI.search(text):
            text = emoji.replace_emoji(text, "")
    if ":" in text:
        text = EMOJI_NAME.sub(
            lambda name: "" if emoji.is_emoji(emoji.emojize(name[0], language="alias")) else name[0], text
        )
    return SPACE.sub(" ", INVISIBLE.sub("", text)).strip()


def emoji_words(text: str) -> str:
    """The text with the names of its emoji, for example "fire"; empty if that text has no words either."""
    words = tidy(emoji.demojize(text, delimiters=(" ", " ")).replace("_", " "))[:KEPT]
    return "" if WORDLESS.fullmatch(words) else words


def error_lines(text: str) -> Iterator[str]:
    """Yield the lines of code, a trace, a log or a quote that report an error, cut to ERROR_LENGTH characters."""
    for raw in text.split("\n"):
        line = raw[:1_000].strip()
        if ERROR_LINE.search(line) and not STATEMENT.match(line) and not line.endswith(STATEMENT_END):
            yield tidy(LOG_PREFIX.sub("", line))[:ERROR_LENGTH].rstrip()


def is_prose(text: str) -> bool:
    """Whether a text reads as a sentence: words, joined by some of JOINING."""
    words = [word for raw in text.split() if (word := raw.strip(EDGES))]
    joining = sum(word.lower().replace("’", "'") in JOINING for word in words)
    return joining >= 2 and 6 * joining >= len(words) and is_plain(words)


def is_plain(words: Sequence[str]) -> bool:
    """Whether four of five words are words, and no numbers, names of files or code."""
    return 5 * sum(bool(PLAIN_WORD.fullmatch(word)) for word in words) >= 4 * len(words)


def prose(source: str, text: str) -> tuple[list[str], list[str]]:
    """Split the lines of a block into lines that the author wrote, and lines that programs, forms or others wrote."""
    kept, dropped = [], []
    after_frame = False
    for raw in text.split("\n"):
        line = raw.strip()
        start = line[:400]
        # Hacker News marks no quotes but by ">". In markdown, ">" is left only where an author wants to see it.
        quoted = start.startswith(">") and source in ("hackernews", "stackoverflow")
        if quoted or REPLY_LINE.match(start) or is_program_line(start):
            dropped.append(line)
            # Below each frame, Python shows a line of the source.
            after_frame = start.startswith("File ")
        elif after_frame and not ERROR_LINE.search(start):
            after_frame = False
        elif TEMPLATE_PROSE.match(start) or (FIELD.match(start) and not is_prose(start)):
            dropped.append("")
        else:
            after_frame = False
            kept.append(line)
    return kept, dropped


def is_program_line(line: str) -> bool:
    """Whether a line is of a trace or a log, and not a sentence that begins like one."""
    if TRACE_LINE.match(line) or LOG_LINE.match(line):
        return True
    if not (FRAME_LINE.match(line) or LEVEL_LINE.match(line)):
        return False
    return bool(CODE_MARK.search(line)) or not is_prose(line)


def is_written(source: str, body: str, block: Block) -> bool:
    """Whether a block of code or a cell of a table holds prose of the author.

    Indented lines are code in markdown, and often a list or a paragraph that was pasted. Hacker News has no other
    lists. Between fences, and in Stack Overflow's code, prose is what others or programs wrote.
    """
    if block.kind not in ("code", "table", "header") or block.nested:
        return False
    text = WEB_ADDRESS.sub(" ", block.text)
    words = [word for raw in text.split() if (word := raw.strip(EDGES))]
    if CODE_MARK.search(text) or not words:
        return False
    if block.kind != "code":
        # Names of things are capitalised in tables, and descriptions are not.
        return len(words) >= 2 and is_plain(words) and any(not word[0].isupper() for word in words)
    if source == "hackernews":
        return is_plain(words)
    return source != "stackoverflow" and not FENCE.search(body) and is_prose(text)


def heading_key(line: str) -> str:
    """A line as seed form_questions spells it: in lower case, without punctuation at both ends."""
    return line.strip(" \t*#_:?.!-–—,`>").replace("’", "'").lower()


def reduce(source: str, blocks: Iterable[Block], headings: Set[str]) -> list[str]:
    """The lines of a post that describe its problem: its prose, and the first error lines of all other blocks.

    headings: the headings of forms (seed form_questions). Such a heading is dropped, and the text below it stays.
    Only GitHub has forms. Their other headings (FORM) are dropped with the short lines below them.
    """
    kept: list[str] = []
    errors: list[str] = []
    forms = source == "github"
    form = False
    heading = ""

    def keep_errors(text: str) -> None:
        for line in error_lines(text):
            if len(errors) == ERROR_LINES:
                return
            if line not in errors:
                errors.append(line)
                kept.append(line)

    for kind, text, _ in blocks:
        if kind not in ("prose", "heading"):
            kept += [heading] * bool(heading)
            heading = ""
            keep_errors(text)
            continue
        if kind == "heading":
            asked = heading_key(text)
            kept += [heading] * bool(heading)
            form = forms and bool(FORM.fullmatch(asked))
            heading = "" if form or asked in headings else tidy(text)
            continue
        lines, dropped = prose(source, text)
        answers = []
        for line in lines:
            asked = heading_key(line)
            if forms and FORM.fullmatch(asked) and (line.endswith((":", "?")) or not is_prose(line)):
                form = True
            elif asked in headings:
                form = False
            elif forms and asked in NO_ANSWER:
                heading = ""
            elif form and len(line) < 80 and not line.endswith((".", "?", "!")):
                if is_prose(line) and not line.endswith(":"):
                    answers.append(line)
                continue
            elif line:
                form = False
                answers.append(line)
        if answers:
            kept += [heading] * bool(heading)
            heading = ""
            kept.append(tidy(" ".join(answers)))
        keep_errors("\n".join(dropped))
    return [line for line in [*kept, heading] if not WORDLESS.fullmatch(line)]


def last_resort(source: str, blocks: list[Block], kinds: Sequence[str], headings: Set[str]) -> list[str]:
    """The lines of a post without prose: those of the first of these kinds that the post has."""
    for kind in kinds:
        texts = [block.text for block in blocks if block.kind == kind]
        if kind in ("quote", "aside"):
            # Some forms fold away all headings with all text of the author.
            lines = reduce(source, (Block("prose", text) for text in texts), headings)
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
    lines = reduce(source, blocks, headings)
    if len(WORDS.findall(" ".join(lines))) < ENOUGH:
        kinds = LAST_RESORTS[:-1] if lines else LAST_RESORTS
        lines += last_resort(source, blocks, kinds, headings)
    if lines:
        return "\n".join(lines)[:KEPT].rstrip()
    text = "\n".join(block.text for block in blocks)[:KEPT]
    return emoji_words(text) if WORDLESS.fullmatch(tidy(text)) else ""


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
    return line[:KEPT] if not WORDLESS.fullmatch(line) else emoji_words(text)


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
