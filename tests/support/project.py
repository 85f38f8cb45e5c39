"""The project under test: runs its commands on a database of its own, and a real PocketBase to push to."""

import csv
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import duckdb
import yaml

from groundswell.environment import settings_in
from groundswell.parse_vars import vars_of_parsing
from sync.server import running
from tests.support import forked

ROOT = Path(__file__).parents[2]
DAY = "2026-11-20"
# The bundled day that most tests are about, one of three.
SAMPLE = ROOT / "ingest" / "sample" / DAY
DBT = str(Path(sys.executable).with_name("dbt"))
# The name of every database: it is part of the parsed project, so one name lets all tests share that.
DATABASE = "groundswell.duckdb"
TIMEOUT_SECONDS = 600
# Commands that need the parsed project, and no file that dbt writes when it parses.
USE_PARSED = {"build", "test", "source"}
A_MACRO = re.compile(r"{%-?\s*macro\s+(\w+)(.*?){%-?\s*endmacro\s*-?%}", re.DOTALL)
# Options with which dbt parses something else.
OTHER_PROJECT = {"--project-dir", "--profiles-dir", "--profile", "--target", "--state"}

# Settings that a developer has exported must not reach the tests.
SETTINGS = (
    "LLM_MODEL", "LLM_BASE_URL", "POCKETBASE_URL", "POCKETBASE_TOKEN", "POCKETBASE_EMAIL", "POCKETBASE_PASSWORD",
    "GITHUB_TOKEN", "STACKEXCHANGE_KEY", "REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "OPENAI_API_KEY", "AUTHOR_SALT",
    "INGEST_MAX_WAIT_SECONDS", "ALERT_URLS", "DIGEST_URLS", "ALERT_WEBHOOK_SECRET", "BOARD_URL",
)  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A command that has ended: its status, and all that it printed."""

    status: int
    output: str


@cache
def parse_time_names() -> tuple[list[str], set[str]]:
    """The environment variables that dbt reads while it parses the project, and the vars that matter to it then."""
    settings = [file.read_text() for file in [ROOT / "dbt_project.yml", *(ROOT / "models").rglob("*.yml")]]
    models = [file.read_text() for file in (ROOT / "models").rglob("*.sql")]
    macros = {
        name: code for file in (ROOT / "macros").rglob("*.sql") for name, code in A_MACRO.findall(file.read_text())
    }
    variables = sorted({name for text in [*settings, *models] for name in re.findall(r"env_var\('(\w+)'", text)})
    return variables, vars_of_parsing((yaml.load(text, yaml.CSafeLoader) for text in settings), models, macros)


@dataclass
class Project:
    """The project's commands on a database of its own.

    With a folder of parsed projects, commands run in forked processes (tests/support/forked.py) and share what dbt
    parses. Without it each command starts a new interpreter, as a user's does. A command is killed after so many
    seconds; then `run` raises TimeoutError, or subprocess.TimeoutExpired.
    """

    database: Path
    settings: dict[str, str] = field(default_factory=dict)
    parsed: Path | None = None
    seconds: float = TIMEOUT_SECONDS

    def copy_to(self, folder: Path) -> "Project":
        """A copy of the database in another folder, without the settings: a build there pushes nothing."""
        return Project(shutil.copyfile(self.database, folder / self.database.name), parsed=self.parsed)

    def run(self, *command: str, **settings: str) -> Finished:
        """Run a command of this Python's environment from the project's root."""
        if self.parsed and forked.can_run(command, self.settings | settings):
            environment, parsed = self.of_forked(command, settings)
            with tempfile.TemporaryDirectory() as folder:
                output = Path(folder) / "output"
                status = forked.run(command, environment, ROOT, output, parsed, self.seconds)
                return Finished(status, output.read_text())
        finished = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment(settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=self.seconds,
        )
        return Finished(finished.returncode, finished.stdout)

    def start(self, *command: str, **settings: str) -> tuple[ForkServerProcess, Path]:
        """Start a command that a test may kill; returns its process, and the file with what it prints."""
        environment, parsed = self.of_forked(command, settings)
        output = self.database.with_suffix(".output")
        return forked.start(forked.perform, command, environment, ROOT, output, parsed), output

    def of_forked(self, command: tuple[str, ...], settings: Mapping[str, str]) -> tuple[dict[str, str], Path | None]:
        """The environment of a command in a forked process, and the file of the parsed project that it needs."""
        environment = self.environment(settings)
        parsed = self.parsed_file(command, environment)
        # Tests that read the log file, or the artifacts of a build, ask for them.
        unread = {"DBT_LOG_LEVEL_FILE": "none"} | ({"DBT_WRITE_JSON": "False"} if command[1] == "build" else {})
        # The order of models and tests that dbt takes from fewer edges is the same.
        unread["DBT_USE_FAST_TEST_EDGES"] = "True"
        return unread | environment, parsed

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The environment of a command with these settings beside those of the project."""
        inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        # What the environment has wins over the .env of a developer, also with nothing in it.
        inherited |= dict.fromkeys(settings_in(ROOT / ".env"), "")
        return inherited | {
            "GROUNDSWELL_DB": str(self.database),
            "DBT_TARGET_PATH": str(self.database.with_suffix(".target")),
            "DBT_LOG_PATH": str(self.database.with_suffix(".logs")),
            "NO_COLOR": "1",
            # A minute of the services passes in a second.
            "INGEST_WINDOW_SECONDS": "1",
            **self.settings,
            **settings,
        }

    def parsed_file(self, command: tuple[str, ...], environment: dict[str, str]) -> Path | None:
        """The file of the parsed project that a command needs: it depends on all that dbt reads while it parses.

        None for another command, for one without vars, and for one that names another project or target. Macros and
        the text of a model get their vars later: the day, for one, makes no difference.
        """
        if command[0] != DBT or command[1] not in USE_PARSED or "--vars" not in command or OTHER_PROJECT & set(command):
            return None
        variables, names = parse_time_names()
        try:
            given = yaml.safe_load(command[command.index("--vars") + 1])
        except yaml.YAMLError:
            return None
        if not self.parsed or not isinstance(given, dict):
            return None
        settings = [(name, environment.get(name)) for name in variables]
        settings += sorted((name, repr(value)) for name, value in given.items() if name in names)
        return self.parsed / hashlib.sha256(repr((self.database.stem, settings)).encode()).hexdigest()

    def ingest(self, *arguments: str, **settings: str) -> Finished:
        """Run `python -m ingest`."""
        return self.run(sys.executable, "-m", "ingest", *arguments, **settings)

    def build(
        self, day: str = DAY, *arguments: str, variables: str = "", data_tests: bool = True, **settings: str
    ) -> Finished:
        """Run `dbt build` for a day, with or without its data tests.

        Unit tests give a model rows of their own, whatever the database holds: the build of the sample day runs them.
        """
        dates = f"{{date: {day}{variables}}}"
        left_out = ("unit_test",) if data_tests else ("unit_test", "test")
        return self.run(DBT, "build", "--vars", dates, *arguments, "--exclude-resource-type", *left_out, **settings)

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Read from the database, which no command holds at the time."""
        with duckdb.connect(str(self.database)) as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def held(self) -> Iterator[int]:
        """Have another process hold the database; yields its number."""
        program = f"import duckdb; held = duckdb.connect({str(self.database)!r}); print(flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout
            holder.stdout.readline()
            yield holder.pid
            holder.communicate("\n")

    def stage_seconds(self) -> dict[str, float]:
        """Seconds by model of the last build, from dbt's own record of it."""
        results = json.loads((self.database.with_suffix(".target") / "run_results.json").read_text())["results"]
        return {
            result["unique_id"].split(".")[2]: result["execution_time"]
            for result in results
            if result["unique_id"].startswith("model.")
        }

    def contents(self) -> dict[str, tuple[int, Any]]:
        """Rows and a hash of every table, whatever the order of the rows."""
        layers = "('bronze', 'silver', 'gold')"
        # Opening a database takes 20 ms.
        with duckdb.connect(str(self.database)) as connection:
            tables = connection.execute(
                f"select schema_name || '.' || table_name from duckdb_tables() where schema_name in {layers}"
            ).fetchall()
            return {
                name: connection.execute(f"select count(*), bit_xor(hash(entry)) from {name} as entry").fetchall()[0]
                for (name,) in tables
            }


@dataclass(frozen=True)
class Server:
    """A running PocketBase and the environment that lets the sync write to it."""

    url: str
    settings: dict[str, str]


def heeding(number: int, command: Sequence[str]) -> list[str]:
    """A command that heeds a signal, also where the tests run under nohup or in the background, which ignore some."""
    heed = (
        "import os, signal, sys; signal.signal(int(sys.argv[1]), signal.SIG_DFL); os.execv(sys.argv[2], sys.argv[2:])"
    )
    return [sys.executable, "-c", heed, str(number), *command]


def free_address() -> str:
    """A loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def serve(data: Path, address: str, password: str, **settings: str) -> Iterator[Server]:
    """Run a PocketBase on a folder of data. settings: further variables of its environment."""
    credentials = {"POCKETBASE_EMAIL": "sync@example.com", "POCKETBASE_PASSWORD": password}
    with running(address, data, credentials | settings) as url:
        yield Server(url, {"POCKETBASE_URL": url, **credentials})


@contextmanager
def serve_folder(folder: Path) -> Iterator[Server]:
    """Run a PocketBase on the data of a folder; the folder holds its password, too."""
    with serve(folder / "pb", free_address(), (folder / "password").read_text()) as server:
        yield server


def project_vars() -> dict[str, Any]:
    """The vars of dbt_project.yml with their default values."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    return loaded


def read_seed(name: str) -> list[dict[str, str]]:
    """The rows of a seed."""
    with (ROOT / "seeds" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def pair_weights() -> dict[str, dict[str, float]]:
    """Seed pair_weights: {ground: {feature: weight}}."""
    found: dict[str, dict[str, float]] = {}
    for row in read_seed("pair_weights"):
        found.setdefault(row["ground"], {})[row["feature"]] = float(row["weight"])
    return found


def least_chance(tier: str) -> float:
    """The least mean chance of a tier, from seed problem_tiers."""
    [least] = [row["least_chance"] for row in read_seed("problem_tiers") if row["tier"] == tier]
    return float(least)
