#!/usr/bin/env bash
# river 0.26.1.
#
# Guess: sketch.HeavyHitters takes an epsilon far below the support, as its own page says and as lossy counting needs: a
# word of 5 % of a stream is found with support=0.01, epsilon=0.001.
# Seen: it refuses each epsilon below the support with "'support' must be smaller than 'epsilon'.". Its defaults are the wrong
# way round, too (support 0.001, epsilon 0.005): the promise that words above the support are found needs the opposite. With
# the defaults a word that comes 3 times in each 1,000, thrice the support, is not among the hitters after 3,000 posts; its
# count is 0.
# What we do: words are counted exactly, by DuckDB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: river==0.26.1 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from river import sketch

print("river", version("river"))
try:
    sketch.HeavyHitters(support=0.01, epsilon=0.001)
    refused = ""
except ValueError as error:
    refused = str(error)
print("support 0.01, epsilon 0.001 |", refused or "taken")

# Words of 3,000 posts: "outage" in three of each 1,000, all other words once.
words = ["outage" if post % 333 == 0 else f"word{post}" for post in range(3000)]
hitters = sketch.HeavyHitters(fading_factor=1.0)
for word in words:
    hitters.update(word)
found, counted = "outage" in dict(hitters.most_common(1000)), hitters["outage"]
print("support", hitters.support, "epsilon", hitters.epsilon, "| share", words.count("outage") / len(words), "| found", found, "| count", counted, "of", words.count("outage"))
stated = refused == "'support' must be smaller than 'epsilon'." and not found and counted == 0
raise SystemExit(0 if stated else "Changed.")
PY
echo "As stated: an epsilon below the support is refused, and a word above the support is not found."
