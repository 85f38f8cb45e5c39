#!/usr/bin/env bash
# outlines-core 0.2.14, llguidance 1.9.1.
#
# Guess: a language model that is bound by a JSON schema may answer what the schema allows, and nothing else; a keyword that is
# not supported is an error.
# Seen: `pattern` without ^ and $ asks for a text that holds the pattern (JSON Schema, 6.3.3); outlines-core makes it the whole text.
# Of "see #12" the model can write "#12" only, so a quote that must hold a number loses its words. minimum, maximum, multipleOf and
# uniqueItems of a schema have no effect, without an error. llguidance allows the text, keeps the bounds, and refuses
# uniqueItems by name.
# What we do: schemas have no patterns, and each answer is checked again with pydantic (groundswell/llm).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check outlines-core==0.2.14 llguidance==1.9.1
"$folder/venv/bin/python" - <<'PY'
import json
import re
from importlib.metadata import version

import llguidance
from outlines_core.json_schema import build_regex_from_schema


class Bytes:
    """A tokenizer with a token for each byte."""

    eos_token_id, bos_token_id, special_token_ids = 256, None, [256]
    tokens = [bytes([number]) for number in range(256)] + [b"<end>"]

    def __call__(self, text):
        return list(text if isinstance(text, bytes) else text.encode())


tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Bytes()))


def by_llguidance(schema, answer):
    matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_json_schema(schema))
    return "error" if matcher.get_error() else matcher.validate_tokens(list(answer.encode())) == len(answer)


print("outlines-core", version("outlines-core"), "| llguidance", version("llguidance"))
seen = []
for rule, value in (
    ({"type": "string", "pattern": "#[0-9]+"}, "see #12"),
    ({"type": "string", "pattern": "#[0-9]+"}, "#12"),
    ({"type": "integer", "minimum": 1, "maximum": 5}, 9),
    ({"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": True}, ["a", "a"]),
):
    schema = json.dumps({"type": "object", "properties": {"x": rule}, "required": ["x"]})
    answer = json.dumps({"x": value})
    allowed = bool(re.fullmatch(build_regex_from_schema(schema), answer)), by_llguidance(schema, answer)
    print(rule, answer, "| allowed by outlines-core:", allowed[0], "| by llguidance:", allowed[1])
    seen.append(allowed)
raise SystemExit(0 if seen == [(False, True), (True, True), (True, False), (True, "error")] else "Changed.")
PY
echo "As stated: a pattern is the whole text, and bounds have no effect."
