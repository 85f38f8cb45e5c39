#!/usr/bin/env bash
# river 0.26.1.
#
# Guess: metrics.Silhouette compares the distance of each point to its own centre with that to the second closest centre. Two
# clusters that lie apart and two that lie on each other have different values.
# Seen: it takes the second farthest centre. With two clusters that is the closest one, so the value is exactly 1, wherever the
# clusters lie; scikit-learn says 0.86 and 0.00. With a third centre far away, it is the second closest one.
# What we do: silhouettes are computed by scikit-learn.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: river==0.26.1 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import random
from importlib.metadata import version

from river import metrics
from sklearn.metrics import silhouette_score

print("river", version("river"), "scikit-learn", version("scikit-learn"))
drawn = random.Random(1)


def values(apart, centres):
    points = [(drawn.gauss(side * apart, 1), drawn.gauss(side * apart, 1), side) for side in (0, 1) for _ in range(100)]
    silhouette = metrics.Silhouette()
    for x, y, side in points:
        silhouette.update({"x": x, "y": y}, side, centres)
    exact = silhouette_score([point[:2] for point in points], [point[2] for point in points])
    return round(silhouette.get(), 3), round(float(exact), 2)


seen = {}
for apart in (8, 0):
    centres = {0: {"x": 0, "y": 0}, 1: {"x": apart, "y": apart}}
    seen[apart] = values(apart, centres)
    seen["third"] = values(apart, centres | {2: {"x": 99, "y": 99}})
    print("centres", apart, "apart | river", seen[apart][0], "| with a third centre", seen["third"][0], "| scikit-learn", seen[apart][1])
    if apart:
        third = seen["third"][0]
raise SystemExit(0 if seen[8][0] == seen[0][0] == 1 and seen[8][1] > 0.8 and seen[0][1] < 0.1 and third < 0.5 else "Changed.")
PY
echo "As stated: the silhouette of two clusters is 1 in river."
