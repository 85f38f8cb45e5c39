#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with litellm.drop_params = True and a server that speaks OpenAI's protocol.
#
# Guess: if the server refuses a request with status 422, an error is raised, as without drop_params.
# Seen: LiteLLM asks a second time without the parameters that the message seems to name, and then returns None. The
# server's message is lost, and code that reads response.choices ends with an AttributeError.
# What we do: drop_params stays off, and parameters that a server refuses by name are left out by our own code.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm

message = "response_format: this type is unavailable now"
server = Server(422, {"error": {"message": message, "type": "invalid_request_error"}})
without = server.ask()
once = server.asked
litellm.drop_params = True
with_it = server.ask()
print("litellm", version("litellm"), "| without drop_params:", type(without).__name__, "after", once, "request")
print("with drop_params:", with_it, "after", server.asked - once, "requests")
is_as_stated = isinstance(without, litellm.BadRequestError) and once == 1 and with_it is None and server.asked == 3
raise SystemExit(0 if is_as_stated else "Changed: a 422 is no longer returned as None.")
PY
echo "As stated: with drop_params, a 422 is asked for twice and becomes None."
