#!/usr/bin/env bash
# fastavro 1.13.1.
#
# Guess: writer refuses a value that is not of the type of its field, as it refuses a number for a text, and as
# fastavro.validate does.
# Seen: 1.9 goes into a field of type int as 1, and true as 1, without a word. validate refuses both. The same values are refused
# if the field may also be null: then writer looks for the type that fits.
# What we do: nothing is written as Avro; imported counts with a fraction are rejected.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: fastavro==1.13.1
"$folder/venv/bin/python" - <<'PY'
import io
from importlib.metadata import version

import fastavro

print("fastavro", version("fastavro"))


def written(kind, value):
    schema = {"type": "record", "name": "Post", "fields": [{"name": "votes", "type": kind}]}
    file = io.BytesIO()
    try:
        fastavro.writer(file, schema, [{"votes": value}])
    except (TypeError, ValueError):
        return "refused"
    file.seek(0)
    return next(fastavro.reader(file))["votes"]


def valid(kind, value):
    schema = {"type": "record", "name": "Post", "fields": [{"name": "votes", "type": kind}]}
    return fastavro.validate({"votes": value}, schema, raise_errors=False)


seen = [(kind, value, written(kind, value), valid(kind, value)) for kind in ("int", ["null", "int"]) for value in (1.9, True)]
for kind, value, stored, is_valid in seen:
    print(kind, value, "| writer", stored, "| validate", is_valid)
raise SystemExit(0 if [stored for _, _, stored, _ in seen] == [1, 1, "refused", "refused"] and not any(each[3] for each in seen) else "Changed.")
PY
echo "As stated: fastavro writes 1.9 as 1."
