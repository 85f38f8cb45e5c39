#!/usr/bin/env bash
# ibis-framework 12.0.0, duckdb 1.5.5.
#
# Guess: bucket(weeks=1) of Ibis on DuckDB gives the weeks that DuckDB's time_bucket and truncate("W") give: from Monday.
# Seen: its weeks begin on Thursday, the day of the week of 1970-01-01. DuckDB's own time_bucket begins on Monday, for which
# it counts from 2000-01-03; Ibis hands over another origin. Both columns are "the week" of a chart, a join of the two finds no
# row, and a weekend's complaints are in two different weeks. bucket(weeks=1, offset=ibis.interval(days=4)) begins on Monday.
# What we do: a week is the seven days that end with the day of the build.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
    'ibis-framework[duckdb]==12.0.0' duckdb==1.5.5 sqlglot==30.30.0
"$folder/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import ibis

print("ibis-framework", version("ibis-framework"), "| duckdb", version("duckdb"))
connection = ibis.duckdb.connect()
asked = ibis.timestamp("2026-11-29 10:00:00")
seen = {
    "bucket(weeks=1)": connection.execute(asked.bucket(weeks=1)),
    "bucket(weeks=1, offset=four days)": connection.execute(asked.bucket(weeks=1, offset=ibis.interval(days=4))),
    "truncate('W')": connection.execute(asked.truncate("W")),
    "time_bucket of DuckDB": connection.con.sql("select time_bucket(interval 1 week, timestamp '2026-11-29 10:00:00')").fetchall()[0][0],
}
days = [f"{day:%A}" for day in seen.values()]
for (name, day), weekday in zip(seen.items(), days):
    print(f"{name}: {weekday}, {day:%Y-%m-%d}")
raise SystemExit(0 if days == ["Thursday", "Monday", "Monday", "Monday"] else "Changed.")
PY
echo "As stated: a week of bucket begins on Thursday."
