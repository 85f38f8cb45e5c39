"""The three bundled days, collected and built one by one on one file, as the demo does, without a board."""

from pathlib import Path

from sync.demo import DAYS
from tests.support.project import DATABASE, Project
from tests.support.shared import Shared

SETTINGS = {"AUTHOR_SALT": "demo"}


def build_bundled_days(folder: Path, parsed: Path) -> None:
    """Collect and build the days into a folder."""
    project = Project(folder / DATABASE, SETTINGS, parsed)
    for day in DAYS:
        for finished in (project.ingest("--date", day, "--sample"), project.build(day, data_tests=False)):
            assert finished.status == 0, finished.output


def bundled_days(shared: Shared, destination: Path) -> Project:
    """The three days, built; a copy in a folder that does not exist yet."""
    made = shared.copy("bundled_days", lambda folder: build_bundled_days(folder, shared.parsed), destination)
    return Project(made / DATABASE)
