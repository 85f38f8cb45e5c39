#!/usr/bin/env bash
# ruptures 1.1.10.
#
# Guess: a clean step of a daily count, 10 for 13 days and then 50, is found on its day by the methods that the pages call
# exact (Pelt, Dynp).
# Seen: only each fifth day is looked at (jump=5, by default, in Pelt, Dynp, Binseg, BottomUp and Window). Pelt finds two
# changes, on day 10 and on day 15, none of them true, and a model of three levels; the others find one on day 15. With jump=1
# all are right, and so is KernelCPD. Who looks for the release after which the complaints began finds another one.
# What we do: a problem is new on the day of its first post.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: ruptures==1.1.10 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import ruptures

complaints = np.repeat([10.0, 50.0], [13, 17])
print("ruptures", version("ruptures"))
seen = {}
for method in ("Pelt", "Dynp", "Binseg", "BottomUp"):
    for options in ({}, {"jump": 1}):
        search = getattr(ruptures, method)(model="l2", **options).fit(complaints)
        found = search.predict(pen=10) if method == "Pelt" else search.predict(n_bkps=1)
        seen[method, bool(options)] = [int(day) for day in found[:-1]]
        print(method, options, "| changes on day", seen[method, bool(options)])
stated = {(method, exact): [13] if exact else [15] for method in ("Pelt", "Dynp", "Binseg", "BottomUp") for exact in (False, True)}
raise SystemExit(0 if seen == stated | {("Pelt", False): [10, 15]} else "Changed.")
PY
echo "As stated: changes are found on each fifth day only."
