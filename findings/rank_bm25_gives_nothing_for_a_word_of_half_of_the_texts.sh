#!/usr/bin/env bash
# rank-bm25 0.2.2.
#
# Guess: of two words the one that fewer texts hold weighs more.
# Seen: BM25Okapi gives a word 0 that exactly half of the texts hold, so that its texts are as far down as strangers; a word
# that three of five hold weighs again. Weights below zero are replaced by a quarter of the mean weight, a weight of zero is
# not. A query that is a text and no list is searched letter by letter, and finds nothing, without an error.
# What we do: words are weighed by scikit-learn, whose smoothed idf is above zero for each word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rank-bm25==0.2.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from rank_bm25 import BM25Okapi

print("rank-bm25", version("rank-bm25"))
titles = ["build fails here", "build hangs there", "page is white", "login loops again", "build is slow"]
seen = []
for count in (3, 4, 5):
    index = BM25Okapi([title.split() for title in titles[:count]])
    seen.append([round(float(score), 2) for score in index.get_scores(["build"])])
    print("'build' in", sum("build" in title for title in titles[:count]), "of", count, "->", seen[-1])
as_text = index.get_scores("login").tolist()
print("a query that is a text ->", as_text)
raise SystemExit(0 if seen[0][0] > 0 and seen[1] == [0.0] * 4 and seen[2][0] > 0 and as_text == [0.0] * 5 else "Changed.")
PY
echo "As stated: a word of half of the texts weighs nothing."
