#!/usr/bin/env bash
# apprise 2.3.0.
#
# Guess: a message in HTML reaches a service that takes text only with all that it says, links with their addresses.
# Seen: apprise makes text of the HTML, and drops the addresses: `<a href="https://a.example/12">issue 12</a>` arrives as
# "issue 12". The cells of a table stand one below the other. notify() returns success. An alert whose evidence is its links
# has none, in some channels of a list and not in others.
# What we do: each service is sent the form that it takes (groundswell/news/addresses.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apprise==2.3.0
"$folder/venv/bin/python" - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import apprise

received = []


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["message"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
message = '<p>New: <a href="https://a.example/12">issue 12</a></p><table><tr><td>posts</td><td>40</td></tr></table>'
sent = []
for options in ("?format=text", "?format=html"):
    sender = apprise.Apprise()
    sender.add(f"json://127.0.0.1:{server.server_port}/{options}")
    sent.append(bool(sender.notify(body=message, body_format=apprise.NotifyFormat.HTML)))
server.shutdown()
print("apprise", version("apprise"), "| sent:", sent, "| as text:", repr(received[0]), "| as HTML:", received[1])
raise SystemExit(0 if all(sent) and received == ["New: issue 12\nposts\n40", message] else "Changed.")
PY
echo "As stated: the address of a link is dropped."
