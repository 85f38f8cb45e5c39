#!/usr/bin/env bash
# Ray 2.60.0, pyarrow 26.0.1.
#
# Guess: ten batches of 1,000 rows of a table of 16 MB, which table.to_batches(max_chunksize=1_000) gives, take 80 kB in Ray's
# object store, as ten slices of the table do.
# Seen: each batch takes as much as the whole table, ten of them 160 MB. A batch is a view of the table's memory, and all of
# that is sent. Ray cuts views of tables only: table.slice(0, 1_000) is small, and so is pa.Table.from_batches([batch]). All
# hold the same rows, so nobody sees it but the network and the disk to which the store spills. pickle alone sends all of it
# for tables, too (https://github.com/apache/arrow/issues/26685). Ray's maintainers know that batches are left:
# https://github.com/ray-project/ray/issues/30254.
# What we do: lists of texts go to Ray's processes, and arrays of numpy come back (groundswell/ray_pool.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ray==2.60.0 pyarrow==26.0.1 grpcio==1.85.3
cat > finding.py <<'PY'
import os
import re

# A busy machine needs more than Ray's 30 seconds.
os.environ["RAY_raylet_start_wait_time_s"] = "300"
import pyarrow as pa
import ray
from ray._private.internal_api import memory_summary

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, object_store_memory=400_000_000)
table = pa.table({"score": pa.array(range(2_000_000), pa.float64())})
batches = table.to_batches(max_chunksize=1_000)[:10]
parts = {
    "a batch": batches[:1],
    "ten batches": batches,
    "ten slices of the table": [table.slice(start, 1_000) for start in range(0, 10_000, 1_000)],
    "ten tables of a batch": [pa.Table.from_batches([batch]) for batch in batches],
}
print("ray", ray.__version__, "| pyarrow", pa.__version__, "| table:", round(table.nbytes / 2**20), "MiB")


def stored():
    """The size of the object store's content in MiB."""
    return int(re.search(r"Plasma memory usage (\d+) MiB", memory_summary(stats_only=True)).group(1))


seen, kept = {}, []
for name, values in parts.items():
    before = stored()
    kept += [ray.put(value) for value in values]
    seen[name] = stored() - before
    print(f"{name}, {sum(len(value) for value in values):,} rows: {seen[name]} MiB in the object store")
one, ten, *cut = seen.values()
is_as_stated = 14 <= one <= 17 and 150 <= ten <= 155 and max(cut) <= 1
print("As stated: each batch is as large as the table." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python -W ignore finding.py
