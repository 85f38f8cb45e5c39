"""Many days in one process: python -m groundswell backfill.

A day that was built, and that a build would not change, is left as it is. The days before the last one are built
without the models that show only the latest day, without views, which stay as they are, and without the data tests that
read all days. The last day has a complete build: its data tests read the rows of all days before anything is pushed.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from groundswell.database import connect, existing, existing_path, posts_place, table
from groundswell.day import NOT_PUSHED, Exit, Outcome, require_all, what_is_done_stays, why_unreachable
from groundswell.days import in_words
from groundswell.errors import GroundswellError
from groundswell.report import live_counts
from groundswell.stages import BUILD, Built, Line, LogFormat, Reader, Stages, collect, ended_with

# The commands for the first day and for those after it, all but the last: selectors.yml says what they build. Over the
# lake there are others (groundswell/lake/workers.py).
ON_FILE = tuple(("build", "--no-write-json", "--selector", name) for name in ("backfill_first", "backfill_next"))
COUNTS = ("posts", "complaints", "issues_labelled", "problems")


class PlanError(GroundswellError):
    """What there is to do can not be found out."""


@dataclass
class Day:
    """A day of a backfill. due: why it is built; None if it stays. seconds, cpu_seconds: of its build."""

    day: date
    posts: int
    due: str | None
    is_tested: bool
    seconds: float | None = None
    cpu_seconds: float | None = None
    became: str = ""


class Dbt:
    """dbt commands that run one after another in one process (groundswell.dbt_commands).

    megabytes: the most memory of the process. cpu_seconds: those of the latest command.
    """

    def __init__(self, stages: Stages, process: subprocess.Popen[str]) -> None:
        self.stages, self.process, self.megabytes, self.cpu_seconds = stages, process, 0, 0.0

    def run(
        self, day: date, stage: str, arguments: Sequence[str], read: Callable[[str], Line], **settings: str
    ) -> int:  # fmt: skip
        """Run a command; returns its exit status. read: as in Stages.run. settings: further environment variables."""
        folder = self.stages.artifacts() if "build" in arguments else None
        command = {
            "arguments": arguments,
            "environment": settings,
            "results": str(folder / f"run_results-{day}.json") if folder else None,
        }
        process = self.process
        with self.stages.open_log(day) as log, self.stages.status(day, stage) as status:
            log.write(f"$ dbt {' '.join(arguments)}\n")
            try:
                print(json.dumps(command), file=process.stdin, flush=True)
                for line in process.stdout or ():
                    if line.startswith('{"status": '):
                        answer = json.loads(line)
                        self.megabytes, self.cpu_seconds = answer["megabytes"], answer["cpu_seconds"]
                        return int(answer["status"])
                    self.stages.show(day, stage, read(line.rstrip("\n")), log, status)
            except BrokenPipeError:
                pass  # it has ended
            return process.wait() or 1


@contextmanager
def dbt_process(stages: Stages) -> Iterator[Dbt]:
    """A process for dbt commands. It ends with the with block."""
    # Threads of OpenMP would burn the other cores while they wait for work.
    environment = {"OMP_WAIT_POLICY": "passive", **stages.environment}
    command = (sys.executable, "-m", "groundswell.dbt_commands")
    with (
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process,
        ended_with(process),
    ):
        yield Dbt(stages, process)
        if process.stdin:
            process.stdin.close()


def backfill(
    days: Sequence[date],
    stages: Stages,
    *,
    collects: bool = False,
    again: bool = False,
    workers: int = 1,
    options: Sequence[str] = (),
) -> Outcome:
    """Build days one after another in one process, then test and push them, and show a table.

    collects: collect each day first. again: build days, too, that a build would not change. workers: over the lake, so
    many processes first build what days need no other day for. options: further options of python -m ingest.

    Raises SettingError, WatchlistError or YamlFileError before anything runs; DatabaseError, LogError and PlanError.
    """
    require_all(stages, options)
    outcome = Outcome()
    if collects and not all_collected(days, stages, options, outcome):
        return outcome
    over_lake = bool(stages.environment.get("GROUNDSWELL_LAKE"))
    if not over_lake:
        existing_path()
    stages.begin_log(days[0])
    since = time.time()
    with dbt_process(stages) as dbt:
        found = plan(days, dbt)
        with_posts = {each.day for each in found}
        if empty := [day for day in days if day not in with_posts]:
            # One line: a year may lack most of its days.
            was, it = ("was", "it") if len(empty) == 1 else ("were", "them")
            outcome.add(
                Exit.NO_POSTS, f"{in_words(empty)} {was} not built, because {posts_place()} has no posts of {it}"
            )
        due = [each for each in found if again or each.due]
        if not due and not all(each.is_tested for each in found):
            # A run before this one has ended between the days and their tests.
            due = found[-1:]
        for each in found:
            if each not in due:
                each.became = "stays"
        if over_lake:
            # Not at the top: the lake's packages are an extra.
            from groundswell.lake.workers import OVER_LAKE, building_alone, silent

            # Several processes write lines at once.
            dbt = Dbt(silent(stages), dbt.process)
            with building_alone(due, dbt, workers, outcome) as is_built:
                build_days(due, dbt, outcome, OVER_LAKE, is_built)
        else:
            build_days(due, dbt, outcome, ON_FILE)
        if due:
            stages.keep_artifacts(due[-1].day, since)
    show_table(days, found, stages)
    return outcome


def all_collected(days: Sequence[date], stages: Stages, options: Sequence[str], outcome: Outcome) -> bool:
    """Collect days; whether that could be done."""
    for day in days:
        stages.begin_log(day)
        collected = collect(stages, day, options)
        if collected.fatal:
            outcome.add(Exit.STOPPED, f"{day} was not collected: {collected.fatal} (full log: {stages.log_of(day)})")
            return False
        for fault in collected.faults:
            outcome.add(Exit.INCOMPLETE, f"{day} is incomplete: {fault} (full log: {stages.log_of(day)})")
    return True


def plan(days: Sequence[date], dbt: Dbt) -> list[Day]:
    """The days that have posts, in order, and which of them are due (macro name_days). Raises PlanError."""
    reader = Reader()
    arguments = ("run-operation", "name_days", "--args", json.dumps({"first": str(days[0]), "last": str(days[-1])}))
    status = dbt.run(days[0], "plan", arguments, reader.read)
    reader.end(status)
    said = [note for note in reader.built.notes if note.startswith('{"days": ')]
    if reader.built.failed or not said:
        raise PlanError(reader.built.reason() if reader.built.failed else "dbt named no days")
    return [
        Day(date.fromisoformat(each["day"]), each["posts"], each["due"], each["is_tested"])
        for each in json.loads(said[-1])["days"]
    ]


def build_days(
    due: Sequence[Day],
    dbt: Dbt,
    outcome: Outcome,
    commands: Sequence[Sequence[str]],
    is_begun: Callable[[Day], bool] | None = None,
) -> None:
    """Build days, the last one in full, and push them.

    commands: for the first day, and for those between. is_begun: waits for what others build of a day before, and says
    whether that was built.
    """
    stages = dbt.stages
    url = stages.environment.get("POCKETBASE_URL")
    for number, each in enumerate(due, 1):
        day, is_last = each.day, number == len(due)
        log = f"full log: {stages.log_of(day)}"
        if is_begun:
            if not is_begun(each):
                leave_out(due[number - 1 :])
                return
        elif number > 1:
            stages.begin_log(day)
        away = why_unreachable(day, stages) if url and is_last else None
        arguments = BUILD if is_last else commands[number > 1]
        next_day = None if is_last else due[number].day
        said = f"{number} of {len(due)}"
        built = build(each, said, arguments, dbt, {"POCKETBASE_URL": ""} if away else {}, next_day)
        if built.push_failed:
            away = built.reason()
        elif not built.failed:
            each.became = "built"
        else:
            what = "has failed data tests" if built.only_tests_failed else "was not built"
            each.became = what
            outcome.add(Exit.NOT_BUILT, f"{day} {what}: {built.reason()} ({log})")
            outcome.is_over = not built.only_tests_failed
        if is_last and not outcome.is_over:
            push_days(due, stages, url, away, outcome)
        if outcome.is_over and not is_last:
            leave_out(due[number:])
            outcome.faults.append(
                f"the days from {due[number].day} on were left out: each day builds on those before. The same command"
                " again goes on from there"
            )
            return


def leave_out(days: Sequence[Day]) -> None:
    """Note that days are not built, because a day before has failed. That day keeps what became of it."""
    for each in days:
        each.became = each.became or "left out"


def build(
    each: Day,
    number: str,
    arguments: Sequence[str],
    dbt: Dbt,
    settings: Mapping[str, str],
    next_day: date | None = None,
) -> Built:
    """Build a day or a part of it, and note how long it took.

    number: of the day, as 3 of 30; or the part's name. next_day: the day that is built next, which groups the days from
    it on.
    """
    started = time.monotonic()
    reader = Reader()

    def read(line: str) -> Line:
        read = reader.read(line)
        return read._replace(shown=read.shown and f"{number}: {read.shown}")

    # Nothing is published before the data tests of all rows.
    variables: dict[str, Any] = {"date": str(each.day), "publish": arguments == BUILD}
    if next_day:
        variables["next_day"] = str(next_day)
    status = dbt.run(each.day, "build", (*arguments, "--vars", json.dumps(variables)), read, **settings)
    said = reader.end(status)
    # Over the lake, a day is built in two parts.
    each.seconds = (each.seconds or 0) + time.monotonic() - started
    each.cpu_seconds = (each.cpu_seconds or 0) + dbt.cpu_seconds
    dbt.stages.tell(each.day, "build", f"{number}: {said}, {dbt.megabytes:,} MB", started)
    return reader.built


def push_days(due: Sequence[Day], stages: Stages, url: str | None, away: str | None, outcome: Outcome) -> None:
    """Push the days before the last one, which its build has pushed. away: why nothing can be pushed."""
    if not url:
        stages.tell(due[-1].day, "push", NOT_PUSHED)
        return
    for each in due[:-1]:
        lines = [""]

        def read(line: str, lines: list[str] = lines) -> Line:
            lines.append(line)
            return Line(line)

        if not away and stages.run(each.day, "push", (sys.executable, "-m", "sync", "--date", str(each.day)), read):
            away = lines[-1].removeprefix("ERROR: ")
        if away:
            break
    if away:
        outcome.add(
            Exit.NOT_PUSHED,
            f"the days up to {due[-1].day} were not all pushed: {away}. Then: python -m groundswell push --date DATE",
        )
    else:
        with what_is_done_stays("all is pushed, and can not be counted", outcome):
            stages.tell(due[-1].day, "push", f"{live_counts(due[-1].day)} are live at {url}")


def counts() -> Mapping[date, tuple[Any, ...]]:
    """COUNTS of each built day."""
    report, searches = table("gold", "daily_report"), table("gold", "problem_searches")
    with connect(read_only=True) as connection:
        if not (existing(connection, report) and existing(connection, searches)):
            return {}
        rows = connection.execute(
            f"""
            select report_date, daily_report.posts, daily_report.complaints, daily_report.issues_labelled,
                problem_searches.problems
            from {report} as daily_report
            left join {searches} as problem_searches on daily_report.report_date = problem_searches.search_date
            """
        ).fetchall()
    return {day: tuple(found) for day, *found in rows}


def show_table(days: Sequence[date], found: Sequence[Day], stages: Stages) -> None:
    """Show what became of each day. In text, days without posts that follow each other share a row."""
    by_day, counted = {each.day: each for each in found}, counts()
    unknown = (None,) * len(COUNTS)
    if stages.log_format == LogFormat.JSON:
        for day in days:
            each = by_day.get(day)
            numbers = dict(zip(COUNTS, counted.get(day, unknown) if each else unknown, strict=True))
            cpu = each.cpu_seconds if each else None
            more: dict[str, Any] = numbers | {"seconds": rounded(each), "cpu_seconds": cpu}
            stages.log(each.became if each else "no posts", day, "backfill", **more)
        return
    columns = Table("day", *(name.split("_")[0] for name in COUNTS), "seconds", "", box=SIMPLE_HEAD)
    for has_posts, run in groupby(days, by_day.__contains__):
        if not has_posts:
            columns.add_row(in_words(list(run)), *[""] * (len(COUNTS) + 1), "no posts")
            continue
        for day in run:
            each = by_day[day]
            why = f" ({each.due})" if each.due and each.seconds is not None else ""
            cells = ("" if number is None else f"{number:,}" for number in (*counted.get(day, unknown), rounded(each)))
            columns.add_row(str(day), *cells, f"{each.became}{why}")
    Console(width=max(stages.console.width, 100), file=stages.console.file).print(columns)


def rounded(each: Day | None) -> float | None:
    """The seconds of a day's build, to a tenth."""
    return round(each.seconds, 1) if each and each.seconds is not None else None
