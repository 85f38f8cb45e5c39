#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a server that speaks OpenAI's protocol.
#
# Guess: an answer with status 200 and the body {"error": "…"}, as LM Studio sends it for a wrong path
# (https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/618), raises an error with the words of the server.
# Seen: it raises BadRequestError with "Error in response object". The words of the server are lost. They are told if
# "error" is an object with a message.
# What we do: the message asks whether the address lacks /v1, which is LM Studio's reason.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm

words = "Unexpected endpoint or method. (POST /chat/completions)"
server = Server(200, {"error": words})
as_text = server.ask()
server.body = {"error": {"message": words}}
as_object = server.ask()
print("litellm", version("litellm"))
for error in (as_text, as_object):
    print(type(error).__name__, error.status_code, error)
is_as_stated = (
    isinstance(as_text, litellm.BadRequestError)
    and str(as_text).endswith("Error in response object")
    and words in str(as_object)
)
raise SystemExit(0 if is_as_stated else "Changed: the words of the server are told.")
PY
echo "As stated: an error as text, with status 200, is raised without its words."
