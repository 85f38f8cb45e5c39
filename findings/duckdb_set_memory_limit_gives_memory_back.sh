#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: setting memory_limit to the value that it has costs next to nothing: alone it takes less than 0.1 ms.
# Seen: the statement gives all free memory back to the system, and the next query asks for it again. A short query then
# takes up to twice the CPU time. dbt-duckdb repeats what a profile has under `settings` for each node of a build.
# What we do: profiles.yml has the limit under `config_options`, which are given once, as the file is opened.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
cat > "$folder/set.py" << 'END_OF_PYTHON'
import sys
import time
from statistics import median

import duckdb

QUERY = "select count(*) from (select key from keys group by key having count(*) > 1)"
connection = duckdb.connect(config={"memory_limit": "1GB"})
connection.execute("create table keys as select sha256(number::varchar) as key from range(36_000) as numbers(number)")


def used(before: str) -> float:
    """The CPU milliseconds of a query, each after a statement."""
    started = time.process_time()
    for _ in range(100):
        cursor = connection.cursor()
        cursor.execute(before)
        cursor.execute(QUERY).fetchall()
        cursor.close()
    return (time.process_time() - started) * 10


rounds = [(used("select 1"), used("set memory_limit = '1GB'")) for _ in range(5)]
without, after = (median(column) for column in zip(*rounds, strict=True))
print(f"duckdb {duckdb.__version__}: {without:.1f} ms of CPU time a query, {after:.1f} after set memory_limit")
if after > 1.3 * without:
    print("As stated: setting the limit that stands makes the next query slower.")
else:
    sys.exit("Changed.")
END_OF_PYTHON
"$folder/venv/bin/python" "$folder/set.py"
