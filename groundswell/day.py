"""A day from the services to the board: python -m groundswell day."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from pathlib import Path

from groundswell.database import DatabaseError, bring_from_lake, connect, existing, posts_place, table
from groundswell.environment import SettingError, require_addresses
from groundswell.report import live_counts, show_report
from groundswell.stages import DBT, Built, Line, LogFormat, Stages, build, collect, runs_kept
from groundswell.watchlist import load_watchlist

# Options of python -m ingest that `day` gives itself, and those with which it collects nothing.
NOT_PASSED_ON = ("--date", "--from", "--to", "--json", "--dry-run", "--help")
# There is nothing to do: a board is not needed.
NOT_PUSHED = "nothing was pushed, since POCKETBASE_URL is not set"


class Exit(IntEnum):
    """The exit codes of `day` and `backfill`. Of several, the highest one counts. docs/operations.md explains them."""

    DONE = 0
    STOPPED = 1
    SETTINGS = 2
    INCOMPLETE = 3
    NOT_PUSHED = 4
    NO_POSTS = 5
    NOT_BUILT = 6


@dataclass
class Outcome:
    """What became of the days.

    code: the highest exit code. faults: a line for each thing that a person should know. is_over: whether no later day
    should run, because each day builds on the days before it.
    """

    code: Exit = Exit.DONE
    faults: list[str] = field(default_factory=list)
    is_over: bool = False

    def add(self, code: Exit, fault: str) -> None:
        """Note a fault."""
        self.code = max(self.code, code)
        self.faults.append(fault)


def require_project() -> None:
    """Raise SettingError if dbt would find no project here, or is not installed beside this Python."""
    if not Path("dbt_project.yml").exists():
        raise SettingError("dbt_project.yml is not in this folder: run it in a clone of the repository")
    if not Path(DBT).exists():
        raise SettingError(f"{DBT} is missing: run the Python of the environment in which dbt is, as .venv/bin/python")


def require_all(stages: Stages, options: Sequence[str] = ()) -> None:
    """Raise SettingError, WatchlistError or YamlFileError before anything runs, where a build would fail later."""
    require_project()
    for option in options:
        if (name := option.partition("=")[0]) in NOT_PASSED_ON:
            raise SettingError(
                f"{name} is not handed on to python -m ingest: --date, or --from and --to, name the days, and python -m"
                " ingest alone has the rest"
            )
    require_addresses(("POCKETBASE_URL", "BOARD_URL"), stages.environment)
    # A build would refuse these, too, after the collection and most of its models.
    if stages.environment.get("LLM_MODEL") or stages.environment.get("LLM_BASE_URL"):
        # Its import takes seconds, because LiteLLM comes with it.
        from groundswell.llm.settings import require_models

        require_models(stages.environment)
    load_watchlist()
    runs_kept(stages.environment)
    stages.require_folders()


def run_days(days: Sequence[date], stages: Stages, options: Sequence[str] = ()) -> Outcome:
    """Collect, build and push days one after another, send alerts, and show the report of the last day that was built.

    options: further options of python -m ingest. Raises SettingError, WatchlistError or YamlFileError before anything
    runs, and LogError.
    """
    require_all(stages, options)
    outcome = Outcome()
    reported: tuple[date, Built] | None = None
    for number, day in enumerate(days, 1):
        built = run_day(day, stages, options, outcome)
        # Tables of a build that failed hold another day.
        if built and not outcome.is_over:
            reported = day, built
        if outcome.is_over:
            if number < len(days):
                outcome.faults.append(f"the days from {days[number]} on were left out: each day builds on those before")
            break
    if reported:
        if stages.environment.get("ALERT_URLS", "").strip():
            send_alerts(reported[0], stages, outcome)
        if stages.log_format == LogFormat.TEXT:
            with what_is_done_stays("the report can not be shown", outcome):
                show_report(*reported, stages.console)
    return outcome


@contextmanager
def what_is_done_stays(what: str, outcome: Outcome) -> Iterator[None]:
    """Note it if a with block can not read the database, because another program took it after the day was done."""
    try:
        yield
    except DatabaseError as error:
        outcome.faults.append(f"{what}: {error}")


def run_day(day: date, stages: Stages, options: Sequence[str], outcome: Outcome) -> Built | None:
    """Collect, build and push one day, and add its faults to an outcome; None if dbt did not run."""
    stages.begin_log(day)
    log = f"full log: {stages.log_of(day)}"
    collected = collect(stages, day, options)
    if collected.fatal:
        outcome.add(Exit.STOPPED, f"{day} was not collected: {collected.fatal} ({log})")
        outcome.is_over = True
        return None
    if not has_posts(day):
        why = f": {'; '.join(collected.faults)}" if collected.faults else ""
        outcome.add(Exit.NO_POSTS, f"{day} was not built, because {posts_place()} has no posts of it{why} ({log})")
        return None
    for fault in collected.faults:
        outcome.add(Exit.INCOMPLETE, f"{day} is incomplete: {fault} ({log})")
    url = stages.environment.get("POCKETBASE_URL")
    away = why_unreachable(day, stages) if url else None
    # Without an address the build is complete, and what it would have pushed waits.
    built = build(stages, day, **({"POCKETBASE_URL": ""} if away else {}))
    if built.push_failed:
        away = built.reason()
    elif built.failed:
        what = "has failed data tests" if built.only_tests_failed else "was not built"
        outcome.add(Exit.NOT_BUILT, f"{day} {what}: {built.reason()} ({log})")
        outcome.is_over = not built.only_tests_failed
    if away:
        outcome.add(
            Exit.NOT_PUSHED, f"{day} was not pushed: {away}. Then: python -m groundswell push --date {day} ({log})"
        )
    elif url and not outcome.is_over:
        with what_is_done_stays(f"{day} is pushed, and can not be counted", outcome):
            stages.tell(day, "push", f"{live_counts(day)} are live at {url}")
    elif not url and not outcome.is_over:
        stages.tell(day, "push", NOT_PUSHED)
    return built


def send_alerts(day: date, stages: Stages, outcome: Outcome) -> None:
    """Send the alerts that are due after the last day, and add a fault if an address did not take them."""
    lines = [""]

    def read(line: str) -> Line:
        lines.append(line)
        return Line(line)

    status = stages.run(day, "alerts", (sys.executable, "-m", "groundswell", "alerts"), read)
    if status:
        why = lines[-1].removeprefix("ERROR: ")
        outcome.add(Exit.NOT_PUSHED, f"alerts were not sent: {why}. Then: python -m groundswell alerts")
    else:
        stages.tell(day, "alerts", "; ".join(lines[1:]))


def has_posts(day: date) -> bool:
    """Whether the database has posts of a day."""
    posts = table("bronze", "raw_items")
    bring_from_lake()
    with connect(read_only=True) as connection:
        return existing(connection, posts) and bool(
            connection.execute(f"select 1 from {posts} where collection_date = $day limit 1", {"day": day}).fetchall()
        )


def why_unreachable(day: date, stages: Stages) -> str | None:
    """Why nothing can be pushed to POCKETBASE_URL, in one line; None if the server lets us in."""
    lines = [""]

    def read(line: str) -> Line:
        lines.append(line)
        return Line(line)

    status = stages.run(day, "push", (sys.executable, "-m", "sync", "reach"), read)
    return lines[-1].removeprefix("ERROR: ") if status else None
