"""Lets a command of dbt that Ctrl-C ends say so in one line. dbt 1.11 shows its own traceback."""

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


def fire_in_one_line(event: BaseEvent, *options: Any, **more: Any) -> None:
    """Show an event of dbt's end as dbt does, but one line instead of the error and the traceback of Ctrl-C."""
    if isinstance(event, MainEncounteredError | MainStackTrace) and is_interrupt(sys.exc_info()[1]):
        if isinstance(event, MainEncounteredError):
            fire_event(Note(msg=GOES_ON.capitalize()), EventLevel.ERROR)
        return
    fire_event(event, *options, **more)


def interrupt_in_one_line() -> None:
    """Call it before dbt reads the project."""
    requires.fire_event = fire_in_one_line
