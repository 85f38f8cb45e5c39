#!/usr/bin/env bash
# json-repair 0.64.6.
#
# Guess: an answer of a language model that holds no JSON is an error, or nothing.
# Seen: prose is the empty text "", and prose with brackets is a list of what stands in them: "I can not label post [3]." is
# [3], and "I found nothing [see below]." is ["see below"], which a field of labels takes as well as any answer. A number of
# a program, 1,250, is the text "1,250", 50% is 50, and $5 is 5. Each is a guess that nobody sees: neither an exception nor a
# flag tells a repaired answer from a whole one. strict=True refuses the two with brackets only.
# What we do: an answer without a JSON object of its schema is rejected, and the reason said (groundswell/llm/answer.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check json-repair==0.64.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import json_repair

print("json-repair", version("json-repair"))
stated = {
    "I can not answer that.": "",
    "I can not label post [3].": [3],
    "I found nothing [see below].": ["see below"],
    '{"posts": 1,250}': {"posts": "1,250"},
    '{"share": 50%}': {"share": 50},
    '{"price": $5}': {"price": 5},
}
seen = {answer: json_repair.loads(answer) for answer in stated}
refused = []
for answer in stated:
    try:
        json_repair.loads(answer, strict=True)
    except ValueError:
        refused.append(answer)
    print(repr(answer), "->", repr(seen[answer]), "| strict:", "refused" if answer in refused else "taken")
raise SystemExit(0 if seen == stated and refused == list(stated)[1:3] else "Changed.")
PY
echo "As stated: a refusal is read as data."
