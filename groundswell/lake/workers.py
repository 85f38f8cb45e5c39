"""Days over the lake by several processes: python -m groundswell backfill --workers N.

What a day needs no other day for (selector alone) is built by N processes at once, each with a file of its own.
"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from groundswell.backfill import Day, Dbt, build, dbt_process
from groundswell.day import Exit, Outcome
from groundswell.lake.build import ALONE
from groundswell.stages import BUILD, Stages

# dbt names its database after the file.
FILE = "groundswell.duckdb"


def build_alone(due: Sequence[Day], dbt: Dbt, workers: int, outcome: Outcome) -> None:
    """Build what days need no other day for, by so many processes, of which `dbt` is one. A failure ends them all."""
    left, turn = deque(due), threading.Lock()

    def work(mine: Dbt) -> None:
        while True:
            with turn:
                if not left or outcome.is_over:
                    return
                each = left.popleft()
            stages = mine.stages
            stages.begin_log(each.day)
            built = build(each, "texts and topics", (*BUILD, "--selector", ALONE), mine, {})
            if built.failed:
                with turn:
                    outcome.add(
                        Exit.NOT_BUILT,
                        f"{each.day} was not built: {built.reason()} (full log: {stages.log_of(each.day)})",
                    )
                    outcome.is_over = True
                    each.became = "was not built"

    with TemporaryDirectory(prefix="groundswell-") as folder, ExitStack() as others:
        dbts = [
            others.enter_context(dbt_process(in_folder(dbt.stages, Path(folder) / str(number))))
            for number in range(1, min(workers, len(due)))
        ]
        mine = Dbt(silent(dbt.stages), dbt.process)
        with ThreadPoolExecutor(len(dbts) + 1) as pool:
            try:
                for ended in [pool.submit(work, each) for each in (mine, *dbts)]:
                    ended.result()
            except BaseException:
                # The pool waits for its threads, and they for their processes.
                outcome.is_over = True
                for each in (mine, *dbts):
                    each.process.terminate()
                raise


def silent(stages: Stages) -> Stages:
    """Stages that show no progress of a command: several commands run at once."""
    return replace(stages, console=Console(file=stages.console.file, force_terminal=False))


def in_folder(stages: Stages, folder: Path) -> Stages:
    """Silent stages whose commands have a file of their own."""
    folder.mkdir()
    own = {"GROUNDSWELL_DB": folder / FILE, "DBT_TARGET_PATH": folder / "target", "DBT_LOG_PATH": folder / "logs"}
    environment = {**stages.environment, **{name: str(path) for name, path in own.items()}}
    return replace(silent(stages), environment=environment)
