#!/usr/bin/env bash
# pandera 0.35.0, ibis-framework 12.0.0, duckdb 1.5.5.
#
# Guess: Column(unique=True) fails on a table with a repeated key, in pandera.ibis as in pandera.pandas, or says that it can not
# be checked.
# Seen: validate() passes; also with lazy=True. The setting is taken, and never looked at. unique=["id"] of the whole schema is
# checked. So a schema that was moved from pandas to DuckDB lets the rows through that it was written for.
# What we do: dbt's data tests (unique, not_null) run on the tables.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
    'pandera[ibis]==0.35.0' 'ibis-framework[duckdb]==12.0.0' duckdb==1.5.5 pandas==2.3.3 sqlglot==30.30.0
"$folder/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import ibis
import pandas as pd
import pandera.ibis
import pandera.pandas
from pandera.errors import SchemaError, SchemaErrors

print(*(f"{name} {version(name)}" for name in ("pandera", "ibis-framework", "duckdb")), sep=" | ")
rows = pd.DataFrame({"id": [1, 1, 2]})
connection = ibis.duckdb.connect()
connection.raw_sql("create table posts as select unnest([1, 1, 2]::bigint[]) as id")
table = connection.table("posts")


def passes(module, data, lazy=False, **options):
    of_column = {"unique": True} if not options else {}
    schema = module.DataFrameSchema({"id": module.Column("int64" if data is rows else int, **of_column)}, **options)
    try:
        schema.validate(data, lazy=lazy)
    except (SchemaError, SchemaErrors):
        return False
    return True


seen = {
    "pandas, of the column": passes(pandera.pandas, rows),
    "ibis, of the column": passes(pandera.ibis, table),
    "ibis, of the column, lazy": passes(pandera.ibis, table, lazy=True),
    "ibis, of the schema": passes(pandera.ibis, table, unique=["id"]),
}
print("a repeated id passes:", seen)
raise SystemExit(0 if list(seen.values()) == [False, True, True, False] else "Changed.")
PY
echo "As stated: unique=True of a column is not checked on DuckDB."
