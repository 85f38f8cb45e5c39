#!/usr/bin/env bash
# google-play-scraper 1.2.7.
#
# Guess: reviews_all() raises when the service answers with an error in the middle, or says that its list is not whole.
# Seen: it returns what it has, as if that were all: the first page, where the second was answered with a 500 three times; and
# an empty list where the first was. Any exception within a page ends the list and deletes the token by which one could go on.
# An app seems to have 2 reviews, or none on a day, and a chart shows a day without complaints.
# What we do: we do not collect from app stores; a source that fails is an error of the day.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check google-play-scraper==1.2.7
"$folder/venv/bin/python" - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from google_play_scraper import reviews_all
from google_play_scraper.constants.request import Formats

answers = []


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        page = answers.pop(0) if answers else None
        self.send_response(500 if page is None else 200)
        self.end_headers()
        if page is not None:
            self.wfile.write((")]}'\n\n" + json.dumps([["wrb.fr", "name", json.dumps(page)]])).encode())

    def log_message(self, *_):
        pass


def review(number):
    return [f"id{number}", ["Ann", [1, 1, None, [None, None, "image"]]], 1, None, "It hangs.", [1763600000], 0, None, None, None, "1"]


server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
Formats.Reviews.build = lambda lang, country: f"http://127.0.0.1:{server.server_port}"
seen = {}
first, second = [[review(1), review(2)], [None, "more"], None], [[review(3)], None, None]
for name, pages in {"two pages": [first, second], "a page, then errors": [first], "errors": []}.items():
    answers[:] = pages
    seen[name] = [found["reviewId"] for found in reviews_all("an.app")]
server.shutdown()
print("google-play-scraper", version("google-play-scraper"), "|", seen)
stated = {"two pages": ["id1", "id2", "id3"], "a page, then errors": ["id1", "id2"], "errors": []}
raise SystemExit(0 if seen == stated else "Changed.")
PY
echo "As stated: an error ends the list without a word."
