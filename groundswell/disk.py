"""Whether a disk has room for what a build writes besides the database."""

import shutil
from pathlib import Path

# What dbt writes for a build of this project into target/ and logs/, with room to spare.
NEEDED_BYTES = 20_000_000


def why_full(*folders: str | Path) -> str | None:
    """What is wrong if one of the folders, which need not exist, is on a disk without room; None if nothing is."""
    for folder in folders:
        path = Path(folder).absolute()
        existing = next(each for each in (path, *path.parents) if each.exists())
        if (free := shutil.disk_usage(existing).free) < NEEDED_BYTES:
            return (
                f"{path} has {free / 1e6:.1f} MB of free disk, and a build writes up to {NEEDED_BYTES / 1e6:.0f} MB"
                " there: free some, or set DBT_TARGET_PATH and DBT_LOG_PATH to another disk"
            )
    return None
