#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, duckdb 1.5.5.
#
# Guess: a model with materialized='external' whose query has no rows writes a file without rows.
# Seen: the file has one row of nulls, and the view that dbt makes on it leaves the row out. Whoever else reads the file
# counts a post that nobody wrote.
# Known, and to be changed for Parquet: https://github.com/duckdb/dbt-duckdb/issues/848.
# What we do: no model is external; files are written by python -m groundswell export.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==1.5.5
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
cat > models/quiet_day.sql <<'SQL'
{{ config(materialized='external', location='quiet_day.parquet') }}
select 1 as post, 'github' as source where false
SQL
../venv/bin/dbt build --profiles-dir . > build.log || { cat build.log; exit 1; }
../venv/bin/pip list 2>/dev/null | grep -E '^(dbt-core|dbt-duckdb|duckdb) '
../venv/bin/python - <<'PY'
import duckdb

connection = duckdb.connect("dev.duckdb", read_only=True)
seen = {name: connection.execute(f"from {name}").fetchall() for name in ("quiet_day", "'quiet_day.parquet'")}
print("view:", seen["quiet_day"], "| file:", seen["'quiet_day.parquet'"])
raise SystemExit(0 if list(seen.values()) == [[], [(None, None)]] else "Changed.")
PY
echo "As stated: the file has a row."
