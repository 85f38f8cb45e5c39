#!/usr/bin/env bash
# sqlmesh 0.236.4, duckdb 1.5.6.
#
# Guess: a model's column in quotes, "userId", keeps its name, and so do the fields of a struct, as in DuckDB itself.
# Seen: both are in small letters: userid, and {'userid': …, 'name': …}. SQLMesh rewrites each query, and counts names in
# quotes as DuckDB compares them, without regard to capitals. DuckDB finds them under both names, so that no test within SQLMesh
# fails. But to_json(author), which goes to an API or a page, has other keys than the model says, and a program that reads the
# table into a dictionary fails with a KeyError.
# What we do: names are in small letters with underscores.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: sqlmesh==0.236.4 duckdb==1.5.6
cd "$folder"
mkdir models
cat > config.yaml <<'YML'
gateways: {local: {connection: {type: duckdb, database: posts.duckdb}}}
default_gateway: local
model_defaults: {dialect: duckdb}
disable_anonymized_analytics: true
YML
query="select 1 as \"postId\", {'userId': 7, 'Name': 'Ann'} as author"
printf 'MODEL (name main.posts, kind FULL);\n%s\n' "$query" > models/posts.sql
cat > models/answers.sql <<'SQL'
MODEL (name main.answers, kind FULL);
select to_json(author) as answer from main.posts
SQL
venv/bin/sqlmesh plan --auto-apply --no-prompts > said 2>&1 || { cat said; exit 1; }
QUERY=$query venv/bin/python - <<'PY'
import os
from importlib.metadata import version

import duckdb

print("sqlmesh", version("sqlmesh"), "| duckdb", duckdb.__version__)
connection = duckdb.connect("posts.duckdb", read_only=True)
itself, model = connection.sql(os.environ["QUERY"]), connection.sql("from main.posts")
answer = connection.sql("from main.answers").fetchone()[0]
print("DuckDB:", itself.columns, itself.fetchall(), "| SQLMesh:", model.columns, model.fetchall(), "| as JSON:", answer)
is_as_stated = itself.columns == ["postId", "author"] and model.columns == ["postid", "author"]
raise SystemExit(0 if is_as_stated and answer == '{"userid":7,"name":"Ann"}' else "Changed.")
PY
echo "As stated: names in quotes lose their capitals."
