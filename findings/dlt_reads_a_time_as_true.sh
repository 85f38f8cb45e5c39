#!/usr/bin/env bash
# dlt 1.31.0, duckdb 1.5.5.
#
# Guess: if a key holds false first and a number later, the number goes to a column of its own, edited__v_double, as dlt's pages
# say of values that do not fit the type of their column.
# Seen: the number becomes true. Dumps of Reddit have `edited`: false, or the time of the edit: all times are lost, without an error
# and without a column of their own. A text does get edited__v_text; in the other order, the time first, false gets
# edited__v_bool, and nothing is lost. So it depends on the first post of the first load.
# What we do: imports read `edited` with their own types (ingest/formats.py).
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

print("dlt", version("dlt"), "| duckdb", version("duckdb"))
pipeline = dlt.pipeline("finding", destination=dlt.destinations.duckdb("finding.duckdb"), dataset_name="posts", pipelines_dir=".")
given = {"a": [False, 1577836800.0, 1577836800, "off", "words"], "b": [1577836800.0, False]}
for name, values in given.items():
    pipeline.run([{"edited": value} for value in values], table_name=name)
connection, seen = duckdb.connect("finding.duckdb", read_only=True), {}
for name, values in given.items():
    seen[name] = connection.execute(f"select columns('^edited') from posts.{name} order by rowid").fetchall()
    print(values, "->", [column[0] for column in connection.description], seen[name])
stated = {
    "a": [(False, None), (True, None), (True, None), (None, "off"), (None, "words")],
    "b": [(1577836800.0, None), (None, False)],
}
raise SystemExit(0 if seen == stated else "Changed.")
PY
DLT_DATA_DIR=. RUNTIME__DLTHUB_TELEMETRY=false venv/bin/python finding.py
echo "As stated: a time is true."
