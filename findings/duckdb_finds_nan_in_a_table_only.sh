#!/usr/bin/env bash
# DuckDB 1.5.5 for Python, pyarrow 26.0.1.
#
# Guess: a filter gives the same rows of a table of DuckDB, of an Arrow table and of a Parquet file by pyarrow, if all hold the
# same numbers. NaN is the greatest number in DuckDB, so `v > 2` finds it.
# Seen: of 1, 2, NaN and null the table gives NaN for `v > 2`. The Arrow table gives nothing, since pyarrow filters it, and
# `v <= 'nan'` gives the null as well. Of the Parquet file `v > 2` and `v = 'nan'` give nothing and max(v) is 2: pyarrow leaves
# NaN out of the statistics of a file, as the format asks. A file that DuckDB has written gives what the table gives.
# See https://github.com/duckdb/duckdb-python/issues/615 and https://github.com/duckdb/duckdb/issues/25521.
# What we do: vectors with a NaN are encoded again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 pyarrow==26.0.1
cat > finding.py <<'PY'
import duckdb
import pyarrow
import pyarrow.parquet

connection = duckdb.connect()
arrow = pyarrow.table({"v": [1.0, 2.0, float("nan"), None]})
connection.register("arrow", arrow)
connection.execute("create table stored as select * from arrow")
connection.execute("copy stored to 'duckdb.parquet'")
pyarrow.parquet.write_table(arrow, "pyarrow.parquet")


def seen(source):
    """What a source gives for each condition, and its greatest value, as text."""
    rows = [
        connection.execute(f"select coalesce(v::varchar, 'null') from {source} where {condition}").fetchall()
        for condition in ("v > 2", "v = 'nan'", "v <= 'nan'")
    ]
    return [[value for (value,) in part] for part in rows] + connection.execute(f"select max(v)::varchar from {source}").fetchall()


print("duckdb", duckdb.__version__, "| pyarrow", pyarrow.__version__, "| v > 2; v = nan; v <= nan; max(v)")
found = {source: seen(source) for source in ("stored", "'duckdb.parquet'", "arrow", "'pyarrow.parquet'")}
for source, values in found.items():
    print(f"{source}:", *values)
table = [["nan"], ["nan"], ["1.0", "2.0", "nan"], ("nan",)]
by_arrow = [[], ["nan"], ["1.0", "2.0", "nan", "null"], ("nan",)]
by_file = [[], [], ["1.0", "2.0", "nan"], ("2.0",)]
is_as_stated = list(found.values()) == [table, table, by_arrow, by_file]
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
