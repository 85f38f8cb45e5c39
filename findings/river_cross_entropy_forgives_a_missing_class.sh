#!/usr/bin/env bash
# river 0.26.1.
#
# Guess: metrics.CrossEntropy punishes a classifier that gives the true class no chance at all: with the other classes only in
# its answer, the loss is that of a chance of 0 (about 34.5 after river's clamp), or an error.
# Seen: a true class that is not a key of the answer adds 0, the loss of a perfect answer. So does an empty answer. A model
# that has never seen a class answers so, and the mean loss falls with each of its mistakes: of three answers, one right at
# 0.9 and two without the true class, the loss is 0.035. With the class as a key with 0 it is 23.06. LogLoss is not
# affected.
# What we do: log-losses are computed by scikit-learn, which refuses a label that has no column.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: river==0.26.1 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from river import metrics

print("river", version("river"))
truth = ["crash", "login", "price"]
answers = [{"crash": 0.9, "other": 0.1}, {"crash": 0.5, "other": 0.5}, {"crash": 0.5, "other": 0.5}]
seen = {}
for name, filled in (("as a model answers", False), ("the true class as a key", True)):
    loss = metrics.CrossEntropy()
    for label, answer in zip(truth, answers):
        loss.update(label, {label: 0.0} | answer if filled else answer)
    seen[name] = round(loss.get(), 3)
empty = metrics.CrossEntropy()
empty.update("crash", {})
seen["an empty answer"] = empty.get()
print(seen)
stated = {"as a model answers": 0.035, "the true class as a key": 23.061, "an empty answer": 0}
raise SystemExit(0 if seen == stated else "Changed.")
PY
echo "As stated: an answer without the true class costs nothing."
