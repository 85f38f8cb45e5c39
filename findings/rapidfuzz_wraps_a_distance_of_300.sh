#!/usr/bin/env bash
# rapidfuzz 3.14.6.
#
# Guess: `process.cdist(..., scorer=Levenshtein.distance, dtype=np.int8)` has the distances, or the largest number that fits.
# The documentation names np.int8 first for distances, and says nothing of a limit.
# Seen: a distance beyond the type is taken modulo 256, without an error: 300 becomes 44, and 256 becomes 0, so that two texts
# without one letter in common are equal. The same in np.uint8. Of two posts of 2,000 letters any distance is possible.
# What we do: long texts are not compared letter by letter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rapidfuzz==3.14.6 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

print("rapidfuzz", version("rapidfuzz"))
seen = []
for letters in (100, 256, 300):
    pair = ["x" * letters], ["y" * letters]
    found = [int(process.cdist(*pair, scorer=Levenshtein.distance, dtype=dtype)[0, 0]) for dtype in (None, np.int8, np.uint8)]
    print(letters, "letters | default, int8, uint8:", found)
    seen.append(found)
raise SystemExit(0 if seen == [[100, 100, 100], [256, 0, 0], [300, 44, 44]] else "Changed.")
PY
echo "As stated: a distance of 256 is 0."
