"""Runs dbt commands in one process with one parse: python -m groundswell.dbt_commands, for backfill.

Each line of standard input is a command as JSON: globals and arguments, environment (variables to set for it) and
results (a file for its run_results.json, or null). dbt's log goes to standard output, and after a command one line of
JSON with its exit status and the most memory (MB) of the process so far. The process ends with its input.
"""

import gc
import json
import os
import resource
import signal
import sys
from typing import Any

from dbt.cli.main import dbtRunner


def main() -> None:
    """Run the commands."""
    # The caller ends this process, which may be killed at any moment. dbt would take Ctrl-C for itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    manifest: Any = None
    for line in sys.stdin:
        command = json.loads(line)
        os.environ.update(command["environment"])
        success = True
        if manifest is None:
            # Without vars, so that what another command has parsed can serve. All commands here have the same vars but
            # the day. dbt compiles a node anew for each command. Only what it has put into other nodes would stay, and
            # this project has no ephemeral models.
            parsed = dbtRunner().invoke([*command["globals"], "parse"])
            success, manifest = parsed.success, parsed.result
            # The manifest stays, so the garbage collector need not look at it again and again.
            gc.collect()
            gc.freeze()
        if success:
            built = dbtRunner(manifest).invoke([*command["globals"], *command["arguments"]])
            success = built.success
            if command["results"] and hasattr(built.result, "write"):
                built.result.write(command["results"])
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"status": 0 if success else 1, "megabytes": round(used)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
