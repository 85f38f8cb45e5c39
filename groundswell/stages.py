"""Runs the commands of a day as processes, one after another: each shows one line, and writes its output to a log.

Each command is the one that a person would type, so a kill of the caller leaves what a kill of the command leaves.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import FrameType
from typing import IO, Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from groundswell.errors import GroundswellError

DBT = str(Path(sys.executable).with_name("dbt"))
# Unit tests give the models rows of their own: they say nothing about the day.
LOGS = ("--log-format", "json", "--log-format-file", "debug", "--no-use-colors")
BUILD = (DBT, *LOGS, "build", "--exclude-resource-type", "unit_test")
# The models whose post-hooks push to PocketBase.
LEDGERS = ("live_issues", "live_problems", "live_themes")
# What helps against a collection that did not end. It helps against no entry that can not be read.
AGAIN = "The same command again goes on from there"
# A command that was told to end gets this many seconds. It may be killed at any moment.
END_SECONDS = 10
# What dbt and Python write around the sentence that says what is wrong.
AROUND = re.compile(r"^(Encountered an error:|[A-Z]\w* Error( in .*)?|Python model failed:|>.*|)$")
TYPE_OF_ERROR = re.compile(r"^(Error: |[\w.]+(Error|Exception): )")


class LogError(GroundswellError):
    """A log can not be written."""


@dataclass(frozen=True)
class Stages:
    """How the commands of a day run: their environment, where they show their lines, and the folder of their logs."""

    console: Console
    logs: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    is_verbose: bool = False

    def log_of(self, day: date) -> Path:
        """The file that gets all output of a day's commands."""
        return self.logs / f"day-{day}.log"

    def begin_log(self, day: date) -> None:
        """Begin the log of a day anew. Raises LogError."""
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            self.log_of(day).write_bytes(b"")
        except OSError as error:
            raise LogError(f"{self.log_of(day)} can not be written: {error.strerror}") from None

    def tell(self, day: date, stage: str, text: str, started: float | None = None) -> None:
        """Show the one line of a stage that has ended, and the seconds since it started (time.monotonic)."""
        seconds = "" if started is None else f"; {time.monotonic() - started:,.0f} s"
        say(self.console, f"{day} {stage:<8} {text}{seconds}")

    def run(
        self,
        day: date,
        stage: str,
        command: Sequence[str],
        read: Callable[[str], tuple[str, str]],
        answer: IO[str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> int:
        """Run a command; returns its exit status.

        read: gets each line that the command writes; returns the text for the log, and what to show while it runs.
        answer: a file for what the command writes to its standard output; without one, `read` gets that too.
        settings: further environment variables.
        """
        with (
            self.log_of(day).open("a", encoding="utf-8") as log,
            self.console.status(f"{day} {stage}") as status,
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
                text, shown = read(line.rstrip("\n"))
                log.write(f"{text}\n")
                if self.is_verbose:
                    say(self.console, text)
                elif shown:
                    status.update(f"{day} {stage:<8} {escape(printable(shown))}")
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

    def read(line: str) -> tuple[str, str]:
        lines.append(line)
        return line, line.removeprefix("INFO: ")

    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        status = stages.run(day, "collect", command, read, answer)
        answer.seek(0)
        try:
            report = json.loads(answer.read())
        except ValueError:
            said = [line for line in lines if line.strip()] or [f"python -m ingest ended with status {status}"]
            return Collected([], TYPE_OF_ERROR.sub("", said[-1].removeprefix("ERROR: ")))
    sources = report["sources"]
    counts = [sum(source[name] for source in sources) for name in ("new", "updated", "known")]
    idle = [source["source"] for source in sources if source["off"]]
    text = "{:,} new posts, {:,} updated, {:,} known".format(*counts)
    stages.tell(day, "collect", text + (f"; off: {', '.join(idle)}" if idle else ""), started)
    return Collected([fault for source in sources for fault in faults_of(source)])


def faults_of(source: Mapping[str, Any]) -> Iterator[str]:
    """Why the collection from a source is incomplete, one line each, from the report of python -m ingest --json."""
    if source["stopped"]:
        yield f"{source['source']} ended with {source['failed']:,} windows to go: {source['stopped']}. {AGAIN}"
    yield from (f"{source['source']}: {error}. {AGAIN}" for error in source["errors"])
    if source["rejected"]:
        yield f"{source['source']}: {source['rejected']:,} entries can not be read: {source['rejected_entries'][0]}"


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


def build(stages: Stages, day: date, **settings: str) -> Built:
    """Run dbt build for a day. settings: further environment variables."""
    started = time.monotonic()
    built = Built()
    counts = {"model": 0, "test": 0}
    lines: list[str] = []

    def read(line: str) -> tuple[str, str]:
        try:
            event = json.loads(line)
            name, message = event["info"]["name"], event["info"]["msg"]
        except (ValueError, KeyError, TypeError):
            # Not dbt's: a warning of a library, or Python's own.
            lines.append(line)
            return line, ""
        node = event["data"].get("node_info") or {}
        counts["model"] += name == "LogModelResult"
        counts["test"] += name == "LogTestResult"
        match name:
            case "LogStartLine":
                shown = f"{event['data']['index']} of {event['data']['total']}: {node['node_name']}"
                return message, shown
            case "RunResultError" | "RunResultErrorNoMessage":
                built.failed[node["node_name"]] = sentence(message)
                if node["resource_type"] == "test":
                    built.tests.add(node["node_name"])
            case "MainEncounteredError":
                built.failed[""] = sentence(message)
            case "JinjaLogInfo" | "AdapterEventWarning" | "RunResultWarning" if node.get("node_name") not in LEDGERS:
                built.notes.append(message)
        return message, ""

    status = stages.run(day, "build", (*BUILD, "--vars", f"date: {day}"), read, settings=settings)
    if status and not built.failed:
        built.failed[""] = lines[-1] if lines else f"dbt build ended with status {status}"
    end = "failed after " if built.failed and not built.push_failed else ""
    stages.tell(day, "build", f"{end}{counts['model']} models, {counts['test']} data tests", started)
    return built


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
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup has SIGHUP ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
