#!/usr/bin/env bash
# scrubadub 2.0.1.
#
# Guess: the detector of Twitter names leaves code alone: @app.route in a post about Python names nobody.
# Seen: each word behind an @ that begins a word is replaced, those of decorators, annotations of Java and packages of npm
# among them: `@app.route("/x")` becomes `{{TWITTER}}.route("/x")`.
# What we do: posts are redacted by our own patterns, and code is left out before.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scrubadub==2.0.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import scrubadub

print("scrubadub", version("scrubadub"))
seen = {text: scrubadub.clean(text) for text in ('@app.route("/x")', "@Override public void run()", "npm i @types/node", "ask @joe_smith")}
for text, cleaned in seen.items():
    print(f"{text:30}", cleaned)
raise SystemExit(0 if all("{{TWITTER}}" in cleaned for cleaned in seen.values()) else "Changed.")
PY
echo "As stated: scrubadub takes a decorator for a Twitter name."
