"""Spares dbt its events for debugging where nobody takes them.

dbt makes each one with its text, and looks through the environment for secrets in it, before it asks whether a log
takes it (findings/dbt_formats_events_that_no_log_takes.sh). A first build has some thousands of them.
"""

from functools import cached_property
from typing import Any

from dbt.tracking import track_behavior_change_warn
from dbt_common.events.base_types import BaseEvent, DebugLevel, EventLevel
from dbt_common.events.event_manager import EventManager

fire_event = EventManager.fire_event
make_event = BaseEvent.__init__


def are_read(manager: EventManager) -> bool:
    """Whether a log or a caller of dbt takes events for debugging. dbt's own callback waits for a warning."""
    return any(logger.level in (EventLevel.DEBUG, EventLevel.TEST) for logger in manager.loggers) or any(
        callback is not track_behavior_change_warn for callback in manager.callbacks
    )


def fire_if_read(
    manager: EventManager, e: BaseEvent, level: EventLevel | None = None, *options: Any, **more: Any
) -> None:
    """Fire an event as dbt does, unless it is one for debugging that nobody takes."""
    if (level or e.level_tag()) != EventLevel.DEBUG or are_read(manager):
        fire_event(manager, e, level, *options, **more)


def keep_values(event: DebugLevel, *values: Any, **named: Any) -> None:
    """Take the place of the constructor, which copies the values into a message."""
    event.__dict__["given"] = (values, named)


def message(event: DebugLevel) -> Any:
    """The message of an event, made when it is read first."""
    values, named = event.__dict__["given"]
    make_event(event, *values, **named)
    return event.__dict__["pb_msg"]


def spare_debug_events() -> None:
    """Call it before dbt reads the project."""
    read_first = cached_property(message)
    read_first.__set_name__(DebugLevel, "pb_msg")
    DebugLevel.pb_msg = read_first
    DebugLevel.__init__ = keep_values  # type: ignore[method-assign, assignment]
    EventManager.fire_event = fire_if_read  # type: ignore[method-assign, assignment]
