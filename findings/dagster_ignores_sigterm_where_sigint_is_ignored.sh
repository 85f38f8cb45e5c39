#!/usr/bin/env bash
# dagster 1.13.27.
#
# Guess: a process that runs a Dagster job in itself can be ended by SIGTERM, whatever it does with SIGINT.
# Seen: Dagster gives SIGTERM the handler of SIGINT, for good. A program that a shell starts in the background ignores
# SIGINT (POSIX), so after the first job it ignores SIGTERM as well, and so does each program that it starts.
# What we do: the test that runs a job within its own process puts the handler back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dagster==1.13.27
export DAGSTER_HOME="$folder"
cat >"$folder/job.py" <<'PYTHON'
import signal
import subprocess
import sys

signal.signal(signal.SIGINT, signal.SIG_IGN)

import dagster

print("dagster", dagster.__version__)


@dagster.asset
def one() -> int:
    return 1


assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
assert dagster.materialize([one]).success
child = "import signal; print('a program that it starts:', signal.getsignal(signal.SIGTERM).name)"
print("after a job, SIGTERM:", signal.getsignal(signal.SIGTERM).name, flush=True)
subprocess.run([sys.executable, "-c", child], check=True)
PYTHON
said=$("$folder/venv/bin/python" "$folder/job.py" 2>/dev/null)
echo "$said"
grep -q "after a job, SIGTERM: SIG_IGN" <<<"$said" || { echo "Changed."; exit 1; }
grep -q "a program that it starts: SIG_IGN" <<<"$said" || { echo "Changed."; exit 1; }
echo "As stated."
