#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, DuckDB 1.5.5.
#
# Guess: a unit test fails if the model gives another value than the test expects.
# Seen: each expected value is cast to the type of the model's column before it is compared. For a model that gives the integer
# 2 a test that expects 2.4 passes, as does 12.344 for the decimal 12.34, 23:00 of a day for its date, and 5 for true. What is
# given is cast in the same way: 1.6 reaches the model as 2. A test that was written against rounding, or for a column that was
# a time once, can not fail.
# What we do: expected values are written in the type of their column; contracts state the types.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==1.5.5
mkdir models
cat > dbt_project.yml <<'YML'
name: finding
version: "1.0"
profile: finding
flags: {send_anonymous_usage_stats: false}
YML
cat > profiles.yml <<'YML'
finding: {target: dev, outputs: {dev: {type: duckdb, path: posts.duckdb}}}
YML
echo "select 1 as id, 2 as n, 12.34::decimal(10, 2) as price, date '2026-11-20' as day, true as open" > models/posts.sql
echo "select id, n, price, day, open from {{ ref('posts') }}" > models/totals.sql
cat > models/tests.yml <<'YML'
unit_tests:
  - {name: a_right_number, model: totals, given: [{input: ref('posts'), rows: [{n: 2}]}], expect: {rows: [{n: 2}]}}
  - {name: a_wrong_number, model: totals, given: [{input: ref('posts'), rows: [{n: 2}]}], expect: {rows: [{n: 3}]}}
  - {name: a_fraction, model: totals, given: [{input: ref('posts'), rows: [{n: 2}]}], expect: {rows: [{n: 2.4}]}}
  - {name: a_given_fraction, model: totals, given: [{input: ref('posts'), rows: [{n: 1.6}]}], expect: {rows: [{n: 2}]}}
  - {name: a_third_digit, model: totals, given: [{input: ref('posts'), rows: [{price: 12.34}]}], expect: {rows: [{price: 12.344}]}}
  - {name: a_time, model: totals, given: [{input: ref('posts'), rows: [{day: '2026-11-20'}]}], expect: {rows: [{day: '2026-11-20 23:00:00'}]}}
  - {name: a_five, model: totals, given: [{input: ref('posts'), rows: [{open: true}]}], expect: {rows: [{open: 5}]}}
YML
venv/bin/dbt --quiet run --profiles-dir .
venv/bin/dbt --no-use-colors test --profiles-dir . > said || true
grep -E "(PASS|FAIL).*totals::" said
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

print("dbt-core", version("dbt-core"), "| dbt-duckdb", version("dbt-duckdb"))
results = json.load(open("target/run_results.json"))["results"]
failed = [result["unique_id"].split(".")[-1] for result in results if result["status"] != "pass"]
raise SystemExit(0 if len(results) == 7 and failed == ["a_wrong_number"] else f"Changed: {failed}")
PY
echo "As stated: an expected 2.4 is 2."
