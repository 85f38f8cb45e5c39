#!/usr/bin/env bash
# usearch 2.26.6, numpy 2.4.6.
#
# Guess: dtype="i8" rounds the numbers of a vector, so that the nearest by distance or by inner product are nearly the same.
# Seen: each vector is scaled to length 127 on its own. With metric="l2sq" and "ip" the length is lost, from vectors and from
# queries: (1, 0) and (10, 0) have distance 0, and of the 5 nearest of random vectors about half are others. It is
# no error, and no warning. dtype="f16" keeps 99 in 100; metric="cos" asks for directions only, and is right with i8.
# What we do: our vectors have unit length, and the index holds floats (groundswell/neighbours.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check usearch==2.26.6 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from usearch.index import Index


def index(metric, dtype, vectors):
    made = Index(ndim=vectors.shape[1], metric=metric, dtype=dtype)
    made.add(np.arange(len(vectors)), vectors)
    return made


print("usearch", version("usearch"))
axes = index("l2sq", "i8", np.array([[1, 0], [10, 0], [0, 1]], "float32"))
found = axes.search(np.array([1, 0], "float32"), 3, exact=True)
distances = dict(zip(found.keys.tolist(), found.distances.tolist()))
print("squared distances of (1, 0), (10, 0) and (0, 1) to (1, 0):", distances)
generator = np.random.default_rng(0)
vectors = (generator.normal(size=(500, 16)) * generator.uniform(0.5, 3, size=(500, 1))).astype("float32")
kept = {}
for metric in ("l2sq", "ip", "cos"):
    right = index(metric, "f32", vectors).search(vectors, 5, exact=True).keys
    for dtype in ("f16", "i8"):
        keys = index(metric, dtype, vectors).search(vectors, 5, exact=True).keys
        kept[metric, dtype] = sum(len(set(one) & set(other)) for one, other in zip(right, keys)) / right.size
        print(f"{metric}, {dtype}: {kept[metric, dtype]:.0%} of the 5 nearest")
is_as_stated = (
    distances[0] == distances[1] == 0
    and max(kept["l2sq", "i8"], kept["ip", "i8"]) < 0.7
    and min(kept[metric, "f16"] for metric in ("l2sq", "ip", "cos")) > 0.97
    and kept["cos", "i8"] > 0.9
)
raise SystemExit(0 if is_as_stated else "Changed.")
PY
echo "As stated: i8 keeps directions only, whatever the metric."
