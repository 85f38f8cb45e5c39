#!/usr/bin/env bash
# DuckDB 1.5.5, pyarrow 26.0.1.
#
# Guess: a .csv.gz whose end is missing, as after a broken download, is an error: gzip has a length and a checksum at its end.
# Seen: read_csv gives the rows up to the end and says nothing. The last line is cut within its last column, or its last column is
# missing, which is an error only if the columns were given or the sample has such a line: of 40 cuts most are silent. Half of a
# dump is imported as if it were all, and the last title is a part of one. gzip of Python and pyarrow refuse each. read_json
# complains about the JSON of its last line, unless ignore_errors is set.
# What we do: imports unpack with Python's gzip, which raises EOFError (ingest/opening.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 pyarrow==26.0.1
cat > finding.py <<'PY'
import gzip
import random
from importlib.metadata import version
from pathlib import Path

import duckdb
import pyarrow

generator, file = random.Random(4), Path("posts.csv.gz")
words = "build fails login slow crash update error please".split()
lines = ["id,author,title"]
for number in range(20_000):
    title = " ".join(f"{generator.choice(words)}{generator.randrange(1_000)}" for _ in range(12))
    lines.append(f"{number},user{number % 50},{title}")
whole = gzip.compress("\n".join(lines).encode(), mtime=0)
silent, rows, refused = 0, [], 0
for _ in range(40):
    file.write_bytes(whole[: generator.randrange(len(whole) // 4, len(whole) - 100)])
    try:
        rows.append(duckdb.connect().execute("select count(*) from read_csv('posts.csv.gz')").fetchone()[0])
    except duckdb.Error:
        pass
    for read in (lambda: gzip.open(file).read(), lambda: pyarrow.input_stream(str(file)).read()):
        try:
            read()
        except OSError:
            refused += 1
        except EOFError:
            refused += 1
print("duckdb", version("duckdb"), "| pyarrow", version("pyarrow"))
print(f"of 40 files with 20,000 rows, cut: read_csv gives {len(rows)} without an error, with {min(rows):,} to {max(rows):,} rows")
print(f"gzip and pyarrow refuse {refused} of 80")
raise SystemExit(0 if len(rows) > 25 and max(rows) < 20_000 and refused == 80 else "Changed.")
PY
venv/bin/python finding.py
echo "As stated: the missing end is no error."
