#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, DuckDB 1.5.5.
#
# Guess: a unit test tells a null from a text.
# Seen: a null and the text None are the same to it, since cells are compared as Python writes them: the model gives null, the
# test expects 'None', and it passes; so does the reverse. A coalesce that stopped to work, or a Python None that was written
# as a text, which is what such tests are for, goes unseen. Beside 'null', '' or another text the test fails as it should, and
# if the column is the only one of the row.
# What we do: data tests (not_null, accepted_values) run on the tables themselves.
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
echo "select 1 as id, 'ann' as author" > models/posts.sql
echo "select id, author from {{ ref('posts') }}" > models/authors.sql
cat > models/tests.yml <<'YML'
unit_tests:
  - {name: null_for_none, model: authors, given: [{input: ref('posts'), rows: [{id: 1, author: null}]}], expect: {rows: [{id: 1, author: 'None'}]}}
  - {name: none_for_null, model: authors, given: [{input: ref('posts'), rows: [{id: 1, author: 'None'}]}], expect: {rows: [{id: 1, author: null}]}}
  - {name: null_for_another_text, model: authors, given: [{input: ref('posts'), rows: [{id: 1, author: null}]}], expect: {rows: [{id: 1, author: 'ann'}]}}
  - {name: null_for_null_as_text, model: authors, given: [{input: ref('posts'), rows: [{id: 1, author: null}]}], expect: {rows: [{id: 1, author: 'null'}]}}
  - {name: null_for_no_letter, model: authors, given: [{input: ref('posts'), rows: [{id: 1, author: null}]}], expect: {rows: [{id: 1, author: ''}]}}
YML
venv/bin/dbt --quiet run --profiles-dir .
venv/bin/dbt --no-use-colors test --profiles-dir . > said || true
grep -E "(PASS|FAIL).*authors::" said
venv/bin/python - <<'PY'
import json
from importlib.metadata import version

print("dbt-core", version("dbt-core"), "| dbt-duckdb", version("dbt-duckdb"))
results = json.load(open("target/run_results.json"))["results"]
passed = sorted(result["unique_id"].split(".")[-1] for result in results if result["status"] == "pass")
raise SystemExit(0 if len(results) == 5 and passed == ["none_for_null", "null_for_none"] else f"Changed: {passed}")
PY
echo "As stated: a null passes for a text."
