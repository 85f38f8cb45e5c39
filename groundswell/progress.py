"""Progress bars on stderr. Without a terminal they print nothing."""

from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress
from rich.progress import track as rich_track

Step = TypeVar("Step")


def track(
    steps: Iterable[Step], description: str, *, total: float | None = None, disable: bool = False
) -> Iterable[Step]:
    """The steps, with a progress bar while they are read; total is their number if they have no length."""
    console = Console(stderr=True)
    return rich_track(steps, description, total=total, console=console, disable=disable or not console.is_terminal)


def progress_bar(*, transient: bool = False) -> Progress:
    """A progress bar to advance by hand; a transient one disappears at its end."""
    console = Console(stderr=True)
    return Progress(console=console, transient=transient, disable=not console.is_terminal)
