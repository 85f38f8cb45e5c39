#!/usr/bin/env bash
# trafilatura 2.3.1.
#
# Guess: extract(page, deduplicate=True) removes what stands twice within the page. The documentation says: "Remove duplicate
# segments and documents".
# Seen: the program remembers each page that it has read, for as long as it runs. Three extractions of a page give its text,
# the fourth and all others give None, without an error. A worker that reads a page again, because it was edited, because of a
# retry or for another day, has an empty post at the fourth time, and a new process has the text again. Without deduplicate all
# have the text.
# What we do: texts are read without trafilatura; copies are found over all posts of a window.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check trafilatura==2.3.1 lxml-html-clean==0.4.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import trafilatura

print("trafilatura", version("trafilatura"))
body = "".join(f"<p>The build number {n} fails since the update, and nobody knows what to do about it, as its log is empty.</p>" for n in range(4))
page = f"<html><body><article><h1>It fails</h1>{body}</article></body></html>"
seen = [[trafilatura.extract(page, deduplicate=kept) is not None for _ in range(5)] for kept in (True, False)]
print("has a text, with deduplicate:", seen[0], "| without:", seen[1])
raise SystemExit(0 if seen == [[True] * 3 + [False] * 2, [True] * 5] else "Changed.")
PY
echo "As stated: the fourth reading of a page is empty."
