"""The project under test: its commands run on a database of its own, and a real PocketBase to push to."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from sync.server import running

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "ingest" / "sample"
DAY = "2026-11-20"
DBT = str(Path(sys.executable).with_name("dbt"))

# What a developer has exported must not reach the tests.
SETTINGS = (
    "LLM_MODEL", "LLM_BASE_URL", "POCKETBASE_URL", "POCKETBASE_TOKEN", "POCKETBASE_EMAIL", "POCKETBASE_PASSWORD",
    "GITHUB_TOKEN", "STACKEXCHANGE_KEY", "REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "OPENAI_API_KEY", "AUTHOR_SALT",
    "INGEST_MAX_WAIT_SECONDS",
)  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A command that has ended: its status, and all that it printed."""

    status: int
    output: str


@dataclass
class Project:
    """The project's commands on a database of its own."""

    database: Path
    settings: dict[str, str] = field(default_factory=dict)

    def copy_to(self, database: Path) -> "Project":
        """A copy of the database under another name, without the settings: nothing is pushed from there."""
        return Project(shutil.copyfile(self.database, database))

    def run(self, *command: str, **settings: str) -> Finished:
        """Run a command of this Python's environment from the project's root."""
        environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        environment |= {
            "GROUNDSWELL_DB": str(self.database),
            "DBT_TARGET_PATH": str(self.database.with_suffix(".target")),
            "DBT_LOG_PATH": str(self.database.with_suffix(".logs")),
            "NO_COLOR": "1",
            # Every build here is told its day: what was read of the project for one serves the next of this database.
            "DBT_PARTIAL_PARSE": "True",
            # A minute of the services passes in a second.
            "INGEST_WINDOW_SECONDS": "1",
            **self.settings,
            **settings,
        }
        finished = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        return Finished(finished.returncode, finished.stdout)

    def ingest(self, *arguments: str, **settings: str) -> Finished:
        """Run `python -m ingest`."""
        return self.run(sys.executable, "-m", "ingest", *arguments, **settings)

    def build(self, day: str = DAY, *arguments: str, variables: str = "", **settings: str) -> Finished:
        """Run `dbt build` for a day."""
        dates = f"{{date: {day}{variables}}}"
        return self.run(DBT, "build", "--vars", dates, *arguments, **settings)

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
        tables = self.query(
            f"select schema_name || '.' || table_name from duckdb_tables() where schema_name in {layers}"
        )
        return {
            name: self.query(f"select count(*), bit_xor(hash(entry)) from {name} as entry")[0] for (name,) in tables
        }


@dataclass(frozen=True)
class Server:
    """A running PocketBase and the environment that lets the sync write to it."""

    url: str
    settings: dict[str, str]


def free_address() -> str:
    """A loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@contextmanager
def serve(data: Path, address: str, password: str) -> Iterator[Server]:
    """Run a PocketBase on a folder of data."""
    credentials = {"POCKETBASE_EMAIL": "sync@example.com", "POCKETBASE_PASSWORD": password}
    with running(address, data, credentials) as url:
        yield Server(url, {"POCKETBASE_URL": url, **credentials})
