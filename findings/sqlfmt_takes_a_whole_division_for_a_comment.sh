#!/usr/bin/env bash
# sqlfmt (shandy-sqlfmt 0.32.0), DuckDB 1.5.5.
#
# Guess: a formatter for dbt models does not change what a model computes. sqlfmt checks that for itself after each file
# ("safety check"), and dbt projects on DuckDB use it.
# Seen: `//` is whole division in DuckDB. sqlfmt takes it for the comment of Snowflake, and writes `--` for it: in `select
# score // 10 as tens, title` the divisor, the name and the next column become a comment. The statement stays valid, its safety
# check passes, and the table has a column less.
# What we do: sqlfluff formats the SQL, and our models have no whole division.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check shandy-sqlfmt==0.32.0 duckdb==1.5.5
cat > posts.sql <<'SQL'
select score // 10 as tens, title
from (values (25, 'a')) as posts(score, title)
SQL
venv/bin/python -c 'import duckdb; print(duckdb.sql(open("posts.sql").read()).fetchall())' | tee before
venv/bin/sqlfmt --quiet posts.sql
cat posts.sql
venv/bin/python -c 'import duckdb; print(duckdb.sql(open("posts.sql").read()).fetchall())' | tee after
venv/bin/python - <<'PY'
from importlib.metadata import version

print("sqlfmt", version("shandy-sqlfmt"), "| duckdb", version("duckdb"))
seen = open("before").read().strip(), open("after").read().strip()
raise SystemExit(0 if seen == ("[(2, 'a')]", "[(25,)]") else "Changed.")
PY
echo "As stated: a whole division becomes a comment."
