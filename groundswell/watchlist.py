"""The watchlist: names of products, and where texts mention them.

File watchlist.yml in the project's folder, or the file that GROUNDSWELL_WATCHLIST names, has two lists of names: own
and competitors. Without a file there are no names.

A mention is a word of its own. Letters, digits, hyphens, dots and the like join words: neither "slackers",
"slack-export" nor "slack.com" mentions Slack. Of names that begin at the same place the longest one counts.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from groundswell.errors import GroundswellError
from groundswell.yaml_file import first_mistake, read_yaml

FILE = Path("watchlist.yml")
VARIABLE = "GROUNDSWELL_WATCHLIST"
MOST_SPELLINGS = 1_000
# Part of the fingerprint: after a change of the rules another number has all posts searched again.
RULES = 2
# Characters of a passage before and after a mention.
PASSAGE = 80

# Letters of scripts that part words by blanks. Chinese, Japanese and Thai do not: there a name stands between letters.
LETTER = "A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff_"
LETTER_OR_DIGIT = re.compile(f"[{LETTER}0-9]")
# What makes one word of two if no blank is near: docs.github, R&D, next-auth, user@slack, std::go, ~/.slack, --slack.
# \Z is the end; $ would also match before the last line break, so that a line could not begin with a name.
JOINED_BEFORE = re.compile(f"(?:[{LETTER}0-9][.&+\\-:'’=#]|[@$\\\\~]|(?<![.])[.]|-)\\Z")
# Docker-based says Docker; docker-compose is another word.
SAID_OF_IT = "based|compatible|first|free|hosted|like|native|only|powered|ready|related|specific|style"
# As above, and a call: go(). An apostrophe may stand before a plain s: Slack's.
JOINED_AFTER = re.compile(
    f"(?!-(?:{SAID_OF_IT})(?![{LETTER}0-9-]))"
    f"(?:[.&\\-:@=][{LETTER}0-9]|['’](?!s(?![{LETTER}0-9]))[{LETTER}]|[=(\\\\]|::|[+#]|\\*\\*?[{LETTER}])"
)
SLASH_BEFORE = re.compile(f"([{LETTER}0-9.#+\\-]*)/\\Z")
SLASH_AFTER = re.compile(f"/([{LETTER}0-9.#+\\-]*)")
# A sentence begins behind these: its first word has a capital letter, whatever the word is.
BEGINNING = re.compile(r"(?:^|[.!?:;…>|*•–—\n\"“”(\[\]-]|\b\w\)|#\d+)[\s\"'“”‘’(\[*_`]*$")
WORD = re.compile(f"[{LETTER}]{{4,}}")


class WatchlistError(GroundswellError):
    """The watchlist can not be read."""


def spelled(text: Any) -> str:
    """A spelling with single blanks. Raises ValueError if it is no text, or if there is nothing to look for."""
    if not isinstance(text, str):
        raise ValueError(f"YAML takes it for another value than text ({text!r:.40}): write it in quotes")
    spelling = " ".join(text.split())
    if not re.search(r"\w", spelling) or len(spelling) > 100 or not spelling.isprintable():
        raise ValueError("a name has 1 to 100 characters, one a letter or a digit, none invisible")
    return spelling


Spelling = Annotated[str, BeforeValidator(spelled)]


class Name(BaseModel):
    """A name of the watchlist, and what counts as its mention."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Spelling
    aliases: tuple[Spelling, ...] = ()
    # Upper and lower case must be as written here. Where every word has a capital letter, a mention proves nothing.
    match_case: bool = False
    # A post mentions the name only if it also has one of these words.
    context: tuple[Spelling, ...] = ()
    # Longer names and phrases that are something else.
    exceptions: tuple[Spelling, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, value: Any) -> Any:
        """A name alone may be written without its key."""
        return value if isinstance(value, dict) else {"name": value}


class Match(NamedTuple):
    """What a post says of a name. passage: the text around the first mention."""

    name: str
    occurrences: int
    is_in_title: bool
    passage: str


class Watchlist(BaseModel):
    """The names to look for. Raises ValidationError if a spelling stands for two names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    own: tuple[Name, ...] = ()
    competitors: tuple[Name, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def without_nulls(cls, value: Any) -> Any:
        """A list whose lines are all comments is null in YAML."""
        return {key: each for key, each in value.items() if each is not None} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def has_each_spelling_once(self) -> "Watchlist":
        """Raise ValueError for a spelling that stands twice, and for too many."""
        spellings = Counter(
            spelling for name in self.names() for spelling in {each.lower() for each in (name.name, *name.aliases)}
        )
        if twice := [spelling for spelling, count in spellings.items() if count > 1]:
            raise ValueError(f"{twice[0]!r} stands for two names: leave one of them out")
        if (number := len(self.parts) + sum(len(name.context) for name in self.names())) > MOST_SPELLINGS:
            raise ValueError(
                f"it has {number:,} names, aliases, exceptions and words of context, and at most {MOST_SPELLINGS:,} are"
                " looked for"
            )
        return self

    def names(self) -> Iterator[Name]:
        """All names, in the order of the file."""
        yield from self.own
        yield from self.competitors

    @cached_property
    def parts(self) -> list[tuple[str, Name | None, bool]]:
        """Each spelling with its name and whether its case counts, the longest first. An exception has no name."""
        found = [
            (spelling, owner, name.match_case)
            for name in self.names()
            for owner, spellings in ((name, (name.name, *name.aliases)), (None, name.exceptions))
            for spelling in spellings
        ]
        return sorted(found, key=lambda part: -len(part[0]))

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides what is a mention."""
        return sha256(f"{RULES} {self.model_dump_json()}".encode()).hexdigest()

    @cached_property
    def beginnings(self) -> re.Pattern[str]:
        """Where a spelling can begin: before a first letter that is not inside of a word."""
        letters = "".join(sorted({re.escape(letter) for text, _, _ in self.parts for letter in cases(text[0])}))
        is_inside = f"(?<=[{LETTER}0-9])[{LETTER}0-9]"
        return re.compile(f"(?=[{letters}])(?!{is_inside})" if letters else r"(?!)")

    @cached_property
    def by_letter(self) -> dict[str, tuple[re.Pattern[str], list[Name | None]]]:
        """The spellings with the same first letter: a pattern with a group for each, and the names of the groups."""
        parts: dict[str, list[tuple[str, Name | None, bool]]] = {}
        for part in self.parts:
            for letter in cases(part[0][0]):
                parts.setdefault(letter, []).append(part)
        return {
            letter: (
                re.compile("|".join(f"({in_case(as_pattern(text), counts)})" for text, _, counts in each)),
                [name for _, name, _ in each],
            )
            for letter, each in parts.items()
        }

    @cached_property
    def prefilter(self) -> str:
        """A regular expression of RE2: every text with a mention matches it, and some without one."""
        return "|".join(
            in_case(f"{edge(text[0])}{as_pattern(text)}{edge(text[-1])}", counts)
            for text, name, counts in self.parts
            if name
        )

    @cached_property
    def contexts(self) -> dict[str, re.Pattern[str]]:
        """The pattern of the context of each name that has one."""
        return {
            name.name: re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(as_pattern, name.context))})(?!\w)")
            for name in self.names()
            if name.context
        }

    def matches(self, title: str, body: str) -> list[Match]:
        """The names that a post mentions, in the order of the watchlist."""
        found: dict[str, list[tuple[int, bool, str]]] = {}
        for number, text in enumerate((title, body)):
            shouts = number == 0 and has_capitals(text)
            for start, end, name in self.spans(text):
                is_sure = not name.match_case or not (shouts or BEGINNING.search(text[max(0, start - 20) : start]))
                found.setdefault(name.name, []).append((number, is_sure, passage(text, start, end)))
        return [
            Match(name.name, len(mentions), mentions[0][0] == 0, mentions[0][2])
            for name in self.names()
            if (mentions := found.get(name.name, []))
            and any(is_sure for _, is_sure, _ in mentions)
            and (name.name not in self.contexts or self.contexts[name.name].search(f"{title}\n{body}"))
        ]

    def spans(self, text: str) -> Iterator[tuple[int, int, Name]]:
        """Where names stand in a text as words of their own: first character, character behind, name."""
        position = 0
        while beginning := self.beginnings.search(text, position):
            start = beginning.start()
            pattern, names = self.by_letter[text[start]]
            match = pattern.match(text, start)
            position = start + 1
            if match and stands_alone(text, start, match.end()):
                position = match.end()
                if name := names[(match.lastindex or 1) - 1]:
                    yield start, match.end(), name


def cases(letter: str) -> set[str]:
    """A letter in upper and lower case, as far as that is one letter: ß has none."""
    return {each for each in (letter, letter.swapcase()) if len(each) == 1}


def in_case(pattern: str, counts: bool) -> str:
    """A pattern for any case, or for the case as written if the case counts."""
    return pattern if counts else f"(?i:{pattern})"


def as_pattern(spelling: str) -> str:
    """A spelling as a regular expression; its blanks match any white space, and a hyphen."""
    return r"(?:\s+|-)".join(re.escape(part) for part in spelling.split())


def edge(character: str) -> str:
    r"""The boundary of a word beside its first or last character, for RE2. Its \b knows ASCII letters only."""
    return r"\b" if character.isascii() and character.isalnum() else ""


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether the characters from start to end are a word of their own in a text."""
    before, after = text[max(0, start - 60) : start], text[end : end + 60]
    if LETTER_OR_DIGIT.match(text[start]) and (LETTER_OR_DIGIT.search(before[-1:]) or JOINED_BEFORE.search(before)):
        return False
    if not LETTER_OR_DIGIT.match(text[start]) and re.search(f"[{LETTER}0-9{re.escape(text[start])}]\\Z", before):
        return False
    if LETTER_OR_DIGIT.match(text[end - 1]):
        if LETTER_OR_DIGIT.match(after) or JOINED_AFTER.match(after):
            return False
    # C++20 is C++, and C+++ is not.
    elif re.match(f"[{LETTER}{re.escape(text[end - 1])}]", after):
        return False
    # Slack/Teams are two names. In r/slack, facebook/react and src/slack/api the slash is part of an address.
    neighbours: list[str] = [
        slash.group(1) for slash in (SLASH_BEFORE.search(before), SLASH_AFTER.match(after)) if slash
    ]
    return all(each.lstrip(".")[:1].isupper() or not each for each in neighbours) and before[-1:] + after[:1] != "//"


def has_capitals(title: str) -> bool:
    """Whether most words of a title begin with a capital letter, so that a capital letter says nothing."""
    words: list[str] = WORD.findall(title)
    return sum(word[0].isupper() for word in words) * 2 > len(words)


def passage(text: str, start: int, end: int) -> str:
    """The words around a mention, in one line."""
    first, last = max(0, start - PASSAGE), min(len(text), end + PASSAGE)
    # Whole words.
    if first > 0:
        first = text.find(" ", first, start) + 1 or start
    if last < len(text):
        last = max(text.rfind(" ", end, last), end)
    line = " ".join(text[first:last].split())
    return f"{'… ' if first else ''}{line}{' …' if last < len(text) else ''}"


def watchlist_file() -> Path | None:
    """The file of the watchlist, if there is one. Raises WatchlistError if GROUNDSWELL_WATCHLIST names none."""
    if chosen := os.environ.get(VARIABLE):
        if not Path(chosen).is_file():
            raise WatchlistError(f"{VARIABLE} names {chosen}, and no such file exists")
        return Path(chosen)
    return FILE if FILE.exists() else None


def load_watchlist() -> Watchlist:
    """Read the watchlist. Raises WatchlistError or YamlFileError with one line: the file, the key, what is wrong."""
    path = watchlist_file()
    if path is None:
        return Watchlist()
    try:
        return Watchlist.model_validate(read_yaml(path) or {})
    except ValidationError as error:
        raise WatchlistError(f"{path}: {first_mistake(error)}. watchlist.example.yml shows how it is written") from None


def mentions_in(watchlist: Watchlist, posts: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, Match]]:
    """Yield (url_hash, match) for posts (url_hash, title, body)."""
    for url_hash, title, body in posts:
        for match in watchlist.matches(title, body):
            yield url_hash, match
