#!/usr/bin/env bash
# bm25s 0.3.16.
#
# Guess: a search gives the documents that hold a word of the query, k of them at most.
# Seen: it always gives k. The rest are documents that hold none of the words, with a score of 0: the last ones of the corpus. A
# query whose words nobody used, or only stop words, or "C" (words of one letter are dropped), gives k strangers. A k above
# the number of documents is an error, so that one can not ask for all. The pages print scores, and do not say that 0 is no
# match; a program that hands the found texts to a language model hands these, too.
# What we do: we have no search by words; duplicates are found by sketches and vectors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check bm25s==0.3.16
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import bm25s

posts = ["The build fails on a Mac", "The login page is slow", "Export to CSV lost rows", "Bindings for C leak", "Dark mode please"]


def tokens(texts):
    return bm25s.tokenize(texts, stopwords="en", show_progress=False)


index = bm25s.BM25()
index.index(tokens(posts), show_progress=False)
print("bm25s", version("bm25s"))
seen = {}
for query in ("build fails", "kubernetes", "why is this not", "C"):
    found, scores = index.retrieve(tokens(query), corpus=posts, k=3, show_progress=False)
    seen[query] = [float(score) > 0 for score in scores[0]]
    print(f"{query!r}:", ", ".join(f"{post} ({score:.1f})" for post, score in zip(found[0], scores[0])))
try:
    index.retrieve(tokens("build"), k=6, show_progress=False)
    refused = False
except ValueError:
    refused = True
stated = {"build fails": [True, False, False]} | dict.fromkeys(("kubernetes", "why is this not", "C"), [False] * 3)
raise SystemExit(0 if seen == stated and refused else "Changed.")
PY
echo "As stated: k documents, whether they match or not."
