#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with litellm.drop_params = True and a server that speaks OpenAI's protocol.
#
# Guess: if the server refuses a request with status 422, an error is raised, as without drop_params.
# Seen: LiteLLM asks a second time without the parameters that the message seems to name, and then returns None. The
# server's message is lost, and code that reads response.choices ends with an AttributeError.
# What we do: drop_params stays off, and parameters that a server refuses by name are left out by our own code.
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
STATUS, BODY, requests = 422, {"error": {"message": "response_format: this type is unavailable now", "type": "invalid_request_error"}}, []


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


without = ask()
once = len(requests)
litellm.drop_params = True
with_it = ask()
print("litellm", version("litellm"), "| without drop_params:", type(without).__name__, "after", once, "request")
print("with drop_params:", with_it, "after", len(requests) - once, "requests")
is_as_stated = isinstance(without, litellm.BadRequestError) and once == 1 and with_it is None and len(requests) == 3
raise SystemExit(0 if is_as_stated else "Changed: a 422 is no longer returned as None.")
PY
echo "As stated: with drop_params, a 422 is asked for twice and becomes None."
