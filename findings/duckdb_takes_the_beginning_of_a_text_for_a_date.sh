#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: try_cast of '2026-01-05 unknown' to DATE is null, as it is to TIMESTAMP.
# Seen: it is 2026-01-05. A date may be followed by anything that is no digit right behind it: '2026-01-05T25:99', '2026-01-05-06'
# and '2026-01-05x' are dates. read_csv with types says so, too. So try_cast to DATE checks less than one expects, and of a time
# with an offset it takes the day of the text, not that in UTC: '2026-01-05T23:30:00-08:00' is 2026-01-05. '1_000' is the
# number 1000.
# What we do: dates and times are read in Python, as whole texts (ingest/item.py, groundswell/days.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5
cat > finding.py <<'PY'
from pathlib import Path

import duckdb

TEXTS = ["2026-01-05 unknown", "2026-01-05x", "2026-01-05T25:99", "2026-01-05-06", "2026-01-05T23:30:00-08:00", "2026-01-055"]
Path("posts.csv").write_text("day\n" + "\n".join(TEXTS[:-1]) + "\n")
connection = duckdb.connect()
connection.execute("set timezone = 'UTC'")
query = "select try_cast($text as date)::varchar, try_cast($text as timestamptz)::varchar, try_cast('1_000' as integer)"
seen = {text: connection.execute(query, {"text": text}).fetchone() for text in TEXTS}
rows = connection.execute("select day::varchar from read_csv('posts.csv', types = {day: 'DATE'})").fetchall()
print("duckdb", duckdb.__version__)
for text, (day, time, number) in seen.items():
    print(f"{text!r} -> date {day}, timestamptz {time}")
print("read_csv, types = {day: DATE}:", rows)
day = "2026-01-05"
stated = [(day, None, 1000)] * 4 + [(day, "2026-01-06 07:30:00+00", 1000), (None, None, 1000)]
is_as_stated = list(seen.values()) == stated and rows == [(day,)] * 5
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
