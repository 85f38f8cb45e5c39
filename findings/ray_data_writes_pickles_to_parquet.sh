#!/usr/bin/env bash
# Ray 2.60.0 (ray.data), pandas 3.1.1, pyarrow 26.0.1, duckdb 1.5.5.
#
# Guess: a table of DuckDB that goes through Dataset.map or map_batches with a function that returns what it gets, and to
# Parquet, has its values and types in DuckDB again, but for the time zone (https://github.com/ray-project/ray/issues/50917).
# Seen: the type depends on the values. One null among timestamps, and map writes pickled Python objects, which DuckDB reads
# as BLOB; without a null the column is a TIMESTAMP. map_batches, in its default format, pickles lists of texts if one is
# empty, makes structs {data, shape} of lists of several lengths, and turns whole numbers into doubles if there is a null:
# 9007199254740993 is 9007199254740992, and the null is a NaN, which count() counts. Both pickle maps. Nothing is an error.
# map_batches(..., batch_format="pyarrow") keeps all of them.
# What we do: texts and vectors go to Ray's processes as they are (groundswell/ray_pool.py), without ray.data.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ray==2.60.0 pandas==3.1.1 pyarrow==26.0.1 duckdb==1.5.5
cat > finding.py <<'PY'
import logging
import os

# A busy machine needs more than Ray's 30 seconds.
os.environ["RAY_raylet_start_wait_time_s"] = "300"
import duckdb
import ray
import ray.data

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000, logging_level="ERROR")
ray.data.DataContext.get_current().enable_progress_bars = False
logging.getLogger("ray.data").setLevel("CRITICAL")
connection = duckdb.connect()
ways = {
    "map": lambda rows: rows.map(lambda row: row),
    "map_batches": lambda rows: rows.map_batches(lambda batch: batch),
    "pyarrow": lambda rows: rows.map_batches(lambda batch: batch, batch_format="pyarrow"),
}
values = {
    "times": "timestamp '2026-11-20 08:00:00', timestamp '2026-11-21 08:00:00'",
    "times and null": "timestamp '2026-11-20 08:00:00', null",
    "numbers and null": "9007199254740993, null",
    "lists and an empty one": "['a'], []::varchar[]",
    "lists of two lengths": "[1, 2], [3]",
    "maps": "map {'a': 1}",
}
print("ray", ray.__version__, "| duckdb", duckdb.__version__)
seen = {}
for number, (name, value) in enumerate(values.items()):
    query = f"select unnest([{value}]) as value"
    types = [connection.execute(f"select typeof(value) from ({query})").fetchone()[0]]
    for way, through in ways.items():
        through(ray.data.from_arrow(connection.execute(query).to_arrow_table())).write_parquet(f"{number}/{way}")
        types += connection.execute(f"select any_value(typeof(value)) from '{number}/{way}/*.parquet'").fetchone()
    seen[name] = types
    print(f"{name}:", *(f"{way} {kind}" for way, kind in zip(("before", *ways), types, strict=True)), sep=" | ")
count = "select count(value), min(value)::bigint from '2/map_batches/*.parquet'"
numbers = connection.execute(count).fetchone()
print("numbers and null after map_batches: count and least value", numbers)
is_as_stated = [types[1:] for types in seen.values()] == [
    ["TIMESTAMP", "TIMESTAMP", "TIMESTAMP"],
    ["BLOB", "TIMESTAMP", "TIMESTAMP"],
    ["BIGINT", "DOUBLE", "BIGINT"],
    ["VARCHAR[]", "BLOB", "VARCHAR[]"],
    ["BIGINT[]", 'STRUCT("data" INTEGER[], shape BIGINT[])', "INTEGER[]"],
    ["BLOB", "BLOB", "MAP(VARCHAR, INTEGER)"],
]
is_as_stated = is_as_stated and numbers == (2, 9007199254740992)
print("As stated: a function that changes nothing changes types and values." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python -W ignore finding.py
