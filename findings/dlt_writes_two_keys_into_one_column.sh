#!/usr/bin/env bash
# dlt 1.31.0, duckdb 1.5.5.
#
# Guess: two keys of an object become two columns, or loading ends with an error that names both.
# Seen: keys are written in snake case, and keys that become the same share one column: of userId and user_id, of id and ID, or of
# user.id and user__id, one value is stored for each row, and the other is gone. There is no warning and no error. Exports that
# join what two programs wrote hold such pairs. dlt's pages speak of collisions for names of resources and tables, and for columns only
# if the naming convention is changed later.
# What we do: imports name their columns themselves (ingest/formats.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "dlt[duckdb]==1.31.0" duckdb==1.5.5
cat > finding.py <<'PY'
from importlib.metadata import version

import dlt
import duckdb

given = {
    "a": {"userId": 1, "user_id": 2},
    "b": {"id": "first", "ID": "second"},
    "c": {"user": {"id": 5}, "user__id": 6},
}
print("dlt", version("dlt"), "| duckdb", version("duckdb"))
pipeline = dlt.pipeline("finding", destination=dlt.destinations.duckdb("finding.duckdb"), dataset_name="posts", pipelines_dir=".")
for name, post in given.items():
    pipeline.run([post], table_name=name)
connection, seen = duckdb.connect("finding.duckdb", read_only=True), {}
for name, post in given.items():
    seen[name] = connection.execute(f"select columns(c -> c not like '\\_dlt%' escape '\\') from posts.{name}").fetchall()
    print(post, "->", [column[0] for column in connection.description], seen[name])
raise SystemExit(0 if seen == {"a": [(2,)], "b": [("second",)], "c": [(5,)]} else "Changed.")
PY
DLT_DATA_DIR=. RUNTIME__DLTHUB_TELEMETRY=false venv/bin/python finding.py
echo "As stated: one of two values is lost."
