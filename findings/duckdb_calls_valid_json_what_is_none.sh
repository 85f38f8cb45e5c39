#!/usr/bin/env bash
# duckdb 1.5.5, extension json.
#
# Guess: json_valid says whether a text is JSON (RFC 8259), and of a name that stands twice the last value counts, as in
# Python and JavaScript.
# Seen: a comma before a closing bracket, NaN, nan and -inf are valid. Of a name that stands twice the first value counts.
# What we do: files are read with orjson and Python's json, not with DuckDB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - <<'PY'
import json
import sys

import duckdb

print("duckdb", duckdb.__version__)
same = True
for text in ('{"a": 1,}', "[1, 2,]", '{"a": nan}', '{"a": -inf}'):
    [(valid,)] = duckdb.execute("select json_valid($text)", {"text": text}).fetchall()
    try:
        json.loads(text)
        read = True
    except ValueError:
        read = False
    print(f"{text}: DuckDB says {valid}, Python {'reads it' if read else 'refuses it'}")
    same &= valid and not read
twice = '{"a": "first", "a": "last"}'
[(found,)] = duckdb.execute("select json_extract_string($text, '$.a')", {"text": twice}).fetchall()
print(f"{twice}: DuckDB gives {found}, Python {json.loads(twice)['a']}")
sys.exit(0 if same and found == "first" else 1)
PY
