#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), a catalog in a file of DuckDB.
#
# Guess: ducklake_add_data_files refuses a file that the table has already, or its rows are there twice and are deleted and
# updated as any others.
# Seen: the rows are there twice. A delete of a row says that it has deleted two, and deletes one. An update of the other row
# says that it has updated two; one old row stays, and two new ones are added. Nothing is an error. An import that is repeated
# after a failure meets this. With a catalog in Postgres 15 it is the same.
# Rows of one key in two files of a flush: https://github.com/duckdb/ducklake/issues/917.
# What we do: no file is added; all rows are inserted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files
from pathlib import Path

import duckdb

lake = duckdb.connect()
extension = files("duckdb_extension_ducklake") / f"extensions/v{duckdb.__version__}/ducklake.duckdb_extension"
lake.execute(f"load '{extension}'")
lake.execute("attach 'ducklake:catalog.ducklake' as lake (data_path 'data')")
lake.execute("create table lake.posts (id integer, title varchar)")
file = Path("posts.parquet").resolve()
lake.execute(f"copy (select 1 as id, 'a' as title union all select 2, 'b') to '{file}'")


def run(query):
    """Run a query; returns how many rows it says that it has changed, and the rows that are there."""
    changed = lake.execute(query).fetchall()
    return changed, lake.execute("select * from lake.posts order by all").fetchall()


print("duckdb", duckdb.__version__)
for _ in range(2):
    _, added = run(f"call ducklake_add_data_files('lake', 'posts', '{file}')")
print("added twice:", added)
deleted = run("delete from lake.posts where id = 1")
print("delete where id = 1:", *deleted)
updated = run("update lake.posts set title = 'B' where id = 2")
print("update where id = 2:", *updated)
is_as_stated = (
    added == [(1, "a"), (1, "a"), (2, "b"), (2, "b")]
    and deleted == ([(2,)], [(1, "a"), (2, "b"), (2, "b")])
    and updated == ([(2,)], [(1, "a"), (2, "B"), (2, "B"), (2, "b")])
)
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
