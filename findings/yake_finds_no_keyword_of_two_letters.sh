#!/usr/bin/env bash
# yake 0.7.3.
#
# Guess: a keyword extractor finds the words that a text is about, whatever their length; stop words are those of its list.
# Seen: each word of fewer than three letters counts as a stop word: Go, CI, AI, UI, DB, R and C# are never a keyword, nor the
# first or the last word of one. Of five sentences about Go it says "compiler". No option changes it, and the README does not
# say it.
# What we do: a term of a theme may have any length (models/silver/themes/theme_terms.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check yake==0.7.3
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import yake

text = "Go is slow. Go crashes in the compiler. The Go compiler fails. Go and the Go tests hang. I like Go."
longer = text.replace("Go", "Rust")
seen = []
for given in (text, longer):
    found = [keyword for keyword, _ in yake.KeywordExtractor(n=2, top=20).extract_keywords(given)]
    print(given, "->", found)
    seen.append(any(word in keyword.split() for keyword in found for word in ("Go", "Rust")))
print("yake", version("yake"), "| found Go, found Rust:", seen)
raise SystemExit(0 if seen == [False, True] else "Changed.")
PY
echo "As stated: a word of two letters is no keyword."
