"""An earlier commit beside this code, and what a command uses: what comparisons with it share."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb

from tests.support.project import ROOT

# The last commit before there was a backfill, and before builds were made faster.
BEFORE = "6381e23"


@contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[None]:
    """Check a commit out in a new folder for the length of a with block."""
    subprocess.run(
        ["git", "worktree", "add", "--quiet", "--detach", "--force", str(folder), commit], cwd=ROOT, check=True
    )
    try:
        yield
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=ROOT, check=True)


class Used(NamedTuple):
    """What a command used: seconds of the clock, CPU seconds, and the most memory of a process in MB."""

    seconds: float
    cpu_seconds: float
    megabytes: float


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> Used:
    """Run a command in a folder. Ends this program if the command fails."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if status:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed\n{output.read()[-3000:]}")
    return Used(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def take_vectors(database: Path, whole: Path) -> None:
    """Give a database that has no silver layer yet the vectors of another one."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"attach '{whole}' as whole (read_only)")
        connection.execute("create schema silver")
        connection.execute("create table silver.embeddings as from whole.silver.embeddings")
