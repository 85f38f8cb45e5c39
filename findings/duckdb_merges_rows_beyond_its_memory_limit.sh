#!/usr/bin/env bash
# duckdb 1.5.5.
#
# Guess: memory_limit holds for a checkpoint, too: one that merges groups of rows, after most rows were deleted, stays near
# the limit.
# Seen: the process grows far beyond it. A table of 400,000 rows of 1.3 KB, nine of ten deleted, limit 192 MB, one thread:
# with the checkpoint the process takes about 490 MB at most. With max_vacuum_tasks = 0 it merges nothing, and the process
# takes 276 MB; the next connection's checkpoint then merges the rows.
# What we do: an import sets max_vacuum_tasks to 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: duckdb==1.5.5
cat >"$folder/delete.py" <<'PY'
import re
import sys
from pathlib import Path

import duckdb


def most_megabytes():
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024


file, tasks = sys.argv[1:]
connection = duckdb.connect(file)
connection.execute(f"set memory_limit = '192MB'; set threads = 1; set checkpoint_threshold = '4MB'; set max_vacuum_tasks = {tasks}")
connection.execute("create table posts (id bigint, body text)")
for part in range(0, 400_000, 5_000):
    connection.execute(f"insert into posts select range, repeat(md5(range::text), 40) from range({part}, {part + 5_000})")
for part in range(0, 400_000, 5_000):
    connection.execute(f"delete from posts where id >= {part} and id < {part + 4_500}")
connection.execute("checkpoint")
[(groups,)] = connection.execute("select count(distinct row_group_id) from pragma_storage_info('posts')").fetchall()
print(most_megabytes(), groups)
PY
"$folder/venv/bin/python" -c 'import duckdb; print("duckdb", duckdb.__version__)'
read -r merging groups <<<"$("$folder/venv/bin/python" "$folder/delete.py" "$folder/merging.duckdb" 100)"
read -r without kept <<<"$("$folder/venv/bin/python" "$folder/delete.py" "$folder/without.duckdb" 0)"
echo "limit 192 MB | merging: $merging MB at most, $groups group left | without: $without MB at most, $kept groups left"
[ "$groups" -lt "$kept" ] && [ "$merging" -gt $((without + 100)) ] && [ "$merging" -gt 384 ] || { echo "Changed."; exit 1; }
echo "As stated: a checkpoint that merges rows takes more than twice the memory limit."
