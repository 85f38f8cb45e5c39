#!/usr/bin/env bash
# igraph 1.0.0, leidenalg 0.12.0.
#
# Guess: the links of a graph have an attribute `weight`, 0.9 within two groups and 0.1 between them: the groups are found, as
# with networkx, whose methods take `weight` by default, and as with igraph for R.
# Seen: leidenalg and each method of igraph for Python count each link as 1, unless weights="weight" is said at each call:
# here one community. modularity(), by which one chooses, leaves them out as well. A graph of similarities above a threshold is
# grouped by the threshold alone, and its groups look plausible.
# What we do: graspologic-native takes links with their weights.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: igraph==1.0.0 leidenalg==0.12.0 networkx==3.6.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import igraph
import leidenalg
import networkx

graph = igraph.Graph.Full(8)
graph.es["weight"] = [0.9 if (a < 4) == (b < 4) else 0.1 for a, b in graph.get_edgelist()]
seen = {}
for options in ({}, {"weights": "weight"}):
    found = leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, seed=1, **options)
    leiden = graph.community_leiden(objective_function="modularity", **options)
    quality = graph.modularity([0] * 4 + [1] * 4, **options)
    seen[bool(options)] = [found.sizes(), graph.community_multilevel(**options).sizes(), leiden.sizes(), round(quality, 2)]
    print(options, "| leidenalg, multilevel, leiden, modularity of the two groups:", seen[bool(options)])
sizes = sorted(map(len, networkx.community.louvain_communities(graph.to_networkx(), seed=1)))
print("igraph", version("igraph"), "| leidenalg", version("leidenalg"), "| networkx:", sizes)
stated = {False: [[8], [8], [8], -0.07], True: [[4, 4], [4, 4], [4, 4], 0.37]}
raise SystemExit(0 if seen == stated and sizes == [4, 4] else "Changed.")
PY
echo "As stated: weights are left out unless they are named."
