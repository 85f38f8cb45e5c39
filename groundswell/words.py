"""Words of messages that people read."""

from collections.abc import Mapping
from typing import Any


def count(number: int, one: str, many: str) -> str:
    """A number and its noun: 1 person, 2 people."""
    return f"{number:,} {one if number == 1 else many}"


def reason(problem: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """What is wrong by pydantic: in our words, if they have the name of its error, otherwise in its own."""
    return words.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")
