#!/usr/bin/env bash
# lm-format-enforcer 0.11.3.
#
# Guess: with {"enum": ["say \"hi\"", "login"]} an answer is one of the two values, the quotes written as JSON wants them.
# Seen: the first value can not be said. After `say ` only a bare quote is let through, which ends the text, and then only the
# end of the object: the answer is {"title": "say "}, valid JSON with a value that is in no list. With const it is the only
# answer that there is. Titles of posts, by which a model is to choose one of several, hold quotes.
# What we do: the values that a model chooses among are ours, and hold no quotes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: lm-format-enforcer==0.11.3
"$folder/venv/bin/python" - <<'PY'
import json
from importlib.metadata import version

from lmformatenforcer import JsonSchemaParser

values = ['say "hi"', "login"]
schema = {"type": "object", "properties": {"title": {"enum": values}}, "required": ["title"]}


def passes(text):
    """Whether each letter of a text is let through, and the text is whole then."""
    parser = JsonSchemaParser(schema)
    for letter in text:
        if letter not in parser.get_allowed_characters():
            return False
        parser = parser.add_character(letter)
    return parser.can_end()


seen = {value: passes(json.dumps({"title": value})) for value in (*values, "say ")}
print("lm-format-enforcer", version("lm-format-enforcer"), "| let through:", seen)
raise SystemExit(0 if seen == {'say "hi"': False, "login": True, "say ": True} else "Changed.")
PY
echo "As stated: a value ends at its quote."
