#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), a catalog in a file of DuckDB, two cursors as two clients.
#
# Guess: while one transaction sets a column to NOT NULL, another one that inserts a null is refused, or the first one fails at
# its commit.
# Seen: both commit. The column is NOT NULL and holds a null. An update of this row fails from then on, whatever column it
# sets, and so does a copy into another table with the same constraint. In the other order, the insert open and the column set
# meanwhile, DuckLake finds the conflict. With a catalog in Postgres 15 and two programs it is the same.
# What we do: each publish holds a lock of its own while it changes tables and adds rows (groundswell/lake).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files

import duckdb


def answer(connection, query):
    """The rows of a query, or what its error says."""
    try:
        return connection.execute(query).fetchall()
    except duckdb.Error as error:
        return " ".join(str(error).split())


def race(opened, meanwhile):
    """The outcome of a transaction within which another client runs a statement, and a cursor on this lake."""
    first, second = lake.cursor(), lake.cursor()
    first.execute("create or replace table lake.posts (id integer, title varchar)")
    first.execute("insert into lake.posts values (1, 'first')")
    first.execute("begin")
    first.execute(opened)
    second.execute(meanwhile)
    return answer(first, "commit"), second


lake = duckdb.connect()
extension = files("duckdb_extension_ducklake") / f"extensions/v{duckdb.__version__}/ducklake.duckdb_extension"
lake.execute(f"load '{extension}'")
lake.execute("attach 'ducklake:catalog.ducklake' as lake (data_path 'data')")
constraint = "alter table lake.posts alter title set not null"
null = "insert into lake.posts values (2, null)"

print("duckdb", duckdb.__version__)
refused, _ = race(null, constraint)
print("insert open, column set meanwhile:", refused)
taken, client = race(constraint, null)
[(nullable,)] = client.execute("select is_nullable from duckdb_columns() where column_name = 'title'").fetchall()
rows = answer(client, "select * from lake.posts order by id")
update = answer(client, "update lake.posts set id = 3 where id = 2")
print("column set, null inserted meanwhile:", taken, "| is nullable:", nullable, "| rows:", rows)
print("update of the row:", update)
is_as_stated = "Transaction conflict" in refused and not taken and not nullable and rows == [(1, "first"), (2, None)]
is_as_stated &= "NOT NULL constraint failed" in update
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
