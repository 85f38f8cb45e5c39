#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension avro (duckdb-extension-avro 1.5.5), fastavro 1.13.1.
#
# Guess: read_avro gives a decimal as DECIMAL, as read_parquet does, since it gives dates, times and timestamps their types.
# Seen: a decimal is a BLOB of its unscaled digits: 12.34 is \x04\xD2 and -0.01 is \xFF, and its scale, which only the file's schema has,
# is gone. BigQuery exports NUMERIC so. What casts the BLOB to a number has an error; what counts, groups or joins by it goes on with
# bytes, in whose order -0.01 is above 12.34. A uuid is a VARCHAR.
# What we do: imports refuse Avro.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-avro==1.5.5 fastavro==1.13.1
cat > finding.py <<'PY'
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from importlib.resources import files

import duckdb
import fastavro

decimal = {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}
schema = fastavro.parse_schema({
    "type": "record",
    "name": "post",
    "fields": [{"name": "day", "type": {"type": "int", "logicalType": "date"}}, {"name": "score", "type": decimal}],
})
rows = [{"day": date(2026, 11, 20), "score": Decimal(text)} for text in ("12.34", "-0.01")]
with open("posts.avro", "wb") as file:
    fastavro.writer(file, schema, rows)
connection = duckdb.connect()
extension = files("duckdb_extension_avro") / f"extensions/v{duckdb.__version__}/avro.duckdb_extension"
connection.execute(f"load '{extension}'")
types = [row[1] for row in connection.execute("describe select * from read_avro('posts.avro')").fetchall()]
seen = [row[0] for row in connection.execute("select score from read_avro('posts.avro') order by score desc").fetchall()]
with open("posts.avro", "rb") as file:
    given = [str(row["score"]) for row in fastavro.reader(file)]
print("duckdb", version("duckdb"), "| types:", types, "| highest score first:", seen, "| by fastavro:", given)
raise SystemExit(0 if types == ["DATE", "BLOB"] and seen == [b"\xff", b"\x04\xd2"] and given == ["12.34", "-0.01"] else "Changed.")
PY
venv/bin/python finding.py
echo "As stated: a decimal is bytes."
