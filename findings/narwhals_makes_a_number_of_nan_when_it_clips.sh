#!/usr/bin/env bash
# Narwhals 2.29.0 with DuckDB 1.5.5 and Polars 2.1.0.
#
# Guess: one Narwhals expression has one result, whatever it runs on: that is what the library is for.
# Seen: `col("score").clip(-1, 1)` leaves a NaN as it is on Polars, and makes it 1.0 on DuckDB, which has NaN above all
# numbers. A similarity that could not be computed becomes the best of all. `max()` is 0.5 on Polars, and NaN on DuckDB.
# What we do: Narwhals is not used by us; NaN is refused where numbers enter a table.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check narwhals==2.29.0 duckdb==1.5.5 polars==2.1.0
"$folder/venv/bin/python" - <<'PY'
import duckdb
import narwhals as nw
import polars as pl

print("narwhals", nw.__version__, "| duckdb", duckdb.__version__, "| polars", pl.__version__)
on_polars = nw.from_native(pl.DataFrame({"score": [0.5, float("nan")]}))
on_duckdb = nw.from_native(duckdb.sql("select * from (values (0.5::double), ('nan'::double)) t(score)"))
clipped, highest = nw.col("score").clip(-1, 1), nw.col("score").max()
seen = [
    [str(row[0]) for row in rows]
    for rows in (
        on_polars.select(clipped).to_native().rows(),
        on_duckdb.select(clipped).to_native().fetchall(),
        on_polars.select(highest).to_native().rows(),
        on_duckdb.select(highest).to_native().fetchall(),
    )
]
print("clipped by polars, by duckdb:", seen[:2], "| highest:", seen[2:])
raise SystemExit(0 if seen == [["0.5", "nan"], ["0.5", "1.0"], ["0.5"], ["nan"]] else "Changed.")
PY
echo "As stated: NaN is clipped to the upper bound on DuckDB."
