"""A small database with news, made without dbt, and a mail server on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import duckdb
from aiosmtpd.controller import Controller

# Problem p is new and doubled; q names Slack, and its title is hostile; GitHub is silent.
TABLES = """
create schema gold;
create schema silver;
create table gold.problems as
select * from (values
    ('p', 'Exports time out', 'certain', 6, 2, 'growing', 30::double, 'active', false, false, 'devtools',
        'Exports end after a minute.', date '2026-11-18', date '2026-11-20',
        [{'url_hash': 'a', 'quote': 'my export never ends', 'supports_payment': false}]),
    ('q', '@everyone <!channel> [win](https://evil.example) `x`', 'likely', 3, 1, 'new', 20::double, 'active',
        false, false, 'other',
        'See the title.', date '2026-11-19', date '2026-11-20', [])
) as problems (problem_id, title, tier, voices, source_count, trend, demand_score, status,
    is_from_program, is_burst, category, description,
    first_seen, last_seen, quotes);
create table gold.problem_posts as
select * from (values
    ('p', 'a', 'https://example.com/a', 'github', 'Export', 'my export never ends', 0.9, false, 'a', date '2026-11-18'),
    ('q', 'b', 'https://example.com/b', 'reddit', '', '<b>@here</b> slack is down', 0.9, false, 'b', date '2026-11-19')
) as posts (problem_id, url_hash, url, source, title, excerpt, similarity, addresses_model, voice, collection_date);
create table gold.alerts as
select * from (values
    ('n1', 'p', null, null, 'new', '6 people since 2026-11-18', date '2026-11-18'),
    ('d1', 'p', null, null, 'doubled', 'from 3 to 6 people in a week', date '2026-11-20'),
    ('s1', 'q', null, 'Slack', 'named', '2 people name Slack', date '2026-11-19'),
    ('g1', null, 'github', null, 'silent', 'no posts since 2026-11-17', date '2026-11-20')
) as alerts (alert_id, problem_id, source, name, kind, detail, event_date);
create table gold.problem_mentions as
select 'q' as problem_id, 'Slack' as name, 1 as position;
create table gold.problem_faults as select 'x' as problem_id;
create table gold.problem_events as
select * from (values
    ('p', 'opened', date '2026-11-18'), ('q', 'opened', date '2026-10-01'), ('q', 'reopened', date '2026-11-19')
) as events (problem_id, event, event_date);
create table gold.watched_names as
select 'Slack' as name, 'own' as side, 'new' as trend, 1 as position, 3 as posts, 2 as voices, 1 as problems,
    0.5 as share_of_voice;
create table gold.week_figures as
select 'posts' as figure, 1 as position, 120 as this_week, 100 as last_week, 7 as days_this_week, 6 as days_last_week;
create table silver.documents as select date '2026-11-20' as collection_date;
create table silver.sources as from (values ('github', 'GitHub'), ('reddit', 'Reddit')) as sources (name, label);
create table silver.categories as from (values ('devtools'), ('devtools'), ('ai')) as categories (category);
create table silver.watchlist as select 'Slack' as name;
"""


def make_news(path: Path) -> Path:
    """Make the database; returns its path."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(TABLES)
    return path


def messages(path: Path) -> list[tuple[Any, ...]]:
    """The ledger: address, subject, alert_ids, status, attempts."""
    with duckdb.connect(str(path)) as connection:
        return connection.execute(
            "select address, subject, alert_ids, status, attempts from bronze.alert_messages order by subject, address"
        ).fetchall()


class Mailbox:
    """Keeps the mails that arrive. Answers with `refusal`, if there is one."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusal = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd calls it)
        """Take a mail."""
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    """A mail server on loopback for the length of a with block."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
