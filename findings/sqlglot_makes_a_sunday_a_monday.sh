#!/usr/bin/env bash
# sqlglot 30.30.0, DuckDB 1.5.5.
#
# Guess: sqlglot writes a day of the week of BigQuery, MySQL or Spark for DuckDB so that it is the same number, or refuses it.
# Seen: the three count from 1, Sunday, to 7, Saturday; DuckDB from 0 to 6. sqlglot keeps the call, so that each number is one
# less, and `= 1`, the posts of Sundays, finds those of Mondays. The week of BigQuery and MySQL is 0 before the first Sunday of
# a year; DuckDB's is the ISO week, 1 at the first of January 2026. Snowflake and Postgres count as DuckDB does.
# What we do: no SQL of ours passes through sqlglot.
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
sunday = "date '2026-11-29'"
# The numbers on the right are those of each base's documentation.
queries = {
    ("bigquery", f"select extract(dayofweek from {sunday})"): 1,
    ("mysql", f"select dayofweek({sunday})"): 1,
    ("spark", f"select dayofweek({sunday})"): 1,
    ("bigquery", "select extract(week from date '2026-01-01')"): 0,
    ("mysql", "select week(date '2026-01-01')"): 0,
}
seen = []
for (base, query), right in queries.items():
    [written] = sqlglot.transpile(query, read=base, write="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
    seen.append(duckdb.sql(written).fetchone()[0])
    print(base, query, "is", right, "|", written, "->", seen[-1])
raise SystemExit(0 if seen == [0, 0, 0, 1, 1] else "Changed.")
PY
echo "As stated: day 1 is a Monday."
