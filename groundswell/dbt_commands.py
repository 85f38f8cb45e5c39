"""Runs dbt commands in one process with one parse: python -m groundswell.dbt_commands, for backfill.

Each line of standard input is a command as JSON: arguments, environment (variables to set for it) and results (a file
for its run_results.json, or null). dbt's events go to standard output as JSON, without those for debugging. After a
command comes one line of JSON: its exit status, the CPU seconds that it used, and the most memory (MB) of the process
so far. The process ends with its input.
"""

import gc
import json
import os
import resource
import signal
import sys
from functools import cache
from typing import Any

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg
from dbt_common.events.functions import msg_to_dict
from dbt_common.exceptions import env_secrets, scrub_secrets

# dbt 1.11 makes the text of each event for debugging even for a log that leaves it out: a fifth of a build's time.
NO_LOGS = ("--log-level", "none", "--log-level-file", "none", "--no-use-colors")


def main() -> None:
    """Run the commands."""
    # The caller ends this process, which may be killed at any moment. dbt would take Ctrl-C for itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    manifest: Any = None
    is_warm = False
    for line in sys.stdin:
        command, before = json.loads(line), used()
        os.environ.update(command["environment"])
        success = True
        if manifest is None:
            # Without vars, so that what another command has parsed can serve. All commands here have the same vars but
            # the day. dbt compiles a node anew for each command. Only what it has put into other nodes would stay, and
            # this project has no ephemeral models.
            parsed = dbtRunner(callbacks=[show]).invoke([*NO_LOGS, "parse"])
            success, manifest = parsed.success, parsed.result
            # The manifest stays, so the garbage collector need not look at it again and again.
            gc.collect()
            gc.freeze()
        if success:
            success = run(manifest, command)
        close_database()
        if not is_warm and "build" in command["arguments"]:
            # The libraries are loaded now, and stay as well.
            gc.freeze()
            is_warm = True
        write(
            {
                "status": 0 if success else 1,
                "cpu_seconds": round(used() - before, 2),
                "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )


def run(manifest: Any, command: dict[str, Any]) -> bool:
    """Run a command; whether it succeeded. An error of a node would hold its connection, so no result is kept."""
    built = dbtRunner(manifest, callbacks=[show]).invoke([*NO_LOGS, *command["arguments"]])
    if command["results"] and hasattr(built.result, "write"):
        built.result.write(command["results"])
    return bool(built.success)


def show(event: EventMsg) -> None:
    """Write an event."""
    # A connection of dbt is in a reference cycle, and has temporary tables until it is found. Python would look late.
    if event.info.name == "NodeFinished" and event.data.node_info.resource_type == "model":
        gc.collect()
        leave_alone(len(sys.modules))
    if event.info.level != "debug":
        write(msg_to_dict(event))


@cache
def leave_alone(_modules: int) -> None:
    """Let the garbage collector leave alone what there is, once for each number of modules: models load libraries."""
    gc.freeze()


def close_database() -> None:
    """Close the file, which dbt-duckdb leaves open with its pages and temporary tables for a later command."""
    gc.collect()
    # `env` raises an error if no command has opened the file.
    if DuckDBConnectionManager._ENV:
        DuckDBConnectionManager.env().close()


def write(answer: dict[str, Any]) -> None:
    """Write a line of JSON, without what dbt takes for secret."""
    sys.stdout.write(scrub_secrets(json.dumps(answer, default=str), env_secrets()) + "\n")
    sys.stdout.flush()


def used() -> float:
    """The CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
