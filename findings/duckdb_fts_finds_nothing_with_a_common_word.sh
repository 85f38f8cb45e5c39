#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension fts (duckdb-extension-fts 1.5.5).
#
# Guess: match_bm25 with conjunctive := 1 leaves common words such as "the" out of the question, as it leaves them out of the
# index; fields := 'title, body' searches both columns.
# Seen: "the error" with conjunctive := 1 finds no document, although all words that are indexed are there: every word of the
# question must be found, and "the" is in no index. So does "error 404", since numbers are not indexed by default. A blank
# after the comma in `fields` makes it search the first column only. Both give no error. See
# https://github.com/duckdb/duckdb-fts/issues/15 and https://github.com/duckdb/duckdb-fts/issues/21.
# What we do: the board searches with PocketBase; this extension is not used.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-fts==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files

import duckdb

connection = duckdb.connect()
run = connection.execute
run(f"load '{files('duckdb_extension_fts')}/extensions/v{duckdb.__version__}/fts.duckdb_extension'")
run("create table posts (id integer, title varchar, body varchar)")
run("insert into posts values (1, 'Login', 'the error 404 is back'), (2, 'An error', 'login is slow'), (3, 'Other', 'words')")
run("pragma create_fts_index('posts', 'id', 'title', 'body')")


def found(words, options=""):
    """The numbers of the posts that a question finds."""
    score = f"fts_main_posts.match_bm25(id, $words{options})"
    return [number for (number,) in run(f"select id from posts where {score} > 0 order by id", {"words": words}).fetchall()]


print("duckdb", duckdb.__version__)
seen = {
    question: found(*question)
    for question in [
        ("error", ", conjunctive := 1"),
        ("the error", ""),
        ("the error", ", conjunctive := 1"),
        ("error 404", ", conjunctive := 1"),
        ("login", ", fields := 'title,body'"),
        ("login", ", fields := 'title, body'"),
    ]
}
for (words, options), numbers in seen.items():
    print(f"{words!r}{options}: {numbers}")
is_as_stated = list(seen.values()) == [[1, 2], [1, 2], [], [], [1, 2], [1]]
print("As stated: a common word, a number or a blank, and posts are not found." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
