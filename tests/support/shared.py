"""What all workers of a test session share: databases that are built once, and the project as dbt has parsed it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock


@dataclass(frozen=True)
class Shared:
    """A folder that every worker sees."""

    folder: Path

    @property
    def parsed(self) -> Path:
        """The folder of parsed projects."""
        parsed = self.folder / "parsed"
        parsed.mkdir(parents=True, exist_ok=True)
        return parsed

    def copy(self, name: str, make: Callable[[Path], object], destination: Path) -> Path:
        """Copy what make writes into an empty folder; only the first worker that needs it calls make.

        Each worker gets a copy of its own, since one process at a time opens a DuckDB file. Returns the destination.
        """
        made = self.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{made}.lock"):
            if not made.exists():
                unfinished = made.with_suffix(".unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(made)
        shutil.copytree(made, destination)
        return destination
