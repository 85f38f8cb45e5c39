#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: '2026-07-05T10:00:00+05:00' becomes the same TIMESTAMP by each way: 10:00 by all of them, as in Postgres, or 05:00 UTC
# by all.
# Seen: a cast to TIMESTAMP drops the offset (10:00), a cast to TIMESTAMP_NS applies it (05:00). read_json finds the type
# TIMESTAMP by itself and applies the offset (05:00); if columns says this same TIMESTAMP, it drops the offset (10:00). So to
# write down the types that read_json has found moves every post by its offset. read_csv drops it if types says TIMESTAMP, and
# finds TIMESTAMPTZ by itself. Nothing warns. Later versions find TIMESTAMPTZ in JSON as well:
# https://github.com/duckdb/duckdb/pull/24171.
# What we do: times of posts are read in Python, and are stored in UTC (ingest/item.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5
cat > finding.py <<'PY'
from pathlib import Path

import duckdb

TEXT = "2026-07-05T10:00:00+05:00"
Path("posts.json").write_text(f'{{"said": "{TEXT}"}}\n')
Path("posts.csv").write_text(f"said,id\n{TEXT},1\n")
connection = duckdb.connect()
connection.execute("set timezone = 'UTC'")


def seen(expression, source):
    query = f"select typeof({expression}), strftime({expression}, '%H:%M') from {source}"
    return connection.execute(query).fetchone()


text = f"(select '{TEXT}' as said)"
found = {
    "cast to TIMESTAMP": seen("said::timestamp", text),
    "cast to TIMESTAMP_NS": seen("said::timestamp_ns", text),
    "read_json": seen("said", "read_json('posts.json')"),
    "read_json, columns = {said: TIMESTAMP}": seen("said", "read_json('posts.json', columns = {said: 'TIMESTAMP'})"),
    "read_csv": seen("said", "read_csv('posts.csv')"),
    "read_csv, types = {said: TIMESTAMP}": seen("said", "read_csv('posts.csv', types = {said: 'TIMESTAMP'})"),
}
print("duckdb", duckdb.__version__, "|", TEXT)
for way, (kind, time) in found.items():
    print(f"{way} -> {kind} {time}")
stated = [
    ("TIMESTAMP", "10:00"),
    ("TIMESTAMP_NS", "05:00"),
    ("TIMESTAMP", "05:00"),
    ("TIMESTAMP", "10:00"),
    ("TIMESTAMP WITH TIME ZONE", "05:00"),
    ("TIMESTAMP", "10:00"),
]
is_as_stated = list(found.values()) == stated
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
