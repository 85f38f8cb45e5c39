"""Many days over the lake: python -m groundswell backfill --workers N.

What a day needs no other day for (selector alone) is built by N processes, each with a file of its own. The rest
(selector in_order) is built by one of them, day after day, because each day builds on the problems of those before.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from groundswell.backfill import Day, Dbt, build, dbt_process, plan
from groundswell.day import Exit, Outcome
from groundswell.lake.build import ALONE, IN_ORDER
from groundswell.stages import BUILD, Stages

# The copy of the lake that a worker builds in. dbt names its database after the file.
FILE = "groundswell.duckdb"


class Turns:
    """Hands out days to workers until there are none, or one has failed."""

    def __init__(self, days: Sequence[Day]) -> None:
        self.left = deque(days)
        self.lock = threading.Lock()
        self.failed = False

    def next(self) -> Day | None:
        """The next day; None if there is nothing left to do."""
        with self.lock:
            return self.left.popleft() if self.left and not self.failed else None


def build_over_lake(
    days: Sequence[date],
    stages: Stages,
    workers: int,
    outcome: Outcome,
    *,
    again: bool = False,
    show: Callable[[Sequence[Day]], None],
) -> None:
    """Build the days that are due, with so many processes. show: gets the days once all has ended.

    Raises PlanError.
    """
    with TemporaryDirectory(prefix="groundswell-") as folder, ExitStack() as running:
        dbts = [running.enter_context(dbt_process(in_folder(stages, Path(folder) / str(n)))) for n in range(workers)]
        found = plan(days, dbts[0])
        for day in days:
            if day not in {each.day for each in found}:
                outcome.add(Exit.NO_POSTS, f"{day} was not built, because the lake has no posts of it")
        due = [each for each in found if again or each.due]
        for each in found:
            each.became = "left out" if each in due else "stays"
        try:
            build_alone(due, dbts, outcome)
            build_in_order(due, dbts[0], outcome)
        finally:
            show(found)


def in_folder(stages: Stages, folder: Path) -> Stages:
    """Stages whose commands work on a file of their own, and show nothing while they run: several run at once."""
    folder.mkdir()
    environment = {
        "GROUNDSWELL_DB": str(folder / FILE),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    console = Console(file=stages.console.file, force_terminal=False)
    return replace(stages, environment={**stages.environment, **environment}, console=console)


def build_alone(due: Sequence[Day], dbts: Sequence[Dbt], outcome: Outcome) -> None:
    """Build what days need no other day for, by all processes at once."""
    turns = Turns(due)

    def work(dbt: Dbt) -> None:
        while each := turns.next():
            if not build_part(each, ALONE, dbt, outcome):
                turns.failed = True

    with ThreadPoolExecutor(len(dbts)) as pool:
        for ended in [pool.submit(work, dbt) for dbt in dbts]:
            ended.result()


def build_in_order(due: Sequence[Day], dbt: Dbt, outcome: Outcome) -> None:
    """Build the rest of the days one after another, up to the first that fails."""
    for each in due:
        if outcome.is_over or not build_part(each, IN_ORDER, dbt, outcome):
            outcome.faults.append("each day builds on those before. The same command again goes on from there")
            return


def build_part(each: Day, selector: str, dbt: Dbt, outcome: Outcome) -> bool:
    """Build a part of a day; whether all of it was built and published."""
    stages = dbt.stages
    stages.begin_log(each.day) if selector == ALONE else None
    built = build(each, selector, (*BUILD, "--selector", selector), dbt, {"POCKETBASE_URL": ""})
    if built.failed:
        each.became = "failed"
        outcome.add(Exit.NOT_BUILT, f"{each.day}: {built.reason()} (full log: {stages.log_of(each.day)})")
        outcome.is_over = True
        return False
    return True
