#!/usr/bin/env bash
# igraph 1.0.0 (python-igraph).
#
# Guess: g.community_leiden() finds the two groups of a graph of two complete groups of five with one link between them.
# Seen: it gives ten communities of one node each. The objective is the constant Potts model, at resolution 1, by default: a
# group pays only where all of its links are there, and nothing is gained even then. No message says so, and a pipeline that
# groups posts reports that no two are alike. The modularity of Leiden's paper, and of leidenalg's examples, must be asked for:
# objective_function="modularity".
# What we do: communities come from graspologic-native, by modularity.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: igraph==1.0.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import igraph

graph = igraph.Graph.Full(5) + igraph.Graph.Full(5)
graph.add_edge(0, 5)
seen = {
    "community_leiden()": graph.community_leiden().sizes(),
    "community_leiden(objective_function='modularity')": graph.community_leiden(objective_function="modularity").sizes(),
    "community_multilevel()": graph.community_multilevel().sizes(),
}
print("igraph", version("igraph"), *(f"{call}: {sizes}" for call, sizes in seen.items()), sep="\n")
raise SystemExit(0 if list(seen.values()) == [[1] * 10, [5, 5], [5, 5]] else "Changed.")
PY
echo "As stated: each node is a community."
