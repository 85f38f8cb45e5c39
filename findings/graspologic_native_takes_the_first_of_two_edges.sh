#!/usr/bin/env bash
# graspologic-native 1.3.1, leiden and modularity.
#
# Guess: an edge that a list holds twice counts twice, as in igraph, or an error says so; the order of edges makes no
# difference to modularity.
# Seen: the first of them counts, whichever way round they are, and the others are dropped without a word: of (b, c, 1) and
# (c, b, 6) the weight is 1, or 6 if they stand the other way. A list with one row for each vote, as a join gives it, is a
# graph in which all votes count once, and its communities are others.
# What we do: each pair of posts is one edge (models/silver/problems/problem_assignments.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check graspologic-native==1.3.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from graspologic_native import leiden, modularity

ends = [("a", "b", 1.0), ("c", "d", 1.0)]
halves = {"a": 0, "b": 0, "c": 1, "d": 1}


def seen(*middle):
    """The number of communities of a path of four nodes with these edges in its middle, and the modularity of its halves."""
    edges = [ends[0], *middle, ends[1]]
    return len(set(leiden(edges, seed=1)[1].values())), round(modularity(edges, halves, 1.0), 3)


print("graspologic-native", version("graspologic-native"))
results = {
    "(b, c, 1)": seen(("b", "c", 1.0)),
    "(b, c, 6)": seen(("b", "c", 6.0)),
    "(b, c, 1) six times": seen(*[("b", "c", 1.0)] * 6),
    "(b, c, 1), then (c, b, 6)": seen(("b", "c", 1.0), ("c", "b", 6.0)),
    "(c, b, 6), then (b, c, 1)": seen(("c", "b", 6.0), ("b", "c", 1.0)),
}
for name, (count, quality) in results.items():
    print(f"{name}: {count} communities, modularity of two halves {quality}")
light, heavy, *others = results.values()
raise SystemExit(0 if light[0] == 2 and heavy[0] == 1 and others == [light, light, heavy] else "Changed.")
PY
echo "As stated: the first of two edges between two nodes counts."
