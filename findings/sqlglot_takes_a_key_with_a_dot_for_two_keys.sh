#!/usr/bin/env bash
# sqlglot 30.30.0, DuckDB 1.5.5.
#
# Guess: sqlglot writes `payload ->> 'a.b'` of a DuckDB query as it stands, or in words that mean the same.
# Seen: in DuckDB a text that does not begin with $ or / is the name of one key, so 'user.name' is the key "user.name". sqlglot
# writes '$.user.name', the key "name" within "user": another value where there is one, else null. OpenTelemetry and many logs
# have keys with dots.
# What we do: no SQL of ours passes through sqlglot.
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
seen = []
for payload in ('{"user.name": "a", "user": {"name": "b"}}', '{"user.name": "a"}'):
    query = f"select '{payload}'::json ->> 'user.name'"
    [written] = sqlglot.transpile(query, read="duckdb", write="duckdb")
    before, after = (duckdb.sql(text).fetchone()[0] for text in (query, written))
    print(query, "->", before, "|", written, "->", after)
    seen.append((before, after))
raise SystemExit(0 if seen == [("a", "b"), ("a", None)] else "Changed.")
PY
echo "As stated: one key becomes two."
