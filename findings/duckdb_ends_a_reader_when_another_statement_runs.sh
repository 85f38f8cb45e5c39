#!/usr/bin/env bash
# DuckDB 1.5.5 for Python, pyarrow 26.0.1.
#
# Guess: a reader of record batches that is half read gives its other rows, or an error, after another statement was run on the
# same connection.
# Seen: it ends, as if it had been read to its end: of 300,000 rows a loop sees the first batch. fetchmany of a relation gives
# what is left of 2,048 rows, then nothing. A connection has one result at a time. A cursor of its own for the statement, and
# all rows come. See https://github.com/duckdb/duckdb/issues/16589.
# What we do: a statement that runs within a loop over a reader runs on a cursor of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 pyarrow==26.0.1
cat > finding.py <<'PY'
import duckdb

ROWS = 300_000
connection = duckdb.connect()
connection.execute(f"create table posts as select range as id from range({ROWS})")
connection.execute("create table noted (id integer)")


def by_reader(other):
    """How many rows a reader gives while each batch is noted on another connection."""
    count = 0
    for batch in connection.execute("select id from posts").to_arrow_reader(1_000):
        count += len(batch)
        other.execute("insert into noted values ($count)", {"count": count})
    return count


def by_relation(other):
    """How many rows fetchmany gives, 1,000 at a time, while each part is noted on another connection."""
    relation, count = connection.sql("select id from posts"), 0
    while part := relation.fetchmany(1_000):
        count += len(part)
        other.execute("insert into noted values ($count)", {"count": count})
    return count


seen = {
    "reader, same connection": by_reader(connection),
    "reader, a cursor": by_reader(connection.cursor()),
    "fetchmany, same connection": by_relation(connection),
    "fetchmany, a cursor": by_relation(connection.cursor()),
}
print("duckdb", duckdb.__version__, "| rows:", ROWS)
for name, count in seen.items():
    print(f"{name}: {count}")
is_as_stated = [count == ROWS for count in seen.values()] == [False, True, False, True]
print("As stated: rows are missing, and no error says so." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
