#!/usr/bin/env bash
# duckdb 1.5.5 and 2.0.1.
#
# Guess: read_json with ignore_errors leaves out a line that is no JSON, as read_csv does, and keeps the others.
# Seen: each such line is a row of nulls, which count(*) counts. After a line that was cut, as a collector leaves one when its
# disk is full and it writes on, 1.5.5 makes a row of nulls of the next line, too, although it is whole: a post is gone without
# a word, and any filter on a column hides both rows. 2.0.1 reads the next line. read_csv has store_rejects, read_json has not.
# What we do: each line is read on its own (ingest/reading.py), and a line that is no JSON is said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > finding.py <<'PY'
import sys
from pathlib import Path

import duckdb

lines = ['{"id": 1, "title": "a"}', '{"id": 2, "title":', '{"id": 3, "title": "c"}', '{"id": 4, "title": "d"}']
Path("posts.ndjson").write_text("\n".join(lines) + "\n")
Path("posts.csv").write_text("id,title\n1,a\n2\n3,c\n4,d\n")
from_json = duckdb.sql("from read_json('posts.ndjson', format = 'newline_delimited', ignore_errors = true)").fetchall()
from_csv = duckdb.sql("from read_csv('posts.csv', ignore_errors = true)").fetchall()
print("duckdb", duckdb.__version__, "| of JSON:", from_json, "| of CSV:", from_csv)
stated = {"1.5.5": [(1, "a"), (None, None), (None, None), (4, "d")], "2.0.1": [(1, "a"), (None, None), (3, "c"), (4, "d")]}
sys.exit(0 if from_json == stated[duckdb.__version__] and from_csv == [(1, "a"), (3, "c"), (4, "d")] else "Changed.")
PY
for version in 1.5.5 2.0.1; do
    python3 -m venv --clear venv
    venv/bin/pip install --quiet --disable-pip-version-check "duckdb==$version"
    venv/bin/python finding.py
done
echo "As stated: a bad line is a row of nulls, and in 1.5.5 so is the good one after it."
