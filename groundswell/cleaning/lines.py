"""Which lines of a post its author wrote, and which ones are code, a trace, a log, a quote or a form.

Every pattern takes time in proportion to the text.
"""

import re
from collections.abc import Iterator, Sequence

from groundswell.cleaning.characters import WEB_ADDRESS, tidy
from groundswell.cleaning.markup import Block

ERROR_LENGTH = 150

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
# A field of a form in one line. Examples: Extension version: 0.31.3 · OS: Windows 11 · Browser [e.g. chrome]: Firefox
FIELD = re.compile(
    r"(?i)(?:[\w.`@/+#()-]{1,40} ){0,5}(?:versions?|os|platform|browser|device|arch(?:itecture)?"
    r"|operating system|cpus?|gpu|ram|commit"
    r"|distribution|system|electron|electronbuildid|chromium|node(?:\.js)?|v8|python|type|modes|model id"
    r"|request id|shell|hardware|kernel)"
    r"`?(?: ?[(\[].{0,60}[)\]])? ?[:=]`? ?(?=[^ ]{0,40}$|[^ ]{0,40} [^ ]{0,40}$"
    r"|[^ ]{0,40} [^ ]{0,40} [^ ]{0,40}$|.{0,60}\d).{0,120}$"
)
TEMPLATE_PROSE = re.compile(
    r"(?i)a clear and concise description|if applicable, add|add any other context|describe the solution you"
    r"|please fill|go to '\.\.\.'"
    r"|does this issue occur when all extensions are disabled|i have searched (?:the )?existing|click on '\.\."
    r"|scroll down to '\.\.|see error$|(?:add )?issue description here$|please include following log"
    r"|feature \(e\.g\. |selected model \(e\.g\. |user agent: mozilla|embedder: codespaces|sentry issue: "
)


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
