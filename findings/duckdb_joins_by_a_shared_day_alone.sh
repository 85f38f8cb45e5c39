#!/usr/bin/env bash
# DuckDB 1.5.5: three tables that are joined by (day, post) and by (day, frame).
#
# Guess: of these joins none is made by day alone, because every condition has a second column that tells rows apart.
# Seen: where a join by a range of days stands below, its rows are estimated as the product of both sides. The two
# smaller tables are then joined first, by the day that they share: 400 posts times 2,000 frames are 800,000 rows, for
# 8,000 lines. Without the range there are 8,000. A build of 60,000 posts filled the 50 GB of disk that were free.
# What we do: models/silver/posts/program_posts.sql joins two tables at a time, in materialized expressions.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==1.5.5
"$folder/venv/bin/python" - <<'PY'
import json

import duckdb

connection = duckdb.connect(config={"threads": 1})
connection.execute(
    "create table lines as select date '2026-01-01' as day, n % 400 as post, 'line ' || n // 4 as frame"
    " from range(8000) as numbers (n)"
)
QUERY = """
    with seen as (select lines.day, lines.post, lines.frame from lines {window}),
    shared as (select day, frame from seen group by all having count(distinct post) > 1),
    bodies as (
        select seen.day, seen.post, bool_and(shared.frame is not null) as is_bare
        from seen left join shared using (day, frame) group by all
    )
    select seen.day, seen.frame, count(distinct seen.post) filter (where is_bare)
    from seen inner join shared using (day, frame) inner join bodies using (day, post)
    group by all
"""
RANGE = "inner join (select distinct day from lines) as days on lines.day <= days.day and lines.day > days.day - 14"


def joins(node):
    """The conditions and the rows of each hash join of a plan."""
    if node.get("operator_name") == "HASH_JOIN":
        yield str(node["extra_info"]["Conditions"]), node["operator_cardinality"]
    for child in node.get("children", ()):
        yield from joins(child)


most = {}
for name, window in (("without a range of days", ""), ("with a range of days", RANGE)):
    plan = connection.execute("explain (analyze, format json) " + QUERY.format(window=window)).fetchall()[0][1]
    found = list(joins(json.loads(plan)))
    print("duckdb", duckdb.__version__, "|", name, "|", found)
    most[name] = max(rows for _, rows in found)
as_stated = most == {"without a range of days": 8_000, "with a range of days": 800_000}
raise SystemExit(0 if as_stated else "Changed: no join is made by day alone.")
PY
echo "As stated: the range of days makes a join by day alone."
