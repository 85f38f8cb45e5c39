#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: in a text that becomes a TIMESTAMPTZ, the name of a zone means what it means in Postgres and in mails (BST is British
# summer time, PST is 8 hours behind UTC), or it is an error.
# Seen: BST is Bangladesh's time (6 hours ahead of UTC), AST is Alaska's, ECT is that of Paris. PST and CST follow the
# calendar: in July 10:00 PST is 17:00 UTC, an hour early. EST and MST do not. PDT, EDT, CDT, CEST and AEST are errors, null with
# try_cast, although PST, EST, CST and CET are none: so of a year's posts those of the summer are lost. pg_timezone_names()
# lists what each name means.
# What we do: times of posts are read in Python. A name of a zone other than UTC and GMT is refused (ingest/item.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5
cat > finding.py <<'PY'
import duckdb

connection = duckdb.connect()
connection.execute("set timezone = 'UTC'")


def in_utc(zone):
    """What 10:00 in a zone is in UTC on 5 January and on 5 July; None if there is no such zone."""
    query = "select strftime(try_cast($text as timestamptz), '%H:%M')"
    texts = (f"2026-{month}-05 10:00:00 {zone}" for month in ("01", "07"))
    return tuple(connection.execute(query, {"text": text}).fetchone()[0] for text in texts)


stated = {
    "BST": ("04:00", "04:00"),
    "AST": ("19:00", "18:00"),
    "ECT": ("09:00", "08:00"),
    "PST": ("18:00", "17:00"),
    "CST": ("16:00", "15:00"),
    "EST": ("15:00", "15:00"),
    "MST": ("17:00", "17:00"),
    "CET": ("09:00", "08:00"),
    **dict.fromkeys(("PDT", "EDT", "CDT", "CEST", "AEST"), (None, None)),
}
seen = {zone: in_utc(zone) for zone in stated}
print("duckdb", duckdb.__version__, "| 10:00 in January and in July, in UTC")
for zone, times in seen.items():
    print(zone, *times)
print("As stated." if seen == stated else "Changed.")
raise SystemExit(seen != stated)
PY
venv/bin/python finding.py
