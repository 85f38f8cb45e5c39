#!/usr/bin/env bash
# py7zr 1.1.4.
#
# Guess: extract(targets=[...]) with a name that the archive does not hold is an error, as zipfile's KeyError.
# Seen: it extracts what it knows, or nothing, and says nothing. The dumps of Stack Exchange hold Posts.xml: with "posts.xml", or
# with "./Posts.xml", nothing is written. A folder as a target gives no file of the folder unless recursive=True. A program that goes
# on with the files of an earlier run does not notice. A list of wanted files has to be compared with namelist().
# What we do: members are chosen from the archive's own list (ingest/seven_zip.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check py7zr==1.1.4
cat > finding.py <<'PY'
import tempfile
from importlib.metadata import version
from pathlib import Path

import py7zr

Path("Posts.xml").write_text("<posts/>")
with py7zr.SevenZipFile("site.7z", "w") as archive:
    archive.write("Posts.xml")
    archive.write("Posts.xml", "meta/Posts.xml")


def extracted(*targets, **options):
    with tempfile.TemporaryDirectory() as place, py7zr.SevenZipFile("site.7z") as archive:
        archive.extract(path=place, targets=list(targets), **options)
        return sorted(str(path.relative_to(place)) for path in Path(place).rglob("*") if path.is_file())


print("py7zr", version("py7zr"))
seen = []
for targets in (("Posts.xml",), ("posts.xml",), ("./Posts.xml",), ("Posts.xml", "Users.xml"), ("meta",)):
    seen.append(extracted(*targets))
    print(targets, "->", seen[-1])
raise SystemExit(0 if seen == [["Posts.xml"], [], [], ["Posts.xml"], []] else "Changed.")
PY
venv/bin/python finding.py
echo "As stated: a missing name is no error."
