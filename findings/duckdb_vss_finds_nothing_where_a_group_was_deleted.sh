#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension vss (duckdb-extension-vss 1.5.5), an HNSW index in memory.
#
# Guess: after a delete, the five nearest are the five nearest of the rows that are left, or at worst some others: DuckDB's
# documentation says that deletes make an index less exact until it is compacted.
# Seen: once the 50 nearest of 1,000 rows are deleted, the same question gives no row at all: not with a limit of 900, not
# with hnsw_ef_search = 1000, and not after `pragma hnsw_compact_index`. Deletes of rows elsewhere do no harm. A new index, or
# the question without one, gives the rows. A deleted topic, or one author's posts, is such a group. For the search that stops
# early see https://github.com/unum-cloud/USearch/issues/751.
# What we do: neighbours are searched in an index that is built for each run (groundswell/neighbours.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-vss==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files

import duckdb

connection = duckdb.connect()
run = connection.execute
run(f"load '{files('duckdb_extension_vss')}/extensions/v{duckdb.__version__}/vss.duckdb_extension'")
run("set threads = 1")
run("create table posts as select range as id, [cos(range), sin(range), 0.1]::float[3] as vector from range(1000)")
index = "create index by_vector on posts using hnsw (vector) with (metric = 'cosine')"
run(index)
nearest = "select id from posts order by array_cosine_distance(vector, [1, 0, 0.1]::float[3]) limit "


def found(limit):
    """How many rows the question gives."""
    return len(run(nearest + str(limit)).fetchall())


print("duckdb", duckdb.__version__)
seen = {"before": [found(5), found(900)]}
run(f"create temp table gone as {nearest} 50")
run("delete from posts where id in (from gone)")
seen["50 nearest deleted"] = [found(5), found(900)]
run("set hnsw_ef_search = 1000")
seen["ef_search 1000"] = [found(5), found(900)]
run("pragma hnsw_compact_index('by_vector')")
seen["compacted"] = [found(5), found(900)]
run("drop index by_vector")
seen["no index"] = [found(5), found(900)]
run(index)
seen["a new index"] = [found(5), found(900)]
for name, counts in seen.items():
    print(f"{name}: limit 5 gives {counts[0]} rows, limit 900 gives {counts[1]}")
is_as_stated = list(seen.values()) == [[5, 900], [0, 0], [0, 0], [0, 0], [5, 900], [5, 900]]
print("As stated: nothing is found where a group was deleted." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
