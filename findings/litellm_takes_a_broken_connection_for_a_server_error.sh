#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a server that speaks OpenAI's protocol and closes the connection.
#
# Guess: it raises APIConnectionError, or an error without a status.
# Seen: it raises InternalServerError with status_code 500, though no answer came. A caller that takes a 500 for a
# refusal of what it asked for (llama-cpp-python answers 500 to a JSON schema) takes a broken connection for one, too.
# What we do: the chain of causes holds openai.APIConnectionError; then it is no refusal.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
import litellm_server
from litellm_server import Server, litellm


class Silent(litellm_server.Handler):
    def do_POST(self):
        self.server.asked += 1
        self.close_connection = True


server = Server(200, {})
server.RequestHandlerClass = Silent
error, chain = server.ask(), []
cause = error
while cause is not None:
    chain.append(f"{type(cause).__module__}.{type(cause).__name__}")
    cause = cause.__cause__ or cause.__context__
print("litellm", version("litellm"), "| requests:", server.asked, "|", type(error).__name__, error.status_code)
print("chain:", " < ".join(chain))
is_as_stated = (
    isinstance(error, litellm.InternalServerError)
    and error.status_code == 500
    and "openai.APIConnectionError" in chain
)
raise SystemExit(0 if is_as_stated else "Changed: a broken connection is no server error any more.")
PY
echo "As stated: a broken connection is raised as a server error with status 500."
