#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: an upsert whose rows hold one key twice fails, as in Postgres ("cannot affect row a second time"), or the later row
# wins, as in SQLite.
# Seen: the earlier row wins, without an error: insert or replace keeps 'old' of ('old', 'new'), and so does on conflict do
# update; `set votes = votes + excluded.votes` adds the first row only. MERGE takes the first, too, and says that it has updated
# two. Two nulls are no conflict for a UNIQUE column, but an insert of both with on conflict do nothing keeps one
# (https://github.com/duckdb/duckdb/issues/26066).
# What we do: no statement of ours is an upsert. Rows are deleted and inserted, one for each key.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5
cat > finding.py <<'PY'
import sqlite3

import duckdb

TABLE = "create table posts (id integer unique, title varchar, votes integer)"
THERE = "insert into posts values (1, 'there', 0)"
ROWS = "(values (1, 'old', 10), (1, 'new', 20)) as arriving(id, title, votes)"


def after(*queries):
    """The rows of a new table after some queries, without their ids."""
    connection = duckdb.connect()
    for query in (TABLE, *queries):
        connection.execute(query)
    return connection.execute("select title, votes from posts order by all").fetchall()


upsert = f"insert into posts select * from {ROWS} on conflict (id) do update set"
sqlite = sqlite3.connect(":memory:")
sqlite.execute(TABLE)
sqlite.execute("insert or replace into posts values (1, 'old', 10), (1, 'new', 20)")
seen = {
    "insert or replace": after(f"insert or replace into posts select * from {ROWS}"),
    "the same, a row is there": after(THERE, f"insert or replace into posts select * from {ROWS}"),
    "on conflict do update": after(THERE, f"{upsert} title = excluded.title, votes = votes + excluded.votes"),
    "merge": after(
        THERE,
        f"merge into posts using {ROWS} on posts.id = arriving.id"
        " when matched then update set title = arriving.title, votes = arriving.votes",
    ),
    "two nulls, do nothing": after("insert into posts values (null, 'a', 1), (null, 'b', 2) on conflict do nothing"),
    "two nulls, insert": after("insert into posts values (null, 'a', 1), (null, 'b', 2)"),
    "insert or replace in SQLite": sqlite.execute("select title, votes from posts").fetchall(),
}
print("duckdb", duckdb.__version__)
for name, rows in seen.items():
    print(f"{name}: {rows}")
first, last, both = [("old", 10)], [("new", 20)], [("a", 1), ("b", 2)]
is_as_stated = list(seen.values()) == [first, first, first, first, both[:1], both, last]
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
