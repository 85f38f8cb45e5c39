#!/usr/bin/env bash
# datasette 0.65.5.
#
# Guess: the link of a facet, "6 (10 rows)", leads to those 10 rows.
# Seen: on a view with a computed column, such as count(*) as posts, it leads to none: the address ?posts=6 compares the
# number with the text '6', which SQLite never takes for equal unless the column has a type, and a computed column has none.
# So does ?posts__exact=6; ?posts__not=6 gives all. ?posts__gt=5, which Datasette sends as a number, works. A cast in the view,
# cast(count(*) as integer), mends it. Reports by group are views of this kind.
# What we do: our tables are read by DuckDB and PocketBase.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: datasette==0.65.5
cd "$folder"
venv/bin/python -W ignore - <<'PY'
import json
import sqlite3
import subprocess
from importlib.metadata import version
from urllib.parse import urlsplit

database = sqlite3.connect("posts.db")
database.execute("create table posts (id integer primary key, author text)")
database.executemany("insert into posts values (?, ?)", [(number, f"author{number % 10}") for number in range(60)])
database.execute("create view authors as select author, count(*) as posts from posts group by author")
database.execute("create view cast_authors as select author, cast(count(*) as integer) as posts from posts group by author")
database.commit()


def get(path):
    command = ["venv/bin/datasette", "posts.db", "--get", path]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


seen = {}
for view in ("authors", "cast_authors"):
    (facet,) = get(f"/posts/{view}.json?_facet=posts")["facet_results"]["posts"]["results"]
    link = urlsplit(facet["toggle_url"])
    behind = get(f"{link.path}?{link.query}")["filtered_table_rows_count"]
    others = [get(f"/posts/{view}.json?posts__{operator}")["filtered_table_rows_count"] for operator in ("not=6", "gt=5")]
    seen[view] = (facet["value"], facet["count"], behind, *others)
    print(f"{view}: facet {facet['value']} of {facet['count']} rows, behind its link {behind}, not=6 and gt=5: {others}")
print("datasette", version("datasette"))
raise SystemExit(0 if seen == {"authors": (6, 10, 0, 10, 10), "cast_authors": (6, 10, 10, 0, 10)} else "Changed.")
PY
echo "As stated: a facet leads to no row."
