#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a model of Groq at an address of one's own (base_url), such as a gateway.
#
# Guess: an answer in OpenAI's form is returned, whether it has the optional field service_tier or not.
# Seen: without the field, it raises APIConnectionError: 'ModelResponse' object has no attribute 'service_tier'. The server
# has answered, and may charge; a caller that retries lost connections asks and pays again. Groq itself sends the field.
# What we do: no error of the chain of causes comes from HTTP, so the call counts as answered and is not repeated. At a
# gateway, write openai/ instead of groq/.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm

message = {"role": "assistant", "content": "{}"}
server = Server(200, {
    "id": "1", "object": "chat.completion", "created": 1, "model": "any",
    "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
})
model = "groq/llama-3.3-70b-versatile"
without = server.ask(model)
server.body["service_tier"] = "on_demand"
with_it = server.ask(model)
print("litellm", version("litellm"), "| requests:", server.asked)
print("without service_tier:", type(without).__name__, str(without).splitlines()[0])
print("with service_tier:", type(with_it).__name__)
is_as_stated = (
    isinstance(without, litellm.APIConnectionError)
    and "service_tier" in str(without)
    and isinstance(with_it, litellm.ModelResponse)
)
raise SystemExit(0 if is_as_stated else "Changed: an answer without service_tier is read.")
PY
echo "As stated: an answer of a Groq model without service_tier is raised as a lost connection."
