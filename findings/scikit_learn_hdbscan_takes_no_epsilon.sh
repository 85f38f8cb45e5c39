#!/usr/bin/env bash
# scikit-learn 1.9.1, numpy 2.4.6 and 2.3.5.
#
# Guess: HDBSCAN with cluster_selection_epsilon joins clusters that are nearer than this, as its documentation says.
# Seen: with numpy 2.4, which scikit-learn 1.9.1 accepts, it raises "TypeError: only 0-dimensional arrays can be converted to
# Python scalars" as soon as there is something to join. A value that joins nothing works, so tests with a small one stay
# green. With numpy 2.3 it joins. See https://github.com/scikit-learn/scikit-learn/issues/33219.
# What we do: groups come from linkage and communities (models/silver/problems/problem_assignments.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
install() { venv/bin/pip install --quiet --disable-pip-version-check "$@"; }
install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat > finding.py <<'PY'
import sys

import numpy as np
import sklearn
from sklearn.cluster import HDBSCAN

random = np.random.default_rng(0)
points = np.concatenate([random.normal(size=(40, 2)) + centre for centre in ((0, 0), (8, 8), (8, 0))])


def clusters(epsilon):
    """The number of clusters, or the error."""
    try:
        found = HDBSCAN(min_cluster_size=5, cluster_selection_epsilon=epsilon, copy=True).fit(points).labels_
    except TypeError as error:
        return str(error)
    return len(set(found.tolist()) - {-1})


seen = [clusters(epsilon) for epsilon in (0.0, 0.5, 5.0)]
print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}: {seen}")
is_as_stated = seen[:2] == [3, 3] and (isinstance(seen[2], int), isinstance(seen[2], str))[sys.argv[1] == "fails"]
sys.exit(0 if is_as_stated else "Changed.")
PY
venv/bin/python -W ignore finding.py fails
install numpy==2.3.5
venv/bin/python -W ignore finding.py joins
echo "As stated: cluster_selection_epsilon raises a TypeError with numpy 2.4, and not with 2.3."
