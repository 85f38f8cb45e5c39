#!/usr/bin/env bash
# usearch 2.26.6.
#
# Guess: `index.search(vector, 10, radius=0.3)` gives no more than the vectors within a distance of 0.3. The method has the
# argument, infinite by default.
# Seen: the argument has no effect, nor with exact=True: the result holds vectors at any distance. Who groups near duplicates
# by it puts strangers together.
# What we do: neighbours are found with faiss, and compared with the threshold afterwards (groundswell/neighbours.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check usearch==2.26.6
"$folder/venv/bin/python" - <<'PY'
import inspect
from importlib.metadata import version

import numpy as np
from usearch.index import Index

vectors = np.eye(4, dtype=np.float32)
index = Index(ndim=4, metric="cos", dtype="f32")
index.add(np.arange(4), vectors)
print("usearch", version("usearch"), "| default:", inspect.signature(Index.search).parameters["radius"])
seen = []
for options in ({}, {"radius": 0.3}, {"radius": 0.3, "exact": True}):
    seen.append(sorted(float(distance) for distance in index.search(vectors[0], 4, **options).distances))
    print(options, "->", seen[-1])
raise SystemExit(0 if seen == [[0.0, 1.0, 1.0, 1.0]] * 3 else "Changed.")
PY
echo "As stated: a radius has no effect."
