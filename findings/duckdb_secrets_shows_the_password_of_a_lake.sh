#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), secrets of type ducklake.
#
# Guess: duckdb_secrets() shows no password: it redacts by default, and the setting allow_unredacted_secrets is off.
# Seen: of a secret of type ducklake it shows the whole metadata_path, password of Postgres included.
# A secret of type postgres, which metadata_parameters names, is redacted.
# What we do: docs/lake.md advises the second form. groundswell/lake/address.py takes the password out of the address,
# so that duckdb_databases() does not show it either, and hides it in messages.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5 \
    duckdb-extension-postgres-scanner==1.5.5
"$folder/venv/bin/python" - <<'PY'
from importlib import import_module
from pathlib import Path

import duckdb

connection = duckdb.connect()
for name in ("ducklake", "postgres_scanner"):
    package = Path(import_module(f"duckdb_extension_{name}").__file__).parent
    connection.execute(f"load '{package / 'extensions' / f'v{duckdb.__version__}' / name}.duckdb_extension'")
address = "postgres:dbname=lake host=db.example password=hunter2"
connection.execute(f"create secret whole (type ducklake, metadata_path '{address}', data_path 's3://bucket/')")
connection.execute("create secret server (type postgres, host 'db.example', database 'lake', password 'hunter2')")
shown = dict(connection.execute("select name, secret_string from duckdb_secrets()").fetchall())
print("duckdb", duckdb.__version__, "| allow_unredacted_secrets:", end=" ")
print(connection.execute("select current_setting('allow_unredacted_secrets')").fetchone()[0])
print("type ducklake:", shown["whole"])
print("type postgres:", shown["server"])
as_stated = "hunter2" in shown["whole"] and "hunter2" not in shown["server"]
raise SystemExit(0 if as_stated else "Changed: the password of the lake is redacted.")
PY
echo "As stated: the password in metadata_path is shown."
