"""Whether what a build writes besides the database has a folder, and room on its disk."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from groundswell.environment import SettingError

# What dbt writes for a build of this project into target/ and logs/, with room to spare.
NEEDED_BYTES = 20_000_000


def dbt_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, Path]:
    """The folders to which dbt writes its artifacts and its logs."""
    return Path(environment.get("DBT_TARGET_PATH") or "target"), Path(environment.get("DBT_LOG_PATH") or "logs")


def existing_part(path: Path) -> Path:
    """The longest part of an absolute path that exists, be it a file or a link to nothing."""
    return next(each for each in (path, *path.parents) if os.path.lexists(each))


def require_folders(*folders: str | Path) -> None:
    """Raise SettingError if one of the folders, which need not exist, can not be made or written."""
    for folder in folders:
        path = Path(folder).absolute()
        existing = existing_part(path)
        if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
            what = "can not be written" if existing.is_dir() else "is no folder"
            raise SettingError(
                f"{existing} {what}, and a build writes files there: set DBT_TARGET_PATH and DBT_LOG_PATH to folders"
            )


def why_full(*folders: str | Path) -> str | None:
    """What is wrong if one of the folders, which need not exist, is on a disk without room; None if nothing is."""
    for folder in folders:
        path = Path(folder).absolute()
        if (free := shutil.disk_usage(existing_part(path)).free) < NEEDED_BYTES:
            return (
                f"{path} has {free / 1e6:.1f} MB of free disk, and a build writes up to {NEEDED_BYTES / 1e6:.0f} MB"
                " there: free some, or set DBT_TARGET_PATH and DBT_LOG_PATH to another disk"
            )
    return None
