#!/usr/bin/env bash
# instructor 1.17.0, openai 3.3.0.
#
# Guess: create_iterable() raises IncompleteOutputException for an answer that ends with finish_reason "length", as create()
# does, and an error for an answer without JSON.
# Seen: it gives the objects that are whole, two of three here, and ends. The reason is not looked at while an answer streams.
# A refusal in prose is an empty list, without a second question. Whoever asks for one label for each of thirty posts gets
# fewer, and the posts that lack one seem to be without a problem.
# What we do: an answer counts only as one whole JSON object that fits its schema (groundswell/llm/answer.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: instructor==1.17.0 openai==3.3.0
"$folder/venv/bin/python" -W ignore - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import instructor
import openai
from pydantic import BaseModel

answer = {}


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if asked.get("stream") else "application/json")
        self.end_headers()
        begin = {"id": "1", "created": 1, "model": "small"}
        said = {"role": "assistant", "content": answer["text"]}
        if not asked.get("stream"):
            choice = {"index": 0, "message": said, "finish_reason": answer["reason"]}
            self.wfile.write(json.dumps(begin | {"object": "chat.completion", "choices": [choice]}).encode())
            return
        for delta, reason in ((said, None), ({}, answer["reason"])):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            event = begin | {"object": "chat.completion.chunk", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_):
        pass


class Label(BaseModel):
    post: int
    label: str


def ask(text, reason, of_many):
    answer.update(text=text, reason=reason)
    question = {"model": "small", "messages": [{"role": "user", "content": "Label the posts."}], "response_model": Label}
    try:
        if of_many:
            return [label.post for label in client.chat.completions.create_iterable(**question)]
        return client.chat.completions.create(**question).post
    except Exception as error:
        return type(error).__name__


server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/v1"
client = instructor.from_openai(openai.OpenAI(base_url=address, api_key="none", max_retries=0), mode=instructor.Mode.JSON)
many = json.dumps({"tasks": [{"post": number, "label": "login"} for number in (1, 2, 3)]})
seen = {
    "whole": ask(many, "stop", True),
    "cut": ask(many[:80], "length", True),
    "prose": ask("I can not label these posts.", "stop", True),
    "cut, of one": ask('{"post": 1, "label": "lo', "length", False),
}
server.shutdown()
print("instructor", version("instructor"), "| openai", version("openai"), "|", seen)
stated = {"whole": [1, 2, 3], "cut": [1, 2], "prose": [], "cut, of one": "IncompleteOutputException"}
raise SystemExit(0 if seen == stated else "Changed.")
PY
echo "As stated: a cut list passes for a whole one."
