#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), a catalog in a file of DuckDB, data inlining as it is by default.
#
# Guess: upkeep (ducklake_flush_inlined_data, ducklake_rewrite_data_files) changes no snapshot.
# Seen: a flush after a rewrite does. The snapshot of a delete before the rewrite had two of four rows; after the flush it has
# six: the two that were deleted are back, and the others are there twice. The newest snapshot is right, and nothing is an
# error. Deletes of up to 10 rows are kept in the catalog, as small inserts are; the flush writes them as of their time.
# With data_inlining_row_limit = 0 all snapshots stay as they were.
# See https://github.com/duckdb/ducklake/issues/1406.
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

FLUSH = "call ducklake_flush_inlined_data('lake')"
REWRITE = "call ducklake_rewrite_data_files('lake', delete_threshold => 0)"


def snapshot_before_and_after(limit):
    """The titles of one snapshot, when it was the newest, after a rewrite and after a flush; and of the newest one."""
    connection = duckdb.connect()
    extension = files("duckdb_extension_ducklake") / f"extensions/v{duckdb.__version__}/ducklake.duckdb_extension"
    connection.execute(f"load '{extension}'")
    connection.execute(f"set ducklake_default_data_inlining_row_limit = {limit}")
    connection.execute(f"attach 'ducklake:catalog_{limit}.ducklake' as lake (data_path 'data_{limit}')")
    connection.execute("create table lake.posts (id integer, title varchar)")
    connection.execute("insert into lake.posts values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
    connection.execute("delete from lake.posts where id = 1")
    connection.execute(FLUSH)
    connection.execute("delete from lake.posts where id = 2")
    [(snapshot,)] = connection.execute("select max(snapshot_id) from ducklake_snapshots('lake')").fetchall()

    def rows(version):
        found = connection.execute(f"select title from lake.posts at (version => {version}) order by title").fetchall()
        return "".join(title for (title,) in found)

    seen = [rows(snapshot)]
    connection.execute(REWRITE)
    seen.append(rows(snapshot))
    connection.execute("delete from lake.posts where id = 3")
    connection.execute(FLUSH)
    seen.append(rows(snapshot))
    [(newest,)] = connection.execute("select max(snapshot_id) from ducklake_snapshots('lake')").fetchall()
    return seen, rows(newest)


print("duckdb", duckdb.__version__)
inlined, newest = snapshot_before_and_after(10)
in_files, _ = snapshot_before_and_after(0)
print("one snapshot, inlining on:", *inlined, "| the newest one:", newest)
print("one snapshot, inlining off:", *in_files)
is_as_stated = inlined == ["cd", "cd", "abccdd"] and newest == "d" and in_files == ["cd"] * 3
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
