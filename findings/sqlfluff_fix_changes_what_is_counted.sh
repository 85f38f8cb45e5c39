#!/usr/bin/env bash
# SQLFluff 4.4.0 with its default rules and the dialect duckdb; duckdb 1.5.5.
#
# Guess: `sqlfluff fix` writes a query that gives the same rows, and runs wherever the one before ran.
# Seen: `select distinct (a, b) as pair` makes one value of two columns, a row. The fix takes the brackets away: there are two
# columns now, the second one has the name `pair`, and count(pair) is smaller because it leaves out nulls. count(distinct (a,
# b)) becomes count(distinct a, b), which DuckDB refuses. `collate nocase` becomes `collate posts.nocase`, because another
# column is written with its table. `select p from posts as p` gives each row as a struct; the fix takes the alias for unused
# and drops it. For rows in PostgreSQL see https://github.com/sqlfluff/sqlfluff/pull/8205, closed without a merge. The rules
# are structure.distinct, references.consistent and aliasing.unused.
# What we do: our settings leave out structure.distinct, whose fix changes rows without an error
# (tests/unit/test_format_of_sql.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sqlfluff==4.4.0 duckdb==1.5.5
mkdir queries
cat > queries/distinct.sql <<'SQL'
with pairs as (
    select distinct (source, author) as pair
    from posts
)

select count(pair) as n
from pairs
SQL
cat > queries/count.sql <<'SQL'
select count(distinct (source, author)) as n
from posts
SQL
cat > queries/collate.sql <<'SQL'
select
    posts.source,
    posts.author collate nocase as author
from posts
SQL
cat > queries/whole_row.sql <<'SQL'
select p
from posts as p
SQL
cat > finding.py <<'PY'
import subprocess
from importlib.metadata import version
from pathlib import Path

import duckdb

connection = duckdb.connect()
connection.execute("create table posts (source varchar, author varchar)")
connection.execute("insert into posts values ('hn', 'ann'), ('hn', null), ('so', null)")


def result(path):
    """The first value that the query gives, or the kind of its error."""
    try:
        return connection.execute(path.read_text()).fetchone()[0]
    except duckdb.Error as error:
        return type(error).__name__


print("sqlfluff", version("sqlfluff"), "| duckdb", duckdb.__version__)
paths = sorted(Path("queries").iterdir())
before = [result(path) for path in paths]
fix = ["venv/bin/sqlfluff", "fix", "--quiet", "--dialect", "duckdb", "queries"]
# It ends with 1, since a column without an alias is left in a query.
subprocess.run(fix, check=False, capture_output=True)
after = [result(path) for path in paths]
for path, *values in zip(paths, before, after, strict=True):
    print(f"{path.stem}: {values[0]} before, {values[1]} after: {' '.join(path.read_text().split())}")
right = ["hn", 3, 3, {"source": "hn", "author": "ann"}]
is_as_stated = before == right and after == ["CatalogException", "BinderException", 1, "BinderException"]
print("As stated: the fixed query counts 1 instead of 3, the others no longer run." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/python finding.py
