#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension sqlite (duckdb-extension-sqlite-scanner 1.5.5).
#
# Guess: DuckDB reads the three forms that SQLite's documentation has for times (a text, a real number for a Julian day, a
# whole number for seconds since 1970: https://www.sqlite.org/datatype3.html) from a column declared as DATETIME, or says
# which it can not.
# Seen: a Julian day, as SQLite's own julianday() gives it, is taken for seconds: 2026-11-20 becomes a morning of January
# 1970. So is 20261120 in a DATE column. Milliseconds, as many dumps have them, become a year beyond 50,000. The zone at the
# end of a text is dropped: 08:00+09:00 is 08:00. Nothing is an error or null, though a text that is no time is one.
# What we do: an import of a SQLite file is refused (ingest/opening.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-sqlite-scanner==1.5.5
cat > finding.py <<'PY'
import sqlite3
from importlib.resources import files

import duckdb

noon = "'2026-11-20 12:00:00'"
# SQL that gives the same noon in SQLite, and what DuckDB reads.
forms = {
    noon: "2026-11-20 12:00:00",
    f"unixepoch({noon})": "2026-11-20 12:00:00",
    f"julianday({noon})": "1970-01-29 11:42:45",
    f"1000 * unixepoch({noon})": "58856-11-11 00:00:00",
    "'2026-11-20T21:00:00+09:00'": "2026-11-20 21:00:00",
}
with sqlite3.connect("dump.db") as dump:
    dump.execute("create table posts (id integer primary key, posted datetime)")
    for form in forms:
        dump.execute(f"insert into posts (posted) select {form}")
    dump.execute("create table days (day date)")
    dump.execute("insert into days values (20261120)")
dump.close()
connection = duckdb.connect()
package = files("duckdb_extension_sqlite_scanner")
connection.execute(f"load '{package}/extensions/v{duckdb.__version__}/sqlite_scanner.duckdb_extension'")
times = connection.execute("select posted::varchar from sqlite_scan('dump.db', 'posts') order by id").fetchall()
[[day]] = connection.execute("select day::varchar from sqlite_scan('dump.db', 'days')").fetchall()
print("duckdb", duckdb.__version__, "| sqlite", sqlite3.sqlite_version)
for form, (time,) in zip(forms, times, strict=True):
    print(f"{form}: {time}")
print("date 20261120:", day)
is_as_stated = [time for (time,) in times] == list(forms.values()) and day == "1970-08-23"
print("As stated: one noon, five times." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
