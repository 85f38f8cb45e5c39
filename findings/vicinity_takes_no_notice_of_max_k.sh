#!/usr/bin/env bash
# vicinity 0.4.6.
#
# Guess: query_threshold(vectors, threshold, max_k=5) gives at most the five nearest items within the threshold, the nearest
# first, as query(k=5) does.
# Seen: the backend that is chosen by default (BASIC) takes no notice of max_k and sorts nothing: of 50 vectors it gives all 32
# within the threshold, in the order in which they were added. The second of its list is 0.90 away, while four items are
# within 0.37. The backend USEARCH gives five, the nearest first, so another backend changes the result of one call.
# What we do: near pairs are sorted by our own query, and counted in it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: vicinity==0.4.6 numpy==2.4.6 usearch==2.26.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from vicinity import Backend, Vicinity

print("vicinity", version("vicinity"))
vectors = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
names = [str(number) for number in range(50)]
seen = {}
for backend in (Backend.BASIC, Backend.USEARCH):
    store = Vicinity.from_vectors_and_items(vectors, names, backend_type=backend)
    [found] = store.query_threshold(vectors[:1] + 0.01, threshold=1.2, max_k=5)
    distances = [round(float(distance), 2) for _, distance in found]
    seen[backend.value] = len(found), distances == sorted(distances)
    print(backend.value, "| found", len(found), "| sorted", distances == sorted(distances), "|", distances[:6])
raise SystemExit(0 if seen == {"basic": (32, False), "usearch": (5, True)} else "Changed.")
PY
echo "As stated: the default backend gives all 32 items where five are asked for, unsorted."
