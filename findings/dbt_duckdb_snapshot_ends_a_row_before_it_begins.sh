#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, duckdb 1.5.5.
#
# Guess: a snapshot with strategy: check has its times in UTC, wherever it runs.
# Seen: dbt-duckdb writes the time of the machine's zone into a column without a zone. A snapshot that a server in UTC and then
# a laptop in New York have brought up to date holds a row that ends five hours before it begins, and for those five hours two
# rows are valid at once. The hour that an autumn has twice would do the same on one machine. dbt says nothing. With
# `settings: {TimeZone: UTC}` in the profile all times are in UTC.
# What we do: no snapshots; each day keeps its own rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==1.5.5
mkdir models snapshots
cat > dbt_project.yml <<'YML'
name: finding
version: "1.0"
profile: finding
flags: {send_anonymous_usage_stats: false}
YML
cat > profiles.yml <<'YML'
finding:
  target: as_it_comes
  outputs:
    as_it_comes: {type: duckdb, path: as_it_comes.duckdb}
    in_utc: {type: duckdb, path: in_utc.duckdb, settings: {TimeZone: UTC}}
YML
echo "{{ config(materialized='table') }} select 1 as id, '{{ var('body') }}' as body" > models/posts.sql
cat > snapshots/history.yml <<'YML'
snapshots:
  - {name: history, relation: ref('posts'), config: {unique_key: id, strategy: check, check_cols: [body]}}
YML
for target in as_it_comes in_utc; do
    TZ=UTC venv/bin/dbt --quiet build --profiles-dir . --target "$target" --vars "body: first"
    TZ=America/New_York venv/bin/dbt --quiet build --profiles-dir . --target "$target" --vars "body: second"
done
venv/bin/python - <<'PY'
from importlib.metadata import version

import duckdb

print("dbt-core", version("dbt-core"), "| dbt-duckdb", version("dbt-duckdb"), "| duckdb", duckdb.__version__)
seen = {}
for target in ("as_it_comes", "in_utc"):
    history = duckdb.connect(f"{target}.duckdb").sql("from history select body, dbt_valid_from, dbt_valid_to order by body")
    print(target, history, sep="\n")
    seen[target] = [end < begin for _, begin, end in history.fetchall() if end]
raise SystemExit(0 if seen == {"as_it_comes": [True], "in_utc": [False]} else "Changed.")
PY
echo "As stated: the first row ends before it begins."
