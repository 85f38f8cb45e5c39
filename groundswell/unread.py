"""Lets a command of dbt say that it does not see .env: it would build another database, with another labeller."""

from pathlib import Path

from dbt_common.events.base_types import EventLevel
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

PROJECT = Path(__file__).parents[1]


def tell_unread() -> None:
    """Warn in one line if the project's .env sets something for builds that the environment lacks."""
    # Another project may run in the same installation. Most commands find no file, and need not load what reads it.
    if Path.cwd() != PROJECT or not Path(".env").exists():
        return
    from groundswell.environment import SettingError, unread_by_dbt

    try:
        said = unread_by_dbt()
    except SettingError as error:
        said = str(error)
    if said:
        fire_event(Note(msg=said), EventLevel.WARN)
