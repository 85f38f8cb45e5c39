#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: read_csv and read_json leave a text as it is if nobody can tell which part of it is the day, and a date is the same
# from both.
# Seen: '31-12-26' is 2031-12-26 from both: its first part is taken for the year. '01/02/26' is 2001-02-26 from CSV and a text
# from JSON. '01/02/2026' is 1 February from CSV: its first part is taken for the day, also in a file of American dates that are
# all in the first twelve days of a month. A cast of '31-12-26' gives a third date, in the year 31. '1:2:3' is a time of day.
# What we do: dates and times are read in Python. A row is rejected if nobody can tell whether its day stands first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5
cat > finding.py <<'PY'
import json
from pathlib import Path

import duckdb

connection = duckdb.connect()


def seen(text):
    """What a text is from a CSV file, from a JSON file and by a cast: its type, and its value."""
    Path("posts.csv").write_text(f"said,id\n{text},1\n")
    Path("posts.json").write_text(json.dumps({"said": text, "id": 1}))
    found = [connection.execute(f"select typeof(said), said::varchar from 'posts.{form}'").fetchone() for form in ("csv", "json")]
    [(cast,)] = connection.execute("select try_cast($text as date)::varchar", {"text": text}).fetchall()
    return (*found, cast)


stated = {
    "31-12-26": (("DATE", "2031-12-26"), ("DATE", "2031-12-26"), "0031-12-26"),
    "01/02/26": (("DATE", "2001-02-26"), ("VARCHAR", "01/02/26"), "0001-02-26"),
    "01/02/2026": (("DATE", "2026-02-01"), ("VARCHAR", "01/02/2026"), None),
    "01-02-2026": (("DATE", "2026-02-01"), ("DATE", "2026-02-01"), None),
    "1:2:3": (("TIME", "01:02:03"), ("TIME", "01:02:03"), None),
}
found = {text: seen(text) for text in stated}
print("duckdb", duckdb.__version__)
for text, (csv, by_json, cast) in found.items():
    print(f"{text!r} -> CSV: {' '.join(csv)}; JSON: {' '.join(by_json)}; cast to DATE: {cast}")
print("As stated." if found == stated else "Changed.")
raise SystemExit(found != stated)
PY
venv/bin/python finding.py
