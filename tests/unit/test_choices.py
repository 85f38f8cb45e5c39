"""Names that a person types: one line says which there are."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

from groundswell.__main__ import app as groundswell
from groundswell.choices import did_you_mean
from ingest.__main__ import app as ingest
from sync.__main__ import app as sync

APPS = (groundswell, ingest, sync)


@pytest.mark.parametrize(
    ("app", "command", "says"),
    [
        (groundswell, "export --format xlsx", "'--format': 'xlsx' is not one of csv, parquet, json"),
        (groundswell, "export --format csv --table nope", "'--table': 'nope' is not one of problems, problem_posts, "),
        (groundswell, "day --log-format xml", "'--log-format': 'xml' is not one of text, json"),
        (groundswell, "backfill --log-format xml", "'--log-format': 'xml' is not one of text, json"),
        (ingest, "collect --source gitlab", "'--source': 'gitlab' is not one of feeds, github, hackernews, "),
    ],
)
def test_another_name_is_refused_in_one_line(app: typer.Typer, command: str, says: str) -> None:
    result = CliRunner().invoke(app, command.split())
    assert result.exit_code == 2
    assert result.output.splitlines()[-1].startswith(f"Error: Invalid value for {says}")


def functions(app: typer.Typer) -> Iterator[Any]:
    """The functions of all commands."""
    yield from (command.callback for command in app.registered_commands)
    for group in app.registered_groups:
        assert group.typer_instance
        yield from functions(group.typer_instance)


def test_no_option_leaves_the_line_to_typer() -> None:
    """Typer writes "Value error," before it, if the type of an option is an enumeration."""
    options = [
        (function.__name__, name, hint)
        for app in APPS
        for function in functions(app)
        for name, hint in get_type_hints(function, include_extras=True).items()
        if any(isinstance(part, type) and issubclass(part, Enum) for part in parts(hint))
    ]
    assert {name for _, name, _ in options} >= {"form", "log_format"}
    assert [option for option in options if not option[2].__metadata__[0].parser] == []


def parts(hint: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield hint
    for inner in getattr(hint, "__args__", ()):
        yield from parts(inner)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("subreddit", "did you mean subreddits?"), ("x", "there are two"), (3, "there are two")],
)
def test_what_may_have_been_meant(word: object, meant: str) -> None:
    assert did_you_mean(word, ["subreddits", "enabled"], "there are two") == meant
