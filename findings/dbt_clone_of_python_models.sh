#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, duckdb 1.5.5.
#
# Guess: `dbt clone` makes a view on each model of the state, and a Python model is cloned like a SQL model.
# Seen: the clone of a SQL model is a view on the original. The clone of a Python model fails with a parser error: dbt
# wraps the query of the model in a view, a Python model has no query, and the text of the missing query is "None".
# What we do: a clone materialization of our own copies the tables (macros/clone.sql).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==1.5.5 pandas==2.3.3

mkdir -p project/models
cd project
cat > dbt_project.yml <<'YML'
name: finding
version: "1.0.0"
profile: finding
flags: {send_anonymous_usage_stats: false}
YML
cat > profiles.yml <<'YML'
finding:
  target: prod
  outputs:
    prod: {type: duckdb, path: prod.duckdb, threads: 1}
    dev: {type: duckdb, path: dev.duckdb, threads: 1, attach: [{path: prod.duckdb}]}
YML
echo "select 1 as number" > models/of_sql.sql
cat > models/of_python.py <<'PY'
def model(dbt, session):
    dbt.config(materialized="table")
    return session.sql("select 1 as number")
PY

dbt() { ../venv/bin/dbt --no-use-colors "$@" --profiles-dir .; }
dbt build > build.log
mkdir state && cp target/manifest.json state/
dbt clone --target dev --state state > clone.log || true
../venv/bin/pip list 2>/dev/null | grep -E '^(dbt-core|dbt-duckdb|duckdb) '
grep -E "of_python|of_sql|Parser Error|Done\." clone.log
held=$(../venv/bin/python -c "import duckdb
query = \"select count(*) from information_schema.tables where table_name like 'of_%'\"
print(duckdb.connect('dev.duckdb').execute(query).fetchone()[0])")
echo "relations in the target: $held"
if grep -q "PASS=1 .* ERROR=1" clone.log && grep -q "Error in model of_python" clone.log && [ "$held" = 1 ]; then
    echo "As stated: the SQL model is cloned, the Python model is not."
else
    echo "Changed." && exit 1
fi
