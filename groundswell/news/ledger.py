"""The ledger of messages, and what people do not want to hear of.

A message is a row of bronze.alert_messages before it leaves: `sending`. It becomes `sent` or `failed` with the answer
of the service. A row that is still `sending` belongs to a run that was killed: the message may have arrived. It is sent
again with the same id, since a message that arrives twice is better than one that never does.

A mute is a row of bronze.alert_mutes: a problem, a source or a name, and until when. The latest row counts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import duckdb

from groundswell.clock import now
from groundswell.database import existing, table, transaction, write_errors

MESSAGES = table("bronze", "alert_messages")
MUTES = table("bronze", "alert_mutes")
ALERTS = table("gold", "alerts")
PROBLEMS = table("gold", "problems")
POSTS = table("gold", "problem_posts")

DOCUMENTS = table("silver", "documents")
SOURCES = table("silver", "sources")
NEEDED = (
    ALERTS,
    PROBLEMS,
    POSTS,
    DOCUMENTS,
    *(
        table("gold", name)
        for name in ("problem_mentions", "problem_faults", "problem_events", "watched_names", "week_figures")
    ),
)

# Macro upgrade_database creates the same tables in a build.
DDL = f"""
create table if not exists {MESSAGES} (
    message_id text not null,
    address text not null,
    kind text not null,
    subject text not null,
    alert_ids text[] not null,
    status text not null,
    attempts bigint not null,
    error text,
    created_at timestamp not null,
    sent_at timestamp
);
create table if not exists {MUTES} (
    subject text not null,
    muted_until timestamp,
    muted_at timestamp not null
);
"""

# What is muted at a moment. The latest row of a subject counts.
MUTED = f"""
    select * from {MUTES}
    qualify row_number() over (partition by subject order by muted_at desc) = 1
        and (muted_until is null or muted_until > $now)
"""

# What has not been sent to an address and is not muted, one row for each problem or source. The best first.
DUE = f"""
with
muted as (
    select subject from ({MUTED})
),
sent as (
    select unnest(alert_ids) as alert_id from {MESSAGES} where address = $address and status = 'sent'
),
due as (
    select coalesce(alerts.problem_id, alerts.source) as subject, alerts.*
    from {ALERTS} as alerts
    where alert_id not in (from sent)
        and coalesce(problem_id, source) not in (from muted)
        and (name is null or name not in (from muted))
)
select
    due.subject,
    any_value(due.problem_id) as problem_id,
    list({{'alert_id': due.alert_id, 'kind': due.kind, 'detail': due.detail, 'name': due.name}}
        order by list_position($kinds, due.kind), due.alert_id) as alerts,
    any_value(coalesce(problems.title, sources.label)) as title,
    any_value(problems.tier) as tier,
    any_value(problems.voices) as voices,
    any_value(problems.source_count) as source_count,
    any_value(problems.trend) as trend,
    any_value(problems.demand_score) as demand_score,
from due
left join {PROBLEMS} as problems on due.problem_id = problems.problem_id
left join {SOURCES} as sources on due.source = sources.name
group by due.subject
order by any_value(problems.demand_score) desc nulls last, due.subject
"""

# The quotes of a problem's label with the addresses of their posts, and then the most central posts. A quote that is
# the title says nothing new.
QUOTES = f"""
with claims as (
    select title, unnest(quotes) as claim, generate_subscripts(quotes, 1) as place
    from {PROBLEMS} where problem_id = $problem
),
quoted as (
    select claims.claim['quote'] as text, posts.url, posts.source, claims.place, posts.url_hash
    from claims
    inner join {POSTS} as posts on claims.claim['url_hash'] = posts.url_hash and posts.problem_id = $problem
    where claims.claim['quote'] <> claims.title
),
first_posts as (
    select coalesce(nullif(excerpt, ''), title) as text, url, source,
        1_000 + row_number() over (order by similarity desc, url_hash) as place, url_hash
    from {POSTS}
    where problem_id = $problem and addresses_model is not true and url_hash not in (select url_hash from quoted)
    order by similarity desc, url_hash limit $most
)
select shown.text, shown.url, shown.source, sources.label
from (from quoted union all by name from first_posts) as shown
inner join {SOURCES} as sources on shown.source = sources.name
where shown.text is not null order by shown.place limit $most
"""

# The order of the reasons on a card.
KINDS = ["new", "doubled", "back", "named", "silent"]


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of this module if they do not exist."""
    with write_errors():
        connection.execute("create schema if not exists bronze")
        connection.execute(DDL)


def has_news(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a build has made the tables that news are made of, and has posts."""
    if not all(existing(connection, name) for name in NEEDED):
        return False
    [(posts,)] = connection.execute(f"select count(*) from {DOCUMENTS}").fetchall()
    return bool(posts)


def rows(connection: duckdb.DuckDBPyConnection, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    result = connection.execute(query, parameters or None)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def due(connection: duckdb.DuckDBPyConnection, address: str) -> list[dict[str, Any]]:
    """What an address has to be told, one row for each problem or source."""
    return rows(connection, DUE, address=address, now=now(), kinds=KINDS)


def quotes(connection: duckdb.DuckDBPyConnection, problem: str, most: int = 1) -> list[dict[str, Any]]:
    """Quotes of a problem: text, url, source, and the label of the source."""
    return rows(connection, QUOTES, problem=problem, most=most)


def message_id(address: str, kind: str, alert_ids: Sequence[str]) -> str:
    """The id of a message: the same content for the same address always has the same one."""
    return "gs_" + sha256("/".join([address, kind, *sorted(alert_ids)]).encode()).hexdigest()[:24]


def is_sent(connection: duckdb.DuckDBPyConnection, message: str) -> bool:
    """Whether a message was sent."""
    found = connection.execute(f"select 1 from {MESSAGES} where message_id = $id and status = 'sent'", {"id": message})
    return found.fetchone() is not None


def begin(
    connection: duckdb.DuckDBPyConnection, message: str, address: str, kind: str, subject: str, ids: Sequence[str]
) -> bool:
    """Note that a message is about to leave. Returns whether an earlier run was killed while it sent the same one."""
    known = rows(connection, f"select status from {MESSAGES} where message_id = $id", id=message)
    with transaction(connection):
        if known:
            connection.execute(
                f"update {MESSAGES} set status = 'sending', attempts = attempts + 1 where message_id = $id",
                {"id": message},
            )
        else:
            connection.execute(
                f"insert into {MESSAGES} by name select $id as message_id, $address as address, $kind as kind,"
                " $subject as subject, $ids::text[] as alert_ids, 'sending' as status, 1 as attempts,"
                " $now::timestamp as created_at",
                {"id": message, "address": address, "kind": kind, "subject": subject, "ids": list(ids), "now": now()},
            )
    return bool(known) and known[0]["status"] == "sending"


def end(connection: duckdb.DuckDBPyConnection, message: str, error: str | None = None) -> None:
    """Note how the sending of a message ended."""
    with transaction(connection):
        connection.execute(
            f"update {MESSAGES} set status = $status, error = $error, sent_at = $sent where message_id = $id",
            {
                "id": message,
                "status": "failed" if error else "sent",
                "error": error,
                "sent": None if error else now(),
            },
        )


def mute(connection: duckdb.DuckDBPyConnection, subject: str, days: float | None) -> datetime | None:
    """Tell nothing of a problem, source or name for some days, or for good (None). Returns until when."""
    until = None if days is None else now() + timedelta(days=days)
    with transaction(connection):
        connection.execute(
            f"insert into {MUTES} values ($subject, $until, $now)", {"subject": subject, "until": until, "now": now()}
        )
    return until


def mutes(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The subjects that are muted now: subject, muted_until (null: for good), title of a problem."""
    return rows(
        connection,
        f"""
        select muted.subject, muted.muted_until, problems.title
        from ({MUTED}) as muted left join {PROBLEMS} as problems on muted.subject = problems.problem_id
        order by muted.muted_at
        """,
        now=now(),
    )


def subjects(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What can be muted: the problems, the sources and the watched names."""
    names = table("silver", "watchlist")
    found = connection.execute(
        f"select problem_id from {PROBLEMS} union all select name from {SOURCES} union all select name from {names}"
    )
    return [subject for (subject,) in found.fetchall()]


def latest(connection: duckdb.DuckDBPyConnection, most: int = 20) -> list[dict[str, Any]]:
    """The latest messages: status, subject, address, error, created_at, sent_at."""
    return rows(
        connection,
        f"select status, subject, address, error, created_at, sent_at from {MESSAGES}"
        " order by coalesce(sent_at, created_at) desc, message_id limit $most",
        most=most,
    )
