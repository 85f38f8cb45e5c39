#!/usr/bin/env bash
# Ibis 12.0.0, DuckDB 1.5.5.
#
# Guess: `table.distinct(on="url", keep="first")` keeps one of the rows of each url. The documentation says: "Drop duplicates
# except for the first occurrence", "Similar to pandas.DataFrame.drop_duplicates()".
# Seen: the query takes the first value of each column that is not null, column by column. Where the first row has no answer,
# the kept row has the answer of another: a post that never existed, with one post's author and another's text. A null is lost
# for good.
# What we do: duplicates are dropped in SQL, with row_number() or distinct on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ibis-framework==12.0.0 sqlglot==30.30.0 packaging==26.3 duckdb==1.5.5
"$folder/venv/bin/python" - <<'PY'
import duckdb
import ibis

print("ibis", ibis.__version__, "| duckdb", duckdb.__version__)
connection = duckdb.connect()
connection.execute("create table posts as select * from (values ('u', 'ann', null), ('u', 'bob', 'It fails.')) t(url, author, body)")
posts = ibis.table({"url": "string", "author": "string", "body": "string"}, name="posts")
query = ibis.to_sql(posts.distinct(on="url", keep="first"), dialect="duckdb")
given = connection.execute("from posts").fetchall()
kept = connection.execute(query).fetchall()
print("rows:", given, "| kept:", kept)
raise SystemExit(0 if kept == [("u", "ann", "It fails.")] and kept[0] not in given else "Changed.")
PY
echo "As stated: the kept row is made of two."
