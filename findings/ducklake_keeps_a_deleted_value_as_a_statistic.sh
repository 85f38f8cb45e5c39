#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), statistics of tables.
#
# Guess: after the rows are deleted, all old snapshots are expired, and the files are rewritten, merged and cleaned, as
# DuckLake's documentation has it for erasing data, no copy of a deleted text is left.
# Seen: ducklake_table_column_stats in the catalog still holds the deleted text as the greatest value of its column (its
# first 256 letters), if the rows went with their whole file: then no file has deleted rows, ducklake_rewrite_data_files
# has nothing to do, and only that function takes the statistics anew. With a catalog in Postgres every user of the
# database can read the text, and each client of DuckLake gets it.
# What we do: python -m groundswell lake tidy --erase-now takes the statistics of texts anew from those of the files.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5
cd "$folder"
venv/bin/python - <<'PY'
from pathlib import Path

import duckdb
import duckdb_extension_ducklake

extension = Path(duckdb_extension_ducklake.__file__).parent / "extensions" / f"v{duckdb.__version__}"
connection = duckdb.connect()
connection.execute(f"load '{extension / 'ducklake.duckdb_extension'}'")
connection.execute("attach 'ducklake:catalog.ducklake' as lake (data_path 'data', data_inlining_row_limit 0)")
connection.execute("create table lake.posts (day date, body varchar)")
for day in (1, 2):
    connection.execute(f"insert into lake.posts values ('2026-11-0{day}', 'a post'), ('2026-11-0{day}', 'zz erased')")
# The days are written anew without the text: each file loses all of its rows.
for day in (1, 2):
    connection.execute("begin")
    connection.execute(f"delete from lake.posts where day = '2026-11-0{day}'")
    connection.execute(f"insert into lake.posts values ('2026-11-0{day}', 'a post')")
    connection.execute("commit")
for call in (
    "ducklake_flush_inlined_data('lake')",
    "ducklake_rewrite_data_files('lake', delete_threshold => 0.0)",
    "ducklake_merge_adjacent_files('lake')",
    "ducklake_expire_snapshots('lake', older_than => now())",
    "ducklake_cleanup_old_files('lake', cleanup_all => true)",
    "ducklake_delete_orphaned_files('lake', cleanup_all => true)",
):
    connection.execute(f"select count(*) from {call}").fetchall()
rows = connection.execute("select body, count(*) from lake.posts group by all").fetchall()
files = connection.execute("select distinct body from read_parquet('data/**/*.parquet')").fetchall()
kept = connection.execute(
    "select max_value from __ducklake_metadata_lake.ducklake_table_column_stats where column_id = 2"
).fetchall()
print("duckdb", duckdb.__version__, "| rows:", rows, "| in the files:", files)
print("greatest value of the column in the catalog:", kept)
raise SystemExit(0 if kept == [("zz erased",)] else "Changed: the catalog does not hold the deleted text any more.")
PY
echo "As stated: the deleted text is still in the catalog."
