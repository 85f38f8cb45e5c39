#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a server that speaks OpenAI's protocol.
#
# Guess: a status of 413 with the message "Request too large" raises an error that tells that the request is too long
# (ContextWindowExceededError), or at least keeps the status. The body is {"error": {"message": …}}, as gateways send.
# Seen: it raises RateLimitError with status_code 429. A caller that waits and retries after a rate limit sends the same
# long request again and again. With another message ("Payload is big") the status stays 413.
# What we do: the words of the message are looked at before the status, and the question is not asked again.
set -e
bash "$(dirname "$0")/litellm_run.sh" <<'PY'
from importlib.metadata import version

# It sets what LiteLLM reads at import.
from litellm_server import Server, litellm

server = Server(413, {"error": {"message": "Request too large"}})
named = server.ask()
server.body["error"]["message"] = "Payload is big"
other = server.ask()
print("litellm", version("litellm"))
for error in (named, other):
    print(type(error).__name__, error.status_code, str(error)[:80])
is_as_stated = isinstance(named, litellm.RateLimitError) and named.status_code == 429 and other.status_code == 413
raise SystemExit(0 if is_as_stated else "Changed: a 413 is no longer raised as a rate limit.")
PY
echo "As stated: a 413 that says that the request is too large is raised as a rate limit."
