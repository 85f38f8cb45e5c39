#!/usr/bin/env bash
# DuckDB 1.5.5: rows with texts are sorted within a memory limit.
#
# Guess: a sort goes to disk when its rows need more than the limit, as a copy of the same rows does.
# Seen: 150 MB of texts of 320 letters are sorted within 100 MB. 150 MB of texts of 1,920 letters are not: the query ends
# with "Out of Memory Error", with one thread and with four. The copy of these rows within 100 MB works, and so does a
# sort of their numbers alone. A build with 75,000 complaints in its window, each with a text and two vectors, ended so
# within 1 GB.
# What we do: groundswell/wide.py sorts narrow columns, and puts texts and vectors into their order afterwards.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys

import duckdb

QUERIES = {
    "copy": "create or replace temp table copy as from posts",
    "sort of numbers": "create or replace temp table copy as select n from posts order by md5(n::text)",
    "sort": "create or replace temp table copy as from posts order by md5(n::text)",
}


def outcomes(threads, letters):
    """What becomes of each query about 150 MB of texts within 100 MB."""
    connection = duckdb.connect(f"{sys.argv[1]}/{threads}_{letters}", config={"memory_limit": "100MB", "threads": threads})
    connection.execute(
        "create table posts as select n, repeat(md5(n::text), $times) as body from range($rows) as numbers (n)",
        {"times": letters // 32, "rows": 150_000_000 // letters},
    )
    for name, query in QUERIES.items():
        try:
            connection.execute(query)
            yield name, "works"
        except duckdb.OutOfMemoryException:
            yield name, "out of memory"


seen = {(threads, letters): dict(outcomes(threads, letters)) for threads, letters in ((1, 320), (1, 1920), (4, 1920))}
print(f"DuckDB {duckdb.__version__}: {seen}")
works = {"copy": "works", "sort of numbers": "works", "sort": "works"}
assert seen == {(1, 320): works, (1, 1920): works | {"sort": "out of memory"}, (4, 1920): works | {"sort": "out of memory"}}
PY
