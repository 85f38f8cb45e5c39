#!/usr/bin/env bash
# sqlglot 30.30.0, DuckDB 1.5.5.
#
# Guess: sqlglot writes Postgres' to_char(at, 'HH12:MI AM') for DuckDB so that it gives the same text.
# Seen: it writes the letters AM as they are: strftime(at, '%I:%M AM'). In Postgres AM and PM are two ways to ask for the mark
# of the time's half of the day (table "Template Patterns for Date/Time Formatting"). 15:04, which is 03:04 PM there, becomes
# 03:04 AM, and with PM a morning becomes an afternoon. Nothing is said, also with unsupported_level=RAISE.
# What we do: no SQL of ours passes through sqlglot; times are ISO 8601.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==1.5.5
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import duckdb
import sqlglot

print("sqlglot", version("sqlglot"), "| duckdb", duckdb.__version__)
seen = []
for time, mark in (("15:04", "AM"), ("03:04", "PM")):
    query = f"select to_char(timestamp '2026-11-20 {time}', 'HH12:MI {mark}')"
    [written] = sqlglot.transpile(query, read="postgres", write="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
    seen.append(duckdb.sql(written).fetchone()[0])
    print(query, "->", written, "->", seen[-1])
raise SystemExit(0 if seen == ["03:04 AM", "03:04 PM"] else "Changed.")
PY
echo "As stated: an afternoon becomes a morning."
