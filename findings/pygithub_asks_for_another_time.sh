#!/usr/bin/env bash
# PyGithub 2.10.0, github3.py 4.0.1.
#
# Guess: get_issues(since=…) with a time that knows its zone asks for that time: 01:00+02:00 is 23:00Z of the day before.
# Seen: PyGithub writes the numbers as they are, and a Z behind them: 01:00Z. East of Greenwich the issues of the hours between
# are never asked for, each day anew; west of it they come twice. github3.py makes 01:00:00+02:00Z, which is no time. See
# https://github.com/PyGithub/PyGithub/issues/2282; the times in PyGithub's answers do know their zone, so that one of them
# can be handed back.
# What we do: all times are in UTC from the moment they are read (ingest/item.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: PyGithub==2.10.0 github3.py==4.0.1
"$folder/venv/bin/python" - <<'PY'
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

import github
from github3.utils import timestamp_parameter

asked = []


class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        asked.extend(parse_qs(urlsplit(self.path).query)["since"])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
since = datetime(2026, 11, 20, 1, tzinfo=timezone(timedelta(hours=2)))
repository = github.Github(base_url=f"http://127.0.0.1:{server.server_port}").get_repo("ann/tool", lazy=True)
for answers in (repository.get_issues(since=since), repository.get_commits(since=since)):
    list(answers)
server.shutdown()
in_utc = f"{since.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
other = timestamp_parameter(since)
print("PyGithub", version("PyGithub"), "| wanted:", in_utc, "| asked:", asked)
print("github3.py", version("github3.py"), "|", other)
raise SystemExit(0 if asked == ["2026-11-20T01:00:00Z"] * 2 and other == "2026-11-20T01:00:00+02:00Z" else "Changed.")
PY
echo "As stated: two hours are left out."
