#!/usr/bin/env bash
# graspologic-native 1.3.1.
#
# Guess: leiden() takes any communities to start from, as issue 29 of graspologic-org/graspologic-native settled in 2021.
# Seen: if two nodes start in one community and no edge within it reaches one of them, Rust panics: "index out of
# bounds". Python gets a PanicException, which is no Exception: dbt's thread dies, and dbt waits for ever.
# What we do: each connected part of a community starts alone (leiden_communities in problem_assignments.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check graspologic-native==1.3.1
"$folder/venv/bin/python" - 2>/dev/null <<'PY'
from importlib.metadata import version

from graspologic_native import leiden

edges = [("a", "b", 0.3), ("b", "c", 0.3)]
seen = {}
for start in ({"a": 0, "b": 0, "c": 1}, {"a": 0, "b": 1, "c": 0}):
    try:
        leiden(edges, start, resolution=1.0, iterations=1, seed=1)
        seen[str(start)] = "fine"
    except BaseException as error:
        seen[str(start)] = f"{type(error).__name__}: {error}"
print("graspologic-native", version("graspologic-native"), "|", seen)
first, second = seen.values()
raise SystemExit(0 if first == "fine" and second.startswith("PanicException") else "Changed: no panic any more.")
PY
echo "As stated: a start without links panics."
