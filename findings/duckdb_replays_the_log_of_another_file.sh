#!/usr/bin/env bash
# DuckDB 1.5.5 (duckdb 1.5.5), a database file and the log (.wal) beside it.
#
# Guess: DuckDB refuses a log that belongs to another file (duckdb/duckdb#18823 gives both an identifier).
# Seen: files have the storage version v1.0.0 unless one asks for another, and their logs have no identifier. The log of a
# database that was killed is written into whatever database stands at its path. With storage version v1.5.0 it is refused.
# What we do: python -m groundswell restore makes no database beside a log; docs/operations.md says to move both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - "$folder" <<'PY'
import subprocess
import sys
from pathlib import Path

import duckdb

# Fills a file, closes it, opens it again, adds a row, and ends as a killed process does.
KILLED = """
import os, sys, duckdb
path, version, row = sys.argv[1:]
for is_killed in (False, True):
    connection = duckdb.connect()
    connection.execute(f"attach '{path}' as it (storage_version '{version}')")
    connection.execute("create table if not exists it.rows (row text)")
    connection.execute("insert into it.rows values (?)", [f"{row}, {'in the log' if is_killed else 'in the file'}"])
    if is_killed:
        os._exit(9)
    connection.close()
"""


def opened(version: str) -> list[str]:
    """What a database holds that gets the log of another one."""
    first, second = (Path(sys.argv[1]) / f"{name}-{version}.duckdb" for name in ("first", "second"))
    for file in (first, second):
        subprocess.run([sys.executable, "-c", KILLED, str(file), version, file.stem.split("-")[0]], check=False)
    second.with_name(second.name + ".wal").replace(first.with_name(first.name + ".wal"))
    try:
        with duckdb.connect(str(first)) as connection:
            return [row for (row,) in connection.execute("from rows").fetchall()]
    except duckdb.Error as error:
        return [f"refused: {type(error).__name__}"]


print("duckdb", duckdb.__version__)
usual, newest = opened("v1.0.0"), opened("v1.5.0")
print("storage v1.0.0:", usual)
print("storage v1.5.0:", newest)
as_stated = usual == ["first, in the file", "second, in the log"] and newest[0].startswith("refused")
raise SystemExit(0 if as_stated else "Changed: a log is matched with its file.")
PY
echo "As stated: the log of another database is written into this one."
