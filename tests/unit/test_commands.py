"""What `--help` says of the commands."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.__main__ import main as benchmarks
from groundswell.__main__ import app as groundswell
from ingest.__main__ import app as ingest
from ingest.__main__ import command_names, with_command
from sync.__main__ import app as sync


@pytest.mark.parametrize(
    ("app", "group"),
    [(groundswell, []), (groundswell, ["alerts"]), (groundswell, ["correct"]), (groundswell, ["lake"]), (sync, [])],
)
def test_a_list_of_commands_cuts_off_no_sentence(app: typer.Typer, group: list[str]) -> None:
    shown = CliRunner().invoke(app, [*group, "--help"], env={"COLUMNS": "80"}).output
    assert "Commands:" in shown
    assert not [line for line in shown.splitlines() if line.endswith("...") and not line.startswith("Usage:")]


def test_the_help_of_a_collection_names_the_other_commands() -> None:
    shown = CliRunner().invoke(ingest, with_command(["--help"])).output
    assert all(name in shown for name in command_names())


def commands_of(command: Any) -> Iterator[Any]:
    """A command, and all those below it."""
    yield command
    for part in getattr(command, "commands", {}).values():
        yield from commands_of(part)


@pytest.mark.parametrize("app", [groundswell, ingest, sync])
def test_each_option_says_what_it_is_for(app: typer.Typer) -> None:
    commands = list(commands_of(typer.main.get_command(app)))
    assert len(commands) > 3
    assert not [f"{each.name} {option.name}" for each in commands for option in each.params if not option.help]


def test_a_subject_that_is_none_is_refused_in_our_words() -> None:
    app = typer.Typer()
    app.command()(benchmarks)
    refused = CliRunner().invoke(app, ["bored"], env={"COLUMNS": "200"})
    assert refused.exit_code == 2
    assert "'bored' is not one of collectors, files, build," in refused.output
    assert "Value error" not in refused.output
