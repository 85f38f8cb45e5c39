#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: the text of a view in duckdb_views().sql stays the same as long as nobody alters the view, so its hash says whether
# somebody did.
# Seen: once the file is closed and opened again, the text is another one: `from a, b` became `a CROSS JOIN b` or the other
# way round, chains of UNION have other brackets, names of types have gained or lost quotes. The view does the same.
# What we do: macro hashes_of_rows leaves brackets, quotes and cross joins out of the text before it hashes it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
cd "$folder"
"$folder/venv/bin/python" - << 'PY'
import duckdb


def text() -> str:
    with duckdb.connect("small.duckdb") as connection:
        if VIEW:
            connection.execute(VIEW)
        return connection.execute("select sql from duckdb_views() where view_name = 'pairs'").fetchone()[0]


VIEW = """
create view pairs as
with one as (select 1 as n), two as (select 2 as n)
select sum(one.n)::double as a from one cross join two
union all by name select 1 as b
union all by name select 2 as b
"""
made = text()
VIEW = ""
reopened = text()
print("duckdb", duckdb.__version__)
print("made:    ", made)
print("reopened:", reopened)
raise SystemExit("Changed: the text is the same." if made == reopened else 0)
PY
echo "As stated: the text is another one."
