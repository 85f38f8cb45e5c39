"""Lets a command of dbt say in one line that Ctrl-C or a file of its own ended it. dbt 1.11 shows a traceback."""

import sys
from typing import Any

from dbt.cli import requires
from dbt.events.types import MainEncounteredError, MainStackTrace
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.types import Note

from groundswell.errors import GOES_ON

fire_event = requires.fire_event


def is_interrupt(error: BaseException | None) -> bool:
    """Whether an error is Ctrl-C, or was made of it: DuckDB raises another one, with Ctrl-C as its cause."""
    while error and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def line_of(error: BaseException | None) -> str | None:
    """The line that says why dbt ends; None if dbt's own words are to be shown."""
    if is_interrupt(error):
        return GOES_ON.capitalize()
    # A model that fails has a line of its own. What is left are the files that dbt keeps: a full disk, no folder.
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}. dbt keeps files in target/, or in the folder of DBT_TARGET_PATH"
    return None


def fire_in_one_line(event: BaseEvent, *options: Any, **more: Any) -> None:
    """Show an event of dbt's end as dbt does, but a line of ours instead of an error and its traceback."""
    if isinstance(event, MainEncounteredError | MainStackTrace) and (line := line_of(sys.exc_info()[1])):
        if isinstance(event, MainEncounteredError):
            fire_event(Note(msg=line), EventLevel.ERROR)
        return
    fire_event(event, *options, **more)


def interrupt_in_one_line() -> None:
    """Call it before dbt reads the project."""
    requires.fire_event = fire_in_one_line
