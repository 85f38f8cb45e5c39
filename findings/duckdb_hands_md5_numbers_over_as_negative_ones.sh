#!/usr/bin/env bash
# DuckDB 1.5.5 for Python, pyarrow 26.0.1.
#
# Guess: md5_number('b'), a key of 128 bits without a sign (UHUGEINT), is the same number in an Arrow table and in a Parquet
# file, or an error says that neither can hold it.
# Seen: Arrow gets the bits as a DECIMAL(38, 0), so half of the keys are negative, and most have 39 digits where 38 are
# allowed. In Parquet it is a DOUBLE, and all but some 16 digits are lost. No key that went through either equals the same
# md5_number any more, or the comparison is an error. md5 (a text) and md5_number_lower (64 bits) survive both. See
# https://github.com/duckdb/duckdb-python/issues/568 and, for DuckLake, https://github.com/duckdb/ducklake/issues/405.
# What we do: our hashes are texts (macros/hashes_of_rows.sql).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 pyarrow==26.0.1
cat > finding.py <<'PY'
import duckdb

connection = duckdb.connect()
connection.execute("create table posts as select range::varchar as id from range(1000)")


def seen(function):
    """Types in Arrow and Parquet, and how many of 1,000 keys are negative or have changed in each."""
    connection.execute(f"create or replace view keys as select id, {function}(id) as key from posts")
    arrow = connection.execute("from keys").to_arrow_table()
    connection.execute("copy keys to 'keys.parquet'")
    query = "select count(*) filter (got.key < '0'), count(*) filter (got.key::varchar != keys.key::varchar) from {} as got"
    found = [str(arrow.schema.field("key").type)]
    found += connection.execute("select any_value(typeof(key)) from 'keys.parquet'").fetchone()
    for name in ("arrow", "'keys.parquet'"):
        found.append(connection.execute(query.format(name) + " join keys using (id)").fetchone())
    return found


print("duckdb", duckdb.__version__)
results = {function: seen(function) for function in ("md5_number", "md5_number_lower", "md5")}
for function, (arrow, parquet, from_arrow, from_parquet) in results.items():
    print(f"{function}: in Arrow {arrow}: {from_arrow[0]} negative, {from_arrow[1]} changed;", end=" ")
    print(f"in Parquet {parquet}: {from_parquet[0]} negative, {from_parquet[1]} changed")
wide, *others = results.values()
is_as_stated = wide[:2] == ["decimal128(38, 0)", "DOUBLE"] and wide[2] == (512, 512) and wide[3] == (0, 1000)
is_as_stated = is_as_stated and all(other[2:] == [(0, 0), (0, 0)] for other in others)
print("As stated: half of the keys are negative in Arrow, and none is whole in Parquet." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
