#!/usr/bin/env bash
# DuckLake of DuckDB 1.5.5 (duckdb-extension-ducklake 1.5.5), a catalog in a file of DuckDB, data inlining off.
#
# Guess: a filter finds the rows that the table shows without it.
# Seen: if a file has a row group (122,880 rows) with only nulls in a column, or if the first of several files that one
# transaction writes has only nulls in it, the other values do not count for the table's statistics of this column. The next
# insert or update makes its own values the only ones. From then on `author = 'a'`, and IN, find nothing of before: DuckDB takes
# the statistics for a proof that there is no such row. delete and update find nothing either, and nothing is an error. One
# insert into a partitioned table is enough, since each partition is a file. Texts, numbers, dates and fields of structs behave
# alike. Nulls in a later file, or two transactions, do no harm.
# With `set disabled_optimizers = 'statistics_propagation'` the rows are found.
# What we do: that is set while a command reads or writes the lake (groundswell/lake/pull.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-ducklake==1.5.5
cat > finding.py <<'PY'
from importlib.resources import files

import duckdb

connection = duckdb.connect()
extension = files("duckdb_extension_ducklake") / f"extensions/v{duckdb.__version__}/ducklake.duckdb_extension"
connection.execute(f"load '{extension}'")


def found(name, *queries):
    """Days of the posts of author a: with the filter; with it and without statistics; in a copy of the table."""
    connection.execute("set disabled_optimizers = ''")
    connection.execute(f"attach 'ducklake:{name}.ducklake' as lake (data_path '{name}', data_inlining_row_limit 0)")
    connection.execute("create table lake.posts (day integer, author varchar)")
    for query in queries:
        connection.execute(query)
    connection.execute("create or replace temporary table copy as select * from lake.posts")
    filtered = "select day from {} where author = 'a'"
    seen = [connection.execute(filtered.format("lake.posts")).fetchall()]
    connection.execute("set disabled_optimizers = 'statistics_propagation'")
    seen += [connection.execute(filtered.format(table)).fetchall() for table in ("lake.posts", "temp.copy")]
    connection.execute("detach lake")
    return seen


partitioned = "alter table lake.posts set partitioned by (day)"
later = "insert into lake.posts values (3, 'b')"
null, value = "insert into lake.posts values (1, null)", "insert into lake.posts values (2, 'a')"
seen = {
    "partitioned, null first": found("a", partitioned, "insert into lake.posts values (1, null), (2, 'a')", later),
    "one transaction, null first": found("b", "begin", null, value, "commit", later),
    "one transaction, null last": found("c", "begin", value, null, "commit", later),
    "two transactions": found("d", null, value, later),
    "one file, a row group of nulls": found(
        "e", "insert into lake.posts select 2, if(range = 130000, 'a', null) from range(130001)", later
    ),
}
print("duckdb", duckdb.__version__, "| author = 'a'; without statistics; in a copy")
for name, days in seen.items():
    print(f"{name}:", *days)
lost, right = [[], [(2,)], [(2,)]], [[(2,)]] * 3
is_as_stated = list(seen.values()) == [lost, lost, right, right, lost]
print("As stated: rows are not found." if is_as_stated else "Changed.")
raise SystemExit(not is_as_stated)
PY
venv/bin/pip list 2>/dev/null | grep -E '^duckdb'
venv/bin/python finding.py
