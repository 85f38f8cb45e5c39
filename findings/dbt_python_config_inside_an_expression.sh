#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, duckdb 1.5.5.
#
# Guess: in a Python model, dbt.config.meta_get() and dbt.config.get() return the value from the YAML file, wherever the
# call stands.
# Seen: dbt parses the model and keeps only the keys whose calls it finds. It finds a call that is an argument of
# another call. It does not find a call inside an expression that is such an argument: `int(dbt.config.meta_get("b") or
# 0)` is 0, and a lookup with such a call as its key looks up None. There is no warning. The same expression outside a
# call works.
# What we do: each setting is read by a line of its own (`tier = dbt.config.meta_get("problem_tier")`).
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
YML
cat > models/models.yml <<'YML'
models:
  - name: limits
    config:
      meta: {a: 5, b: 5, c: 5, d: 5}
YML
cat > models/limits.py <<'PY'
def model(dbt, session):
    dbt.config(materialized="table")
    names = {5: "five"}
    argument = int(dbt.config.meta_get("a"))
    inside = int(dbt.config.meta_get("b") or 0)
    outside = dbt.config.meta_get("c") or 0
    key = str(names.get(5) if dbt.config.meta_get("d") else "nothing")
    return session.sql(f"select {argument} as argument, {inside} as inside, {outside} as outside, '{key}' as key")
PY

dbt() { ../venv/bin/dbt --no-use-colors "$@" --profiles-dir .; }
dbt build > build.log
../venv/bin/pip list 2>/dev/null | grep -E '^(dbt-core|dbt-duckdb|duckdb) '
seen=$(../venv/bin/python -c "import duckdb
print(duckdb.connect('prod.duckdb').sql('select * from limits').fetchone())")
echo "as an argument, inside an expression in an argument, outside of a call, as a condition in an argument: $seen"
if [ "$seen" = "(5, 0, 5, 'nothing')" ] && ! grep -qi "warn.*limits" build.log; then
    echo "As stated: the value is missing where the call stands inside an expression that is an argument."
else
    echo "Changed." && exit 1
fi
