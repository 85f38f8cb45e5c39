#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5).
#
# Guess: a field that is added to a struct with a default keeps its value in old rows when it is renamed, as a column
# does.
# Seen: old rows then have null in place of the default. The value was in no file; the catalog gave it to the field's old
# name only. A column that is added with a default and renamed keeps it.
# What we do: tables of the lake get new columns, and no new fields.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files

import duckdb

extension = files("duckdb_extension_ducklake") / f"extensions/v{duckdb.__version__}/ducklake.duckdb_extension"
connection = duckdb.connect()
connection.execute(f"load '{extension}'")
connection.execute("attach 'ducklake:catalog.ducklake' as lake (data_path 'data')")
connection.execute("use lake")
connection.execute("create table posts as select 1 as id, {'up': 3} as votes")
connection.execute("alter table posts add column votes.down integer default 5")
connection.execute("alter table posts add column comments integer default 7")
before = connection.execute("select votes.down, comments from posts").fetchone()
connection.execute("alter table posts rename votes.down to against")
connection.execute("alter table posts rename comments to answers")
after = connection.execute("select votes.against, answers from posts").fetchone()
print("duckdb", duckdb.__version__)
print("field and column, added with a default:", before, "| renamed:", after)
is_as_stated = before == (5, 7) and after == (None, 7)
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
