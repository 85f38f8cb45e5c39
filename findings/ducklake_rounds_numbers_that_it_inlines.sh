#!/usr/bin/env bash
# duckdb 1.5.5, its extension ducklake of that version.
#
# Guess: a DOUBLE that is inserted into a table of a DuckLake comes back as the same number.
# Seen: an insert of up to 10 rows is kept in the catalog ("data inlining", on by default), on its way as decimal text.
# Of 1,000 random numbers 98 come back changed in their last digit, and none without inlining.
# What we do: inlining is off (set ducklake_default_data_inlining_row_limit = 0, before the lake is attached).
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
counts = {}
for limit in (10, 0):
    connection = duckdb.connect()
    connection.execute(f"load '{extension}'")
    connection.execute(f"set ducklake_default_data_inlining_row_limit = {limit}")
    connection.execute(f"attach 'ducklake:catalog_{limit}.ducklake' as lake (data_path 'data_{limit}')")
    connection.execute("select setseed(0.5)")
    connection.execute("create table one as select i, random() as x from range(1000) as r (i)")
    connection.execute("create table lake.one (i bigint, x double)")
    for start in range(0, 1000, 10):
        connection.execute(f"insert into lake.one select * from one where i between {start} and {start + 9}")
    [(counts[limit],)] = connection.execute(
        "select count(*) filter (where one.x <> other.x) from one inner join lake.one as other using (i)"
    ).fetchall()
    print(f"data_inlining_row_limit {limit}: {counts[limit]} of 1000 numbers changed")
print("As stated." if counts[10] > 0 and counts[0] == 0 else "Changed.")
raise SystemExit(not (counts[10] > 0 and counts[0] == 0))
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
