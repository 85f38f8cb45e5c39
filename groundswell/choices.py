"""Names that a person has typed: those that an option may have, and what may have been meant by another one."""

from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches
from typing import TypeVar

Name = TypeVar("Name", bound=str)


def one_of(known: Iterable[Name]) -> Callable[[str], Name]:
    """A parser for typer that takes one of these names. With a type of names, typer says "Value error," first."""
    # Not at the top: each command of dbt imports this module, and asks for no option.
    import typer

    names = {str(name): name for name in known}

    def parse(text: str) -> Name:
        if text not in names:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(names)}")
        return names[text]

    return parse


def did_you_mean(word: object, known: Collection[str], otherwise: str, similarity: float = 0.6) -> str:
    """What ends an error text: the known name that is most like a word, or another hint if none is as similar."""
    close = get_close_matches(str(word), known, 1, similarity)
    return f"did you mean {close[0]}?" if close else otherwise
