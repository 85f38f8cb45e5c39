"""The YAML that people write: sources, watchlist, saved filters, vars on the command line."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from groundswell.errors import GroundswellError
from groundswell.words import reason

# What PyYAML raises, besides its own errors, for a date like 2026-13-45 and for a tag that does not fit its value.
NO_VALUE = (ValueError, LookupError, AttributeError)

# What is wrong, and what to do, by what PyYAML says. {sign}: the sign that it names; {begun}: the line where it began.
MISTAKES = {
    r"mapping values are not allowed": "the line has too many blanks before it, or a text with a colon needs quotes",
    r"character '\\t' that cannot start any token": "write blanks instead of the tab",
    r"that cannot start any token": "a text that begins with {sign} needs quotes",
    r"undefined alias": "a text that begins with * needs quotes",
    r"expected alphabetic or numeric character": "a text that begins with * or & needs quotes",
    r"constructor for the tag": "a text that begins with ! needs quotes",
    r"expected ',' or ']'": "what begins with [ in line {begun} needs a comma between two entries and ] at its end",
    r"expected ',' or '}'": "what begins with {{ in line {begun} needs a comma between two entries and }} at its end",
    r"unexpected end of stream": "the quotation mark in line {begun} has no second one",
    r"unknown escape character": r"write \\ instead of \, or single quotation marks instead of double ones",
    r"could not find expected ':'": "a key and a colon are expected, as in key: value",
    r"expected <block end>": "this does not fit the lines before: give entries of one list or section the same blanks",
    r"expected a mapping .*for merging": "<< needs keys and values to take over, as in <<: *name",
    r"stands twice": "{said}",
    r"^no value can be made": "{said}: if it is text, write it in quotes",
}
OTHER_MISTAKE = "it is no YAML, and a text with special signs may need quotes ({said})"

# What pydantic says in the words of Python, by the type of its error.
WORDS = {
    "extra_forbidden": "there is no such key",
    "missing": "it is missing",
    "tuple_type": "a list is expected, as in [one, another]",
    "string_type": "text is expected: write it in quotes",
    "string_unicode": "text is expected, without half of a character",
    "model_type": "keys and their values are expected",
}


class YamlFileError(GroundswellError):
    """A file can not be read, or is no YAML."""


class Loader(yaml.SafeLoader):
    """Reads YAML, and refuses a key that stands twice: YAML would drop the first one."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node. Raises yaml.YAMLError, also for what PyYAML raises without a place."""
        try:
            return super().construct_object(node, deep)
        except NO_VALUE as error:
            raise yaml.constructor.ConstructorError(
                problem=f"no value can be made of what stands here ({error})", problem_mark=node.start_mark
            ) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The keys and values of a mapping. Raises yaml.YAMLError."""
        # A merge (<<) is no key.
        named = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in named]
        if repeated := [key for number, key in enumerate(keys) if key in keys[:number]]:
            raise yaml.constructor.ConstructorError(
                problem=f"the key {repeated[0]} stands twice in what begins here", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """What a YAML file holds; None if it is empty. Raises YamlFileError with one line: the file, and what is wrong."""
    try:
        return read_yaml_text(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    raise YamlFileError(f"{path} can not be read: {reason}")


def read_yaml_text(text: str, name: str) -> Any:
    """What YAML holds; None if it is empty. name: of its file or option. Raises YamlFileError with one line."""
    try:
        return yaml.load(text, Loader)  # noqa: S506  (a kind of SafeLoader)
    except RecursionError:
        reason = "its lists and keys are nested too deep"
    except yaml.MarkedYAMLError as error:
        raise YamlFileError(f"{name}, {explained(error)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlFileError(
            f"{name}, line {line}: delete the character {error.character:#04x}, which is invisible"
        ) from None
    raise YamlFileError(f"{name} can not be read: {' '.join(reason.split())}")


def explained(error: yaml.MarkedYAMLError) -> str:
    """The line of a mistake, what is wrong there, and what to do."""
    mark, said = error.problem_mark or error.context_mark, str(error.problem)
    begun = error.context_mark.line + 1 if error.context_mark else ""
    sign = (re.findall(r"character '(.+?)'", said) or [""])[0]
    advice = next((text for pattern, text in MISTAKES.items() if re.search(pattern, said)), OTHER_MISTAKE)
    return f"line {mark.line + 1 if mark else 1}: {advice.format(sign=sign, begun=begun, said=' '.join(said.split()))}"


def first_mistake(error: ValidationError) -> str:
    """The first mistake that pydantic found in a file, as `key: what is wrong`. Places in lists count from 1."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(key + 1) if isinstance(key, int) else key for key in first["loc"]) or "the file"
    return f"{where}: {reason(first, WORDS)}"
