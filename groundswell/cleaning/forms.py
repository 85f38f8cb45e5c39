"""What a post says of its problem: its prose without the headings of forms, and its first error lines."""

import re
from collections.abc import Iterable, Set

from groundswell.cleaning.characters import WORDLESS, tidy
from groundswell.cleaning.lines import error_lines, is_prose, prose
from groundswell.cleaning.markup import Block

ERROR_LINES = 3
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
NO_ANSWER = frozenset(
    "yes no n/a na none no response not applicable nothing unknown bug source binary every time sometimes - +"
    " todo".split()
) | {"no response", "not applicable", "every time", "not sure", "yes/no", "no description provided"}


def heading_key(line: str) -> str:
    """A line as seed form_questions spells it: in lower case, without punctuation at both ends."""
    return line.strip(" \t*#_:?.!-–—,`>").replace("’", "'").lower()


def problem_lines(source: str, blocks: Iterable[Block], headings: Set[str]) -> list[str]:
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
