"""The problems that news are about: what the digest and the feeds show of each."""

from datetime import date
from typing import Any

import duckdb

from groundswell.clock import now
from groundswell.database import table
from groundswell.news.alerts import board_link
from groundswell.news.ledger import DOCUMENTS, MUTED, POSTS, PROBLEMS, SOURCES, quotes, rows
from groundswell.news.words import in_one_line

MENTIONS = table("gold", "problem_mentions")
FAULTS = table("gold", "problem_faults")
EVENTS = table("gold", "problem_events")
NAMES = table("gold", "watched_names")
FIGURES = table("gold", "week_figures")

# Problems of people that are fit to be published and not muted, the highest demand first.
SHOWN = f"""
with
muted as (
    select subject from ({MUTED})
),
sources as (
    select
        posts.problem_id,
        list(distinct posts.source order by posts.source) as sources,
        list(distinct sources.label order by sources.label) as source_labels,
    from {POSTS} as posts
    inner join {SOURCES} as sources on posts.source = sources.name
    group by all
),
names as (
    select problem_id, list(name order by position) as names from {MENTIONS} group by all
),
openings as (
    select
        problem_id,
        min(event_date) filter (where event = 'opened') as opened_date,
        bool_or(event = 'split from') as is_split,
        max(event_date) filter (where event = 'reopened') as reopened_date,
    from {EVENTS}
    group by all
)
select
    problems.problem_id,
    problems.title,
    problems.description,
    problems.category,
    problems.tier,
    problems.trend,
    problems.voices,
    problems.demand_score,
    problems.first_seen,
    problems.last_seen,
    coalesce(sources.sources, []) as sources,
    coalesce(sources.source_labels, []) as source_labels,
    coalesce(names.names, []) as names,
    openings.opened_date,
    openings.is_split,
    openings.reopened_date,
from {PROBLEMS} as problems
left join sources on problems.problem_id = sources.problem_id
left join names on problems.problem_id = names.problem_id
left join openings on problems.problem_id = openings.problem_id
anti join {FAULTS} as faults on problems.problem_id = faults.problem_id
where problems.status = 'active' and not problems.is_from_program and not problems.is_burst
    and problems.problem_id not in (from muted)
order by problems.demand_score desc, problems.problem_id
"""


def shown_problems(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The problems that news may show, with the address of each on the board. Their words are in one line each."""
    return [
        row
        | {
            "title": in_one_line(row["title"]),
            "description": in_one_line(row["description"]),
            "link": board_link(row["problem_id"]),
        }
        for row in rows(connection, SHOWN, now=now())
    ]


def with_quotes(connection: duckdb.DuckDBPyConnection, problem: dict[str, Any], most: int = 2) -> dict[str, Any]:
    """A problem with its quotes, or its first post."""
    found = quotes(connection, problem["problem_id"], most)
    return problem | {"quotes": [quote | {"text": in_one_line(quote["text"])} for quote in found]}


def latest_day(connection: duckdb.DuckDBPyConnection) -> date:
    """The day that the tables are as of."""
    [(day,)] = connection.execute(f"select max(collection_date) from {DOCUMENTS}").fetchall()
    latest: date = day
    return latest
