#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), ducklake_flush_inlined_data.
#
# Guess: to write inlined rows from the catalog into a file changes no value: it is upkeep, as merging files is.
# Seen: an INTERVAL loses its microseconds, a TIMETZ its zone (so it equals the value that was inserted no more), and a
# HUGEINT, which sum() of whole numbers makes, becomes a DOUBLE and loses digits. Parquet holds no more of them. The same
# insert without inlining stores the changed values at once. One negative interval makes each flush of the lake fail.
# HUGEINT is known: https://github.com/duckdb/ducklake/issues/1186.
# What we do: inlining is off, and no table of a lake has one of these types.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files

import duckdb

VALUES = {
    "took": ("interval", "interval '1.000001 seconds'"),
    "clock": ("timetz", "timetz '08:00:00+05:30'"),
    "total": ("hugeint", "9007199254740993::hugeint"),
}
extension = files("duckdb_extension_ducklake") / f"extensions/v{duckdb.__version__}/ducklake.duckdb_extension"
connection = duckdb.connect()
connection.execute(f"load '{extension}'")
connection.execute("attach 'ducklake:catalog.ducklake' as lake (data_path 'data')")
connection.execute(f"create table lake.one ({', '.join(f'{name} {kind}' for name, (kind, _) in VALUES.items())})")
connection.execute(f"insert into lake.one values ({', '.join(value for _, value in VALUES.values())})")


def read():
    """The values as text, and how many of them equal what was inserted."""
    shown = connection.execute(f"select {', '.join(f'{name}::varchar' for name in VALUES)} from lake.one").fetchone()
    same = [f"({name} = {value})::int" for name, (_, value) in VALUES.items()]
    return shown, connection.execute(f"select {' + '.join(same)} from lake.one").fetchone()[0]


before = read()
connection.execute("call ducklake_flush_inlined_data('lake')")
after = read()
print("duckdb", duckdb.__version__)
print("inlined:", *before)
print("flushed:", *after)
connection.execute("create table lake.negative (took interval)")
connection.execute("insert into lake.negative values (interval '-1 second')")
try:
    connection.execute("call ducklake_flush_inlined_data('lake')")
    refusal = ""
except duckdb.Error as error:
    refusal = str(error)
print("flush with a negative interval:", refusal or "no error")
stated = ("00:00:01", "02:30:00+00", "9007199254740992")
is_as_stated = before[1] == 3 and after == (stated, 0) and "negative intervals" in refusal
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
