#!/usr/bin/env bash
# jiter 0.19.0, and pydantic 2.14.4, which reads JSON with it.
#
# Guess: partial mode drops a value whose end may be missing: of `{"label": "crash", "votes": 12` nothing says that 12 is whole.
# Seen: a text that is cut is dropped, and so is `tru`; a number stays. Where the answer of a language model ends at its limit of
# tokens in the middle of 1250, votes are 1, 12 or 125, and a model of pydantic is valid with them. `1.` and `1e` are dropped, too, so
# that it looks as if numbers were treated like texts. pydantic's pages on partial JSON show texts and lists only.
# What we do: an answer that was cut is not read (groundswell/llm).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jiter==0.19.0 pydantic==2.14.4
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import jiter
import pydantic_core

print("jiter", version("jiter"), "| pydantic", version("pydantic"), "| pydantic_core", version("pydantic_core"))
whole = '{"confirmed": true, "votes": 1250, "label": "crash"}'
seen = []
for end in ("1", "12", "125", "true", "tru", "cra"):
    text = whole[: whole.index(end) + len(end)]
    one = jiter.from_json(text.encode(), partial_mode=True)
    other = pydantic_core.from_json(text, allow_partial=True)
    print(f"{text!r}: {one}")
    seen.append((one, one == other))
true = {"confirmed": True}
stated = [true | {"votes": 1}, true | {"votes": 12}, true | {"votes": 125}, true, {}, true | {"votes": 1250}]
raise SystemExit(0 if seen == [(value, True) for value in stated] else "Changed.")
PY
echo "As stated: a part of a number is a number."
