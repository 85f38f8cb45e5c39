#!/usr/bin/env bash
# LiteLLM 1.106.2, litellm.acompletion with a server that speaks OpenAI's protocol.
#
# Guess: an answer with status 200, whose message has its content as a list of parts (one of thoughts and one of text, as
# reasoning models of Mistral send it), is returned, or raises an error that says that it could not be read.
# Seen: it raises InternalServerError with status_code 500, though the server answered 200. A caller that retries server
# errors asks, and pays, several times; one that counts costs by responses counts nothing. No error in the chain of
# causes comes from HTTP; the pydantic ValidationError in it holds the parts.
# What we do: if no error of the chain comes from HTTP, the call counts as answered, and the parts are read from there.
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
STATUS, BODY, requests = 200, {
    "id": "1", "object": "chat.completion", "created": 1, "model": "any",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "{}"},
    ]}}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}, []


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


error, cause, chain = ask(), None, []
cause = error
while cause is not None:
    chain.append(f"{type(cause).__module__}.{type(cause).__name__}")
    cause = cause.__cause__ or cause.__context__
print("litellm", version("litellm"), "| requests:", len(requests), "| status:", getattr(error, "status_code", None))
print("chain:", " < ".join(chain))
is_as_stated = (
    isinstance(error, litellm.InternalServerError)
    and error.status_code == 500
    and len(requests) == 1
    and not any(name.startswith(("httpx.", "openai.", "aiohttp.")) for name in chain)
)
raise SystemExit(0 if is_as_stated else "Changed: the answer is no server error any more.")
PY
echo "As stated: an answer in parts, with status 200, is raised as a server error."
