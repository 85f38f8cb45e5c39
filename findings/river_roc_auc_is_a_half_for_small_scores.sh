#!/usr/bin/env bash
# river 0.26.1.
#
# Guess: metrics.ROCAUC depends on the order of the scores only, as each area under this curve does: scores and their
# thousandth part have about one area, with some error, since river counts at fixed thresholds.
# Seen: the ten thresholds lie evenly from 0 to 1, wherever the scores are. Scores that all lie below the first of them, as
# those of a rare class do, have an area of exactly 0.5; scikit-learn says 0.88 for the same scores. Times 1,000, river says 0.87.
# No warning tells the two apart.
# What we do: areas and thresholds are computed by scikit-learn from all scores.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: river==0.26.1 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PY'
import random
from importlib.metadata import version

from river import metrics
from sklearn.metrics import roc_auc_score

print("river", version("river"), "scikit-learn", version("scikit-learn"))
drawn = random.Random(1)
truth = [drawn.random() < 0.5 for _ in range(1000)]
scores = [(drawn.random() + is_true * 0.5) / 1.5 for is_true in truth]
seen = {}
for factor in (1, 0.001):
    area = metrics.ROCAUC()
    for label, score in zip(truth, scores):
        area.update(label, score * factor)
    seen[factor] = round(float(area.get()), 2), round(roc_auc_score(truth, [score * factor for score in scores]), 2)
    print("scores times", factor, "| river", seen[factor][0], "| scikit-learn", seen[factor][1])
raise SystemExit(0 if seen[0.001][0] == 0.5 and min(seen[1][0], seen[1][1], seen[0.001][1]) > 0.8 else "Changed.")
PY
echo "As stated: small scores have an area of 0.5 in river."
