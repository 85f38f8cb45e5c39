#!/usr/bin/env bash
# frictionless 5.21.0.
#
# Guess: a column of 117 numbers and two words is text, or extract() says which cells it can not read.
# Seen: the type of a column is that of nine tenths of the first 100 rows (field_confidence, sample_size), and extract()
# gives None for each cell that does not fit, without an error or a warning: "n/a" and "about 5" are gone, and so is the
# short commit 12e4567 among 1234567. One learns of it from validate(), which calls the file not valid because of the type
# that the program has guessed itself. Detector(field_confidence=1) makes text of the column only if such a cell is among the
# first 100 rows.
# What we do: no types are guessed from the first rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: frictionless==5.21.0
cd "$folder"
venv/bin/python -W error - <<'PY'
from importlib.metadata import version
from pathlib import Path

from frictionless import Detector, extract, validate

rows = [f"{number},{number * 10},{1234567 + number}" for number in range(1, 118)] + ["118,n/a,12e4567", "119,about 5,00a1b2c"]
Path("posts.csv").write_text("\n".join(["id,votes,commit", *rows]) + "\n")
seen = {}
for name, options in {"default": {}, "field_confidence=1": {"detector": Detector(field_confidence=1)}}.items():
    (read,) = extract("posts.csv", **options).values()
    seen[name] = [(row["votes"], row["commit"]) for row in read[-2:]]
    print(name, "| last two rows:", seen[name])
faults = validate("posts.csv").flatten(["rowNumber", "fieldName", "type"])
print("frictionless", version("frictionless"), "| validate:", faults)
is_as_stated = list(seen.values()) == [[(None, None), (None, None)]] * 2 and [fault[2] for fault in faults] == ["type-error"] * 4
raise SystemExit(0 if is_as_stated else "Changed.")
PY
echo "As stated: what does not fit the guessed type is None."
