#!/usr/bin/env bash
# DuckDB 1.5.5.
#
# Guess: `export database` and `import database`, or `copy` to a CSV file and from it, give the same rows and the same schema.
# Seen: an empty text comes back as null, although the file tells them apart ("" and nothing): allow_quoted_nulls is on by
# default, and the load.sql of an export does not turn it off. Comments on tables and columns are not exported, by CSV or
# Parquet. An enum with an apostrophe is exported as SQL that the import can not read. `copy from database` keeps all three.
# What we do: a backup is Parquet; dbt writes the comments at the next build (groundswell/backup.py). `groundswell export`
# writes CSV files, and docs/asking.md says how to read them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5
cat > finding.py <<'PY'
import duckdb

POSTS = "select body, (select comment from duckdb_tables() where table_name = 'posts') from posts order by id"


def made(*queries):
    """A database with posts and a comment, after some more queries."""
    connection = duckdb.connect()
    connection.execute("create table posts (id integer, body varchar)")
    connection.execute("insert into posts values (1, ''), (2, null), (3, 'text')")
    connection.execute("comment on table posts is 'One row per post.'")
    for query in queries:
        connection.execute(query)
    return connection


def imported(folder):
    """The posts of a new database after an import, or the error."""
    connection = duckdb.connect()
    try:
        connection.execute(f"import database '{folder}'")
        return connection.execute(POSTS).fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0]


made("export database 'csv'", "export database 'parquet' (format parquet)")
made("create type kind as enum ('can''t')", "export database 'enum' (format parquet)")
connection = made("create table again (id integer, body varchar)", "copy posts to 'posts.csv'", "copy again from 'posts.csv'")
seen = {
    "export, CSV": imported("csv"),
    "export, Parquet": imported("parquet"),
    "export, an enum with an apostrophe": imported("enum"),
    "copy to and from CSV": connection.execute("select body from again order by id").fetchall(),
    "read_csv": connection.execute("select body from read_csv('posts.csv') order by id").fetchall(),
    "read_csv, allow_quoted_nulls = false": connection.execute(
        "select body from read_csv('posts.csv', allow_quoted_nulls = false) order by id"
    ).fetchall(),
}
print("duckdb", duckdb.__version__)
for name, found in seen.items():
    print(f"{name}: {found}")
lost, kept = [(None,), (None,), ("text",)], [("",), (None,), ("text",)]
stated = [[(body, None) for (body,) in lost], [(body, None) for (body,) in kept]]
stated += [seen["export, an enum with an apostrophe"], lost, lost, kept]
is_as_stated = list(seen.values()) == stated and "Parser Error" in seen["export, an enum with an apostrophe"]
print("As stated." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
