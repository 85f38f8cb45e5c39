#!/usr/bin/env bash
# string-grouper 0.8.0.
#
# Guess: two texts that are equal are in one group, whatever they are: their similarity is 1.
# Seen: equal texts of fewer than three letters are in groups of their own: Go and Go, AI and AI, C# and C#. So are a-b and
# a-b, since dashes, dots, commas, slashes and blanks are taken out first (regex) and n-grams have three letters (ngram_size):
# what has no n-gram is like nothing, not even itself. Each such product or tag is counted as often as it stands. ngram_size=1
# groups them.
# What we do: equal texts are found by a hash.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check string-grouper==0.8.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import pandas as pd
from string_grouper import group_similar_strings

names = ["Go", "Go", "C#", "C#", "a-b", "a-b", "Rust", "Rust"]
print("string-grouper", version("string-grouper"))
seen = []
for options in ({}, {"ngram_size": 1}):
    groups = group_similar_strings(pd.Series(names), **options).iloc[:, 0].tolist()
    seen.append([groups[place] == groups[place + 1] for place in range(0, len(names), 2)])
    print(options, "equal names in one group:", dict(zip(names[::2], seen[-1])))
raise SystemExit(0 if seen == [[False, False, False, True], [True] * 4] else "Changed.")
PY
echo "As stated: equal names are in two groups."
