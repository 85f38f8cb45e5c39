#!/usr/bin/env bash
# sqlglot 30.30.0, DuckDB 1.5.5.
#
# Guess: a query that sqlglot reads as DuckDB and writes as DuckDB means what it meant. Formatters, linters and tools that add
# a filter or a schema to a query (SQLMesh, dlt) rely on it.
# Seen: DuckDB's `a ~ b` asks whether the pattern is the whole text (regexp_full_match); sqlglot writes REGEXP_MATCHES, which
# asks for a part. 'crash report' ~ 'crash' was false and is true, `!~` the other way round: a filter keeps other rows, without
# an error.
# What we do: no SQL of ours passes through sqlglot before it runs.
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
posts = "from (values ('crash'), ('crash report')) as posts(title) where title"
seen = []
for query in (f"select title {posts} ~ 'crash'", f"select title {posts} !~ 'crash'"):
    [written] = sqlglot.transpile(query, read="duckdb", write="duckdb")
    before, after = ([title for (title,) in duckdb.sql(text).fetchall()] for text in (query, written))
    print(query, "->", before, "|", written, "->", after)
    seen += [before, after]
raise SystemExit(0 if seen == [["crash"], ["crash", "crash report"], ["crash report"], []] else "Changed.")
PY
echo "As stated: a full match becomes a match of a part."
