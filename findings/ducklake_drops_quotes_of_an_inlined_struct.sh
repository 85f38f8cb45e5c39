#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), a catalog in SQLite, data inlining as it is by default.
#
# Guess: a text within a struct comes back as it was inserted, as one in a column or a list does.
# Seen: an insert of up to 10 rows is kept in the catalog. There a struct loses the apostrophes and backslashes of its
# texts: "it's in C:\temp" becomes "its in C:temp". A list of such structs and a map keep them, and so do a larger insert and a
# catalog in a file of DuckDB. A catalog in Postgres 15 loses them as well.
# Changed after this version: https://github.com/duckdb/ducklake/pull/1447.
# What we do: inlining is off (set ducklake_default_data_inlining_row_limit = 0, before the lake is attached).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
    duckdb==1.5.5 duckdb-extension-ducklake==1.5.5 duckdb-extension-sqlite-scanner==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files

import duckdb

TEXT = r"it's in C:\temp"


def stored(catalog, limit):
    """What a lake gives back of one row: a column, a list of structs and a struct, each with TEXT."""
    connection = duckdb.connect()
    for name in ("ducklake", "sqlite_scanner"):
        package = files(f"duckdb_extension_{name}")
        connection.execute(f"load '{package / f'extensions/v{duckdb.__version__}/{name}.duckdb_extension'}'")
    path = f"data_{limit}{'_sqlite' if catalog else ''}"
    connection.execute(f"set ducklake_default_data_inlining_row_limit = {limit}")
    connection.execute(f"attach 'ducklake:{catalog}{path}.catalog' as lake (data_path '{path}')")
    connection.execute("create table lake.posts (one varchar, list struct(said varchar)[], struct struct(said varchar))")
    connection.execute("insert into lake.posts values ($text, [{'said': $text}], {'said': $text})", {"text": TEXT})
    return connection.execute("select one, list[1].said, struct.said from lake.posts").fetchone()


print("duckdb", duckdb.__version__, "| inserted:", TEXT)
in_sqlite, in_files, in_duckdb = stored("sqlite:", 10), stored("sqlite:", 0), stored("", 10)
print("column, list, struct; inlined in SQLite:", *in_sqlite, sep=" | ")
print("in Parquet:", *in_files, sep=" | ")
print("inlined in a file of DuckDB:", *in_duckdb, sep=" | ")
is_as_stated = in_sqlite == (TEXT, TEXT, "its in C:temp") and in_files == in_duckdb == (TEXT,) * 3
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
