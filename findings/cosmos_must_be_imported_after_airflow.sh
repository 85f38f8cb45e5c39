#!/usr/bin/env bash
# astronomer-cosmos 1.15.1; apache-airflow 3.3.2.
#
# Guess: `from cosmos.constants import ExecutionMode` works as the first import of a program.
# Seen: it ends with an ImportError. cosmos.constants imports airflow; airflow loads its plugins, of
# which Cosmos is one; and that plugin imports the half of cosmos.constants that is there so far. After `import airflow`
# it works.
# What we do: deploy/airflow/groundswell_day.py imports airflow first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apache-airflow==3.3.2 astronomer-cosmos==1.15.1
export AIRFLOW_HOME="$folder/home"
python="$folder/venv/bin/python"
"$python" -c 'from importlib.metadata import version
for name in ("apache-airflow", "astronomer-cosmos"):
    print(name, version(name))'
"$python" -c 'import airflow; from cosmos.constants import ExecutionMode' >/dev/null 2>&1 && echo "after airflow: imported"
if said=$("$python" -c 'from cosmos.constants import ExecutionMode' 2>&1); then
    echo "Changed: imported first, too."
    exit 1
fi
tail -n 1 <<<"$said" | cut -c1-150
grep -q "circular import" <<<"$said" || { echo "Changed."; exit 1; }
echo "As stated."
