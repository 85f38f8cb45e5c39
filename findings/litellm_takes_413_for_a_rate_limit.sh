#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a server that speaks OpenAI's protocol.
#
# Guess: a status of 413 with the message "Request too large" raises an error that tells that the request is too long
# (ContextWindowExceededError), or at least keeps the status. The body is {"error": {"message": …}}, as gateways send.
# Seen: it raises RateLimitError with status_code 429. A caller that waits and retries after a rate limit sends the same
# long request again and again. With another message ("Payload is big") the status stays 413.
# What we do: the words of the message are looked at before the status, and the question is not asked again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check litellm==1.106.2
"$folder/venv/bin/python" -W ignore - <<'PY'
import asyncio
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm

litellm.suppress_debug_info = True
STATUS, BODY, requests = 413, {"error": {"message": "Request too large"}}, []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        requests.append(self.path)
        body = json.dumps(BODY).encode()
        self.send_response(STATUS)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/v1"


def ask():
    try:
        return asyncio.run(
            litellm.acompletion(
                model="openai/any", base_url=address, api_key="none", max_retries=0,
                messages=[{"role": "user", "content": "Hello"}], response_format={"type": "json_object"},
            )
        )
    except Exception as error:
        return error


named = ask()
BODY["error"]["message"] = "Payload is big"
other = ask()
print("litellm", version("litellm"))
for error in (named, other):
    print(type(error).__name__, error.status_code, str(error)[:80])
is_as_stated = isinstance(named, litellm.RateLimitError) and named.status_code == 429 and other.status_code == 413
raise SystemExit(0 if is_as_stated else "Changed: a 413 is no longer raised as a rate limit.")
PY
echo "As stated: a 413 that says that the request is too large is raised as a rate limit."
