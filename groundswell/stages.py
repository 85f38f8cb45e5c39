"""Runs the commands of a day as processes, one after another: each shows one line, and writes its output to a log.

Each command is the one that a person would type, so a kill of the caller leaves what a kill of the command leaves.
"""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import IO, Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from groundswell.clock import now
from groundswell.disk import dbt_folders, require_folders, why_full
from groundswell.environment import SettingError
from groundswell.errors import GroundswellError
from groundswell.words import count

DBT = str(Path(sys.executable).with_name("dbt"))
LOGS = ("--log-format", "json", "--log-format-file", "debug", "--no-use-colors")
# Unit tests give the models rows of their own: they say nothing about the day.
BUILD = ("build", "--exclude-resource-type", "unit_test")
# The models whose post-hooks push to PocketBase.
LEDGERS = ("live_issues", "live_problems", "live_themes")
# What helps against a collection that did not end. It helps against no entry that can not be read.
AGAIN = "The same command again goes on from there"
# A command that was told to end gets this many seconds. It may be killed at any moment.
END_SECONDS = 10
# What dbt and Python write around the sentence that says what is wrong.
AROUND = re.compile(
    r"^(Encountered an error( while running operation: .* Error in .*|:)|[A-Z]\w* Error( in .*)?"
    r"|Python model failed:|>.*|)$"
)
# The runs whose artifacts of dbt are kept, and the setting for another number.
RUNS_KEPT = 10
KEPT = "GROUNDSWELL_RUNS_KEPT"
TYPE_OF_ERROR = re.compile(r"^(Error: |[\w.]+(Error|Exception): )")


logger = logging.getLogger("groundswell")
# What macro note_fingerprints says.
UNCHANGED = re.compile(r"Unchanged since the last build, and left alone: (\d+) tables and views, (\d+) data tests")


class LogError(GroundswellError):
    """A log, or a copy of what dbt has written, can not be written."""


class LogFormat(StrEnum):
    """How the lines of a run are written: for a person, or one JSON object a line, for a scheduler."""

    TEXT = "text"
    JSON = "json"


class Line(NamedTuple):
    """A line of a command: its text for a log, what to show while the command runs, its level, its model or test."""

    text: str
    shown: str = ""
    level: str = "info"
    node: str | None = None


def runs_kept(environment: Mapping[str, str]) -> int:
    """The runs whose artifacts are kept, GROUNDSWELL_RUNS_KEPT; 0: none. Raises SettingError."""
    text = environment.get(KEPT, "").strip() or str(RUNS_KEPT)
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise SettingError(f"{KEPT} is a whole number, 0 or more: the runs whose artifacts of dbt are kept")
    return int(text)


def new_run() -> str:
    """The id of a run: when it began (UTC), and its process."""
    return f"{now():%Y%m%dT%H%M%S}-{os.getpid()}"


@dataclass(frozen=True)
class Stages:
    """How the commands of a day run: their environment, where they show their lines, and the folder of their logs.

    run_id: the id of this run, in each line of the format json.
    """

    console: Console
    logs: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    is_verbose: bool = False
    log_format: LogFormat = LogFormat.TEXT
    run_id: str = field(default_factory=new_run)

    def log_of(self, day: date) -> Path:
        """The file that gets all output of a day's commands."""
        return self.logs / f"day-{day}.log"

    def begin_log(self, day: date) -> None:
        """Begin the log of a day anew. Raises LogError, also if the disk is full."""
        if fault := why_full(self.logs, self.target):
            raise LogError(fault)
        with log_errors(self.log_of(day)):
            self.logs.mkdir(parents=True, exist_ok=True)
            self.log_of(day).write_bytes(b"")

    @contextmanager
    def open_log(self, day: date) -> Iterator[IO[str]]:
        """The log of a day, to be gone on with. Raises LogError, also for writes inside the with block."""
        with log_errors(self.log_of(day)), self.log_of(day).open("a", encoding="utf-8") as log:
            yield log

    def tell(self, day: date, stage: str, text: str, started: float | None = None) -> None:
        """Show the one line of a stage that has ended, and the seconds since it started (time.monotonic)."""
        seconds = "" if started is None else f"; {time.monotonic() - started:,.0f} s"
        if self.log_format == LogFormat.JSON:
            self.log(f"{text}{seconds}", day, stage)
        else:
            say(self.console, f"{day} {stage:<8} {text}{seconds}")

    def log(
        self, message: str, day: date | None = None, stage: str | None = None, node: str | None = None,
        level: str = "info", **more: object,
    ) -> None:  # fmt: skip
        """Write a line of the format json; time is UTC."""
        line = {
            "time": f"{now().isoformat(timespec='milliseconds')}Z", "run": self.run_id, "level": level,
            "day": str(day) if day else None, "stage": stage, "model": node, "message": printable(message), **more,
        }  # fmt: skip
        self.console.file.write(f"{json.dumps(line)}\n")
        self.console.file.flush()

    def fault(self, text: str) -> None:
        """Show a line about what went wrong."""
        if self.log_format == LogFormat.JSON:
            self.log(text, level="error")
        else:
            logger.error("%s", printable(text))

    def show(self, day: date, stage: str, line: Line, log: IO[str], status: Status) -> None:
        """Write a line of a command to its log, and show it if it is to be shown."""
        log.write(f"{line.text}\n")
        if self.log_format == LogFormat.JSON:
            if line.text:
                self.log(line.text, day, stage, line.node, line.level)
        elif self.is_verbose:
            say(self.console, line.text)
        elif line.shown:
            status.update(f"{day} {stage:<8} {escape(printable(line.shown))}")

    def require_folders(self) -> None:
        """Raise SettingError if the logs or dbt's artifacts have no folder."""
        require_folders(self.logs, self.target)

    @property
    def target(self) -> Path:
        """The folder that dbt writes its artifacts to."""
        return dbt_folders(self.environment)[0]

    def artifacts(self) -> Path | None:
        """The folder for the artifacts of this run, of which the latest ones stay; None if none is to be kept.

        Raises LogError.
        """
        kept = runs_kept(self.environment)
        folder = self.target / "runs" / self.run_id
        if not kept:
            return None
        with log_errors(folder):
            if not folder.exists():
                folder.mkdir(parents=True)
                for older in sorted(folder.parent.iterdir())[:-kept]:
                    shutil.rmtree(older, ignore_errors=True)
        return folder

    def keep_artifacts(self, day: date, since: float) -> None:
        """Copy what dbt has written about a day since a time (time.time): manifest.json, run_results.json.

        Raises LogError.
        """
        if folder := self.artifacts():
            for name, copy in (("manifest.json", "manifest.json"), ("run_results.json", f"run_results-{day}.json")):
                written = self.target / name
                if written.exists() and written.stat().st_mtime >= since:
                    with log_errors(folder / copy):
                        shutil.copyfile(written, folder / copy)

    def status(self, day: date, stage: str) -> Status:
        """What a terminal shows while a command runs. A pipe gets nothing."""
        return self.console.status(f"{day} {stage}")

    def run(
        self,
        day: date,
        stage: str,
        command: Sequence[str],
        read: Callable[[str], Line],
        answer: IO[str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> int:
        """Run a command; returns its exit status.

        read: gets each line that the command writes; returns it for the log, and what to show while it runs.
        answer: a file for what the command writes to its standard output; without one, `read` gets that too.
        settings: further environment variables.
        """
        with (
            self.open_log(day) as log,
            self.status(day, stage) as status,
            subprocess.Popen(
                command,
                env={**self.environment, **(settings or {})},
                stdout=answer or subprocess.PIPE,
                stderr=subprocess.PIPE if answer else subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as process,
            ended_with(process),
        ):
            log.write(f"$ {' '.join(command)}\n")
            for line in (process.stderr if answer else process.stdout) or ():
                self.show(day, stage, read(line.rstrip("\n")), log, status)
            return process.wait()


@dataclass(frozen=True)
class Collected:
    """A collection that has ended. faults: why it is incomplete, one line each. fatal: why it could not run at all."""

    faults: list[str]
    fatal: str | None = None


def collect(stages: Stages, day: date, options: Sequence[str] = ()) -> Collected:
    """Run python -m ingest for a day. options: further options of that command."""
    started = time.monotonic()
    command = (sys.executable, "-m", "ingest", "--json", "--date", str(day), *options)
    lines: list[str] = []

    def read(line: str) -> Line:
        lines.append(line)
        return Line(line, line.removeprefix("INFO: "))

    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        status = stages.run(day, "collect", command, read, answer)
        answer.seek(0)
        try:
            report = json.loads(answer.read())
        except ValueError:
            said = [line for line in lines if line.strip()] or [f"python -m ingest ended with status {status}"]
            return Collected([], TYPE_OF_ERROR.sub("", said[-1].removeprefix("ERROR: ")))
    sources = report["sources"]
    new, updated, known = (sum(source[name] for source in sources) for name in ("new", "updated", "known"))
    idle = [source["source"] for source in sources if source["off"]]
    text = f"{count(new, 'new post', 'new posts')}, {updated:,} updated, {known:,} known"
    stages.tell(day, "collect", text + (f"; off: {', '.join(idle)}" if idle else ""), started)
    return Collected([fault for source in sources for fault in faults_of(source)])


def faults_of(source: Mapping[str, Any]) -> Iterator[str]:
    """Why the collection from a source is incomplete, one line each, from the report of python -m ingest --json."""
    if source["stopped"]:
        left = count(source["failed"], "window", "windows")
        yield f"{source['source']} ended with {left} to go: {source['stopped']}. {AGAIN}"
    yield from (f"{source['source']}: {error}. {AGAIN}" for error in source["errors"])
    if source["rejected"]:
        entries = count(source["rejected"], "entry", "entries")
        yield f"{source['source']}: {entries} can not be read: {source['rejected_entries'][0]}"


@dataclass
class Built:
    """A build that has ended.

    failed: the sentence that says what is wrong, by the name of the model or test that failed; "" is dbt itself.
    tests: which of them are data tests. notes: what the project itself said.
    """

    failed: dict[str, str] = field(default_factory=dict)
    tests: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    @property
    def push_failed(self) -> bool:
        """Whether the push failed, and nothing else."""
        return bool(self.failed) and set(self.failed) <= set(LEDGERS)

    @property
    def only_tests_failed(self) -> bool:
        """Whether all models were built, and data tests failed."""
        return bool(self.failed) and set(self.failed) <= self.tests

    def reason(self) -> str:
        """What failed, in one line."""
        [(name, why), *more] = self.failed.items()
        return (f"{name}: {why}" if name else why) + (f" (and {len(more)} more)" if more else "")


class Reader:
    """Reads the JSON log of a dbt command line by line.

    built: what has failed, and what the project itself said. counts: models and data tests so far. unchanged: how many
    of them were left alone, in words. lines: what is not dbt's: a warning of a library, or Python's own.
    """

    def __init__(self) -> None:
        self.built = Built()
        self.counts = {"model": 0, "test": 0}
        self.unchanged = ""
        self.lines: list[str] = []

    def read(self, line: str) -> Line:
        """The text of a line for a log, and what to show while the command runs."""
        try:
            event = json.loads(line)
            name, message, level = event["info"]["name"], event["info"]["msg"], event["info"]["level"]
        except (ValueError, KeyError, TypeError):
            self.lines.append(line)
            return Line(line, level="warn")
        built = self.built
        node = event["data"].get("node_info") or {}
        self.counts["model"] += name == "LogModelResult"
        self.counts["test"] += name == "LogTestResult"
        shown = ""
        match name:
            case "LogStartLine":
                shown = f"{event['data']['index']} of {event['data']['total']}: {node['node_name']}"
            case "RunResultError" | "RunResultErrorNoMessage":
                built.failed[node["node_name"]] = sentence(message)
                if node["resource_type"] == "test":
                    built.tests.add(node["node_name"])
            case "MainEncounteredError" | "RunningOperationCaughtError" | "RunningOperationUncaughtError":
                built.failed[""] = sentence(message)
            case "JinjaLogInfo" if unchanged := UNCHANGED.match(message):
                self.unchanged = f" (unchanged, and left alone: {unchanged[1]} tables, {unchanged[2]} tests)"
            case "JinjaLogInfo" | "AdapterEventWarning" | "RunResultWarning" if node.get("node_name") not in LEDGERS:
                built.notes.append(message)
        return Line(message, shown, level, node.get("node_name"))

    def end(self, status: int) -> str:
        """Note the exit status of the command; returns what it did, in a few words."""
        if status and not self.built.failed:
            self.built.failed[""] = self.lines[-1] if self.lines else f"dbt build ended with status {status}"
        failed = "failed after " if self.built.failed and not self.built.push_failed else ""
        models, tests = (
            count(self.counts["model"], "model", "models"),
            count(self.counts["test"], "data test", "data tests"),
        )
        return f"{failed}{models}, {tests}{self.unchanged}"


def build(stages: Stages, day: date, **settings: str) -> Built:
    """Run dbt build for a day. settings: further environment variables."""
    started, since = time.monotonic(), time.time()
    reader = Reader()
    command = (DBT, *LOGS, *BUILD, "--vars", f"date: {day}")
    status = stages.run(day, "build", command, reader.read, settings=settings)
    stages.tell(day, "build", reader.end(status), started)
    stages.keep_artifacts(day, since)
    return reader.built


@contextmanager
def log_errors(path: Path) -> Iterator[None]:
    """Turn errors of the disk inside a with block, which writes a file or folder, into a LogError."""
    try:
        yield
    except BrokenPipeError:
        # Whoever reads our output has gone.
        raise
    except OSError as error:
        raise LogError(f"{path} can not be written: {error.strerror}") from None


def sentence(message: str) -> str:
    """The one line of an error text of dbt that says what is wrong."""
    lines = [line.strip() for line in message.splitlines()]
    said = [line for line in lines if not AROUND.match(line)] or lines or [""]
    return TYPE_OF_ERROR.sub("", said[0])


def say(console: Console, text: str) -> None:
    """Print a line as it is, however wide the terminal."""
    # Text and not str: rich would read brackets in a str as markup.
    console.print(Text(printable(text)), soft_wrap=True, highlight=False)


def printable(text: str) -> str:
    """A text with blanks instead of control characters. It may quote a post, and a terminal obeys some of them."""
    return "".join(character if character.isprintable() else " " for character in text)


@contextmanager
def ended_with(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a process if a with block fails, or is told to end."""
    try:
        yield
    except BaseException:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does, so that it ends its own processes first."""

    def end(number: int, _frame: FrameType | None) -> None:
        # A second one would end it before its processes: make hands on a SIGTERM that its whole group gets.
        for each in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup has SIGHUP ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
