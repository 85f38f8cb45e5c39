#!/usr/bin/env bash
# obstore 0.12.1, LocalStore.
#
# Guess: list gives each file of a folder, so a copy of all that it lists is a copy of the folder.
# Seen: a file whose name ends with "#" and digits, such as duckdb#123, is not listed: the store writes its own unfinished files
# under such names. A copy lacks the file, without an error; get and put of the name are errors. issue#abc and issue#12.json
# are listed. The pages of LocalStore do not say so.
# What we do: names of files never come from posts; exports have names of their own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check obstore==0.12.1
mkdir "$folder/posts" && cd "$folder/posts"
for name in 'duckdb#123' 'duckdb#abc' 'duckdb#123.json' 'plain'; do echo words > "$name"; done
"$folder/venv/bin/python" - <<'PY'
import os
from importlib.metadata import version

from obstore.store import LocalStore, MemoryStore

store, copy = LocalStore("."), MemoryStore()
for batch in store.list():
    for entry in batch:
        copy.put(entry["path"], store.get(entry["path"]).bytes())
copied = sorted(entry["path"] for batch in copy.list() for entry in batch)
print("obstore", version("obstore"), "| files:", sorted(os.listdir()), "| copied:", copied)
errors = []
for attempt in (lambda: store.get("duckdb#123"), lambda: store.put("duckdb#124", b"words")):
    try:
        attempt()
    except Exception as error:
        errors.append(str(error).splitlines()[0])
print(*errors, sep="\n")
raise SystemExit(0 if copied == ["duckdb#123.json", "duckdb#abc", "plain"] and len(errors) == 2 else "Changed.")
PY
echo "As stated: duckdb#123 is not listed."
