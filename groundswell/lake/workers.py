"""Days over the lake by several processes: python -m groundswell backfill --workers N.

What a day needs no other day for (selector alone) is built by N processes at once, each with a file of its own. One of
them builds the rest, day after day, as soon as this part of a day is there.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from groundswell.backfill import Day, Dbt, build, dbt_process
from groundswell.day import Exit, Outcome
from groundswell.lake.build import ALONE, IN_ORDER
from groundswell.stages import BUILD, Stages

# dbt names its database after the file.
FILE = "groundswell.duckdb"
# The commands for a part of a day. Only the last day, which is built whole, leaves files in target/.
PART = (*BUILD, "--no-write-json", "--selector")
# Those for the rest of the first day, and of the days after it but the last.
OVER_LAKE = tuple((*PART, selector) for selector in IN_ORDER)


@contextmanager
def building_alone(due: Sequence[Day], dbt: Dbt, workers: int, outcome: Outcome) -> Iterator[Callable[[Day], bool]]:
    """Build what days need no other day for, the first day first, by so many processes, of which `dbt` is one.

    Yields a function that says whether this part of a day has been built. Until it has ended, `dbt` builds such parts,
    too; the other processes build them all the while. A failure ends them all.
    """
    left, ended, turn = deque(due), set[date](), threading.Condition()

    def work(mine: Dbt, day: date | None = None) -> None:
        """Build one part after another, until none is left or that of the day has ended."""
        while True:
            with turn:
                if not left or outcome.is_over or day in ended:
                    return
                each = left.popleft()
            mine.stages.begin_log(each.day)
            built = build(each, "texts and topics", (*PART, ALONE), mine, {})
            with turn:
                if built.failed:
                    outcome.add(
                        Exit.NOT_BUILT,
                        f"{each.day} was not built: {built.reason()} (full log: {mine.stages.log_of(each.day)})",
                    )
                    outcome.is_over = True
                    each.became = "was not built"
                ended.add(each.day)
                turn.notify_all()

    def work_beside(other: Dbt) -> None:
        try:
            work(other)
        except BaseException:
            with turn:
                outcome.is_over = True
                turn.notify_all()
            raise

    def is_built(each: Day) -> bool:
        work(dbt, each.day)
        with turn:
            turn.wait_for(lambda: each.day in ended or outcome.is_over)
        return not outcome.is_over

    with TemporaryDirectory(prefix="groundswell-") as folder, ExitStack() as processes:
        others = [
            processes.enter_context(dbt_process(in_folder(dbt.stages, Path(folder) / str(number))))
            for number in range(1, min(workers, len(due)))
        ]
        with ThreadPoolExecutor(workers) as pool:
            try:
                running = [pool.submit(work_beside, other) for other in others]
                yield is_built
                for each in running:
                    each.result()
            except BaseException:
                # The pool waits for its threads, and they for their processes.
                outcome.is_over = True
                for other in others:
                    other.process.terminate()
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
