#!/usr/bin/env bash
# dateparser 1.5.0.
#
# Guess: parse returns None for a text that holds no date, as its documentation says.
# Seen: it asks 200 languages, and one of them has a day or a moment that is spelt so. `n/a` is a Thursday, `on` a Wednesday,
# `to` a Thursday, and `no` is now. With languages=["en"] these four are None, but `Q4 2026` is the 28th of the month of the
# question, and `10.12` the time 10:12, where `1.5` is January 5.
# What we do: times are read by a list of formats, and a column tells the order of day and month.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check dateparser==1.5.0
"$folder/venv/bin/python" - <<'PY'
from datetime import datetime
from importlib.metadata import version

import dateparser

print("dateparser", version("dateparser"))
base = {"RELATIVE_BASE": datetime(2026, 11, 28, 12)}
seen = {}
for text in ("n/a", "on", "to", "no", "Q4 2026", "10.12", "1.5"):
    seen[text] = dateparser.parse(text, settings=base), dateparser.parse(text, languages=["en"], settings=base)
    print(f"{text:8}", *seen[text], sep=" | ")
holds = seen["n/a"][0] == datetime(2026, 11, 26) and seen["no"][0] == datetime(2026, 11, 28, 12)
holds = holds and [seen[text][1] for text in ("n/a", "on", "to", "no")] == [None] * 4
holds = holds and seen["Q4 2026"][1] == datetime(2026, 11, 28) and seen["1.5"][1] == datetime(2026, 1, 5)
holds = holds and seen["10.12"][1] == datetime(2026, 11, 28, 10, 12)
raise SystemExit(0 if holds else "Changed.")
PY
echo "As stated: dateparser reads n/a as a Thursday."
