#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, duckdb 1.5.5.
#
# Guess: a Python model may hold what a module of Python may hold: a dataclass with `from __future__ import annotations`, and a
# function that is handed to a pool of processes.
# Seen: both fail. dbt-duckdb runs the file of a model without an entry in sys.modules, under a name of its own. @dataclass
# looks its module up there once annotations are texts: AttributeError 'NoneType' object has no attribute '__dict__'. pickle
# finds no module to import the function from. A dataclass without the future import works.
# What we do: Python models hold NamedTuples, and what a pool of processes runs stands in groundswell/.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==1.5.5 pyarrow==26.0.1
mkdir -p project/models
cd project
cat > dbt_project.yml <<'YML'
name: finding
version: "1.0.0"
profile: finding
flags: {send_anonymous_usage_stats: false}
YML
cat > profiles.yml <<'YML'
finding: {target: dev, outputs: {dev: {type: duckdb, path: dev.duckdb, threads: 1}}}
YML
cat > models/plain.py <<'PY'
from dataclasses import dataclass


@dataclass
class Post:
    id: int


def model(dbt, session):
    return session.sql(f"select {Post(1).id} as id")
PY
{ echo 'from __future__ import annotations'; cat models/plain.py; } > models/annotated.py
cat > models/pickled.py <<'PY'
import pickle


def double(value):
    return 2 * value


def model(dbt, session):
    return session.sql(f"select {pickle.loads(pickle.dumps(double))(1)} as id")
PY
../venv/bin/dbt --no-use-colors run --profiles-dir . > run.log || true
../venv/bin/pip list 2>/dev/null | grep -E '^(dbt-core|dbt-duckdb|duckdb) '
grep -E "(OK|ERROR) creat|Error: " run.log | cut -c1-140
if grep -q "OK created python table model main.plain" run.log \
    && grep -q "AttributeError: 'NoneType' object has no attribute '__dict__'" run.log \
    && grep -q "PicklingError" run.log && grep -q "PASS=1 WARN=0 ERROR=2" run.log; then
    echo "As stated: a model that is no module fails at dataclasses and at pickle."
else
    echo "Changed." && exit 1
fi
