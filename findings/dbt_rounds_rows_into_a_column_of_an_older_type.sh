#!/usr/bin/env bash
# dbt-core 1.11.16, dbt-duckdb 1.11.1, duckdb 1.5.5.
#
# Guess: an incremental model with on_schema_change: append_new_columns, whose column becomes DOUBLE where the table has
# INTEGER, ends with an error or warns, or the table gets the wider type. A new field of a struct is added as a column is.
# Seen: the build is green, without a warning. 1.5 is stored as 2, in a list as well, and the new field is dropped. dbt
# compares names only, and DuckDB rounds numbers on their way into a table and leaves out fields that its struct lacks.
# With on_schema_change: fail the build says so.
# What we do: macro upgrade_database converts the tables of earlier versions. Nothing notices a type that somebody changes
# without it.
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
cat > models/scores.sql <<'SQL'
{{ config(materialized='incremental', unique_key='day', on_schema_change=var('change', 'append_new_columns')) }}
{% if is_incremental() %}
select 2 as day, 1.5::double as score, [1.5::double] as parts, {'up': 3, 'down': 5} as votes
{% else %}
select 1 as day, 1 as score, [1] as parts, {'up': 3} as votes
{% endif %}
SQL
dbt() { ../venv/bin/dbt --no-use-colors "$@" --profiles-dir .; }
dbt build > first.log || { cat first.log; exit 1; }
dbt build > second.log || { cat second.log; exit 1; }
../venv/bin/pip list 2>/dev/null | grep -E '^(dbt-core|dbt-duckdb|duckdb) '
grep "Done\." second.log
seen=$(../venv/bin/python -c "import duckdb
print(duckdb.connect('dev.duckdb').sql('select score, parts, votes from scores where day = 2').fetchone())")
echo "1.5, [1.5] and {up: 3, down: 5} are stored as $seen"
failed=$(dbt build --vars 'change: fail' > third.log && echo no || echo yes)
echo "with on_schema_change: fail, the build fails: $failed"
if [ "$seen" = "(2, [2], {'up': 3})" ] && grep -q "PASS=1 WARN=0 ERROR=0" second.log && [ "$failed" = yes ]; then
    echo "As stated: the rows are rounded, and the build is green."
else
    echo "Changed." && exit 1
fi
