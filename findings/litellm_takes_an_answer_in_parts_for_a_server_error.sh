#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a server that speaks OpenAI's protocol.
#
# Guess: an answer with status 200, whose content is a list of parts (one of thoughts and one of text, as reasoning models
# of Mistral send it), is returned, or raises an error that says that it could not be read.
# Seen: it raises InternalServerError with status_code 500, though the server answered 200. A caller that retries server
# errors asks, and pays, several times; one that counts costs by responses counts nothing. No error in the chain of
# causes comes from HTTP; the pydantic ValidationError in it holds the parts.
# What we do: if no error of the chain comes from HTTP, the call counts as answered, and the parts are read from there.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm

server = Server(200, {
    "id": "1", "object": "chat.completion", "created": 1, "model": "any",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "{}"},
    ]}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
})
error, cause, chain = server.ask(), None, []
cause = error
while cause is not None:
    chain.append(f"{type(cause).__module__}.{type(cause).__name__}")
    cause = cause.__cause__ or cause.__context__
print("litellm", version("litellm"), "| requests:", server.asked, "| status:", getattr(error, "status_code", None))
print("chain:", " < ".join(chain))
is_as_stated = (
    isinstance(error, litellm.InternalServerError)
    and error.status_code == 500
    and server.asked == 1
    and not any(name.startswith(("httpx.", "openai.", "aiohttp.")) for name in chain)
)
raise SystemExit(0 if is_as_stated else "Changed: the answer is no server error any more.")
PY
echo "As stated: an answer in parts, with status 200, is raised as a server error."
