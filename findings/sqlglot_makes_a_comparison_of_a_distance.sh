#!/usr/bin/env bash
# sqlglot 30.30.0, DuckDB 1.5.5.
#
# Guess: sqlglot writes a DuckDB query for DuckDB without a change of its meaning, or says that it does not know an operator.
# Seen: `<=>` is the cosine distance of two arrays in DuckDB. sqlglot reads it as MySQL's null-safe comparison, and writes IS
# NOT DISTINCT FROM: the nearest vectors of a query are then all rows, in no order, since "order by" sorts false and true.
# `<->`, the Euclidean distance, stays as it is.
# What we do: similarities are computed with list_inner_product and numpy; no SQL of ours passes through sqlglot.
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
pairs = "[1, 0]::float[2] {} [0, 1]::float[2]"
seen = []
for operator in ("<=>", "<->"):
    query = "select " + pairs.format(operator)
    [written] = sqlglot.transpile(query, read="duckdb", write="duckdb")
    before, after = (duckdb.sql(text).fetchone()[0] for text in (query, written))
    print(query, "->", before, "|", written, "->", after)
    seen += [before, after]
raise SystemExit(0 if seen[0] == 1.0 and seen[1] is False and seen[2] == seen[3] else "Changed.")
PY
echo "As stated: a distance becomes a comparison."
