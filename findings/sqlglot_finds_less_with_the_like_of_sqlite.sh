#!/usr/bin/env bash
# sqlglot 30.30.0, DuckDB 1.5.5, SQLite of Python.
#
# Guess: sqlglot writes a query of SQLite for DuckDB so that it finds the same rows.
# Seen: LIKE takes no notice of capitals in SQLite, and does in DuckDB, where it is ILIKE. sqlglot keeps LIKE: of three titles
# about a crash one is left. Many dumps of posts are files of SQLite, whose queries move to DuckDB this way.
# What we do: no SQL of ours passes through sqlglot.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0 duckdb==1.5.5
"$folder/venv/bin/python" - <<'PY'
import sqlite3
from importlib.metadata import version

import duckdb
import sqlglot

print("sqlglot", version("sqlglot"), "| duckdb", duckdb.__version__, "| sqlite", sqlite3.sqlite_version)
posts = "with posts(title) as (values ('Crash at start'), ('crash'), ('CRASH')) "
query = posts + "select title from posts where title like 'crash%'"
[written] = sqlglot.transpile(query, read="sqlite", write="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
by_sqlite = [title for (title,) in sqlite3.connect(":memory:").execute(query)]
by_duckdb = [title for (title,) in duckdb.sql(written).fetchall()]
print("by sqlite:", by_sqlite, "| written for duckdb:", by_duckdb)
raise SystemExit(0 if len(by_sqlite) == 3 and by_duckdb == ["crash"] else "Changed.")
PY
echo "As stated: two of three rows are gone."
