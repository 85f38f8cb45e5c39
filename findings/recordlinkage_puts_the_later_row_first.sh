#!/usr/bin/env bash
# recordlinkage 0.16.
#
# Guess: the pairs of one table are those of its rows in their order, (a, b) for rows a, b, as the pairs of two tables are. What
# are true pairs, written in this order, can be compared with them. A random sample of pairs holds each pair once.
# Seen: the later row comes first, (b, a). precision and recall compare pairs as they are written: of all pairs of three rows
# none is right, though all are. random(3) gives one pair twice, replace being True by default.
# What we do: a pair of posts is sorted before it is compared.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: recordlinkage==0.16 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import pandas as pd
import recordlinkage

print("recordlinkage", version("recordlinkage"))
posts = pd.DataFrame({"title": ["x", "x", "x"]}, index=["a", "b", "c"])
found = recordlinkage.Index().block("title").index(posts)
true = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c"), ("b", "c")])
turned = pd.MultiIndex.from_tuples([pair[::-1] for pair in true])
drawn = recordlinkage.Index().random(3, random_state=1).index(posts)
print("pairs", list(found), "| precision", recordlinkage.precision(true, found), "| turned", recordlinkage.precision(turned, found))
print("random pairs", list(drawn))
holds = list(found) == [("b", "a"), ("c", "a"), ("c", "b")] and recordlinkage.precision(true, found) == 0
holds = holds and recordlinkage.precision(turned, found) == 1 and len(set(drawn)) < len(drawn)
raise SystemExit(0 if holds else "Changed.")
PY
echo "As stated: recordlinkage puts the later row of a pair first."
