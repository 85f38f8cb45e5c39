"""Which rows of the lake a command needs. Only these are pulled into its file, compared with it, and published.

A build needs some days as a whole, and some posts of other days. DAYS, POSTS and what follows them say which, in SQL.
All tables follow from these two: see Build.condition.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import duckdb

from groundswell.lake.tables import SCHEMAS, Table
from groundswell.watchlist import load_watchlist

# The models of selector `alone`: what they make of a day depends on the posts of that day only.
ALONE = (
    "plain_texts", "redactions", "texts", "duplicates", "embeddings", "post_signals", "post_lines", "wordings",
    "cluster_assignments", "summaries", "clusters", "topic_titles", "extractive_labels", "map_positions",
)  # fmt: skip
# What is read whole with a day alone: small tables that say which posts are gone, and what people have said.
SMALL_BRONZE = ("forgotten", "author_salts", "corrections")
# What no command reads beside builds: texts, and what is computed from them.
UNREAD = ("silver.embeddings", "silver.plain_texts", "silver.redactions", "silver.post_lines")
# What collecting reads and writes.
COLLECTED = (
    "raw_items", "ingest_windows", "ingest_requests", "rejected_items", "unfinished_files", "forgotten", "author_salts",
)  # fmt: skip

# Posts of a day in silver that bronze has no more, or has on another day.
LOST_POSTS = (
    "select url_hash, collection_date from {plain_texts} anti join {raw_items} using (url_hash, collection_date)"
)
# The days that a build needs with all their posts. {raw_items} is that table of the lake. A query about a table that
# the lake does not have yet is left out.
DAYS = (
    # The window of the day. Later days too: their problems are grouped again with it.
    "select collection_date from {raw_items} where collection_date > {since}",
    # Days whose posts have changed: what was made of a lost post goes, and its topic.
    "select collection_date from temp.lost_posts",
)
# The days that a build publishes, too: those that were built without the data tests, and those with issues that have to
# leave the board.
PUBLISHED_DAYS = (
    "select collection_date from {built_days} where not is_tested",
    "select cluster_date from {live_issues} where action = 'delete' and synced_at is null",
)
# The posts that a build needs, of any day.
POSTS = (
    "select url_hash from {raw_items} where collection_date in (select day from temp.pulled_days)",
    "select url_hash from {plain_texts} where collection_date in (select day from temp.pulled_days)",
    # Posts that were ever in a problem: its events are computed anew from all of its days.
    "select url_hash from {problem_assignments} where problem_id is not null",
    # The post that says with which embedding model the posts of a day were grouped.
    "select arg_min(url_hash, (model, url_hash)) from {problem_assignments} group by as_of_date",
    # Posts of the themes that may not be forgotten yet.
    "select url_hash from {theme_assignments} where theme_id is not null"
    " qualify max(collection_date) over (partition by theme_id) >= {day} - {memory}",
    # Posts with rows that the build replaces.
    "select url_hash from {problem_assignments} where as_of_date >= {day}",
    "select url_hash from {theme_assignments} where as_of_date >= {day}",
    "select url_hash from {program_posts} where as_of_date >= {day}",
    "select url_hash from {near_complaints} where as_of_date >= {day}",
    "select unnest([url_hash, other_url_hash]) from {unsure_pairs} where as_of_date >= {day}"
    " or url_hash in (select url_hash from temp.lost_posts)"
    " or other_url_hash in (select url_hash from temp.lost_posts)",
    # Posts that a person has given a problem.
    "select unnest(list_concat(coalesce(posts, []), coalesce(kept_posts, []))) from {corrections}",
    # Posts that mention a watched name, and one post of each day, since a day without mentions is a zero.
    "select url_hash from {name_matches}",
    "select min(url_hash) from {documents} where exists (from {name_matches}) group by collection_date",
)
AUTHORS = (
    "author_hash in (select author_hash from {raw_items} where url_hash in (select url_hash from temp.pulled_posts))"
)
# Beside these posts, the first post of each of their authors that was grouped: it gives the voice its name. Then the
# posts that they repeat.
FIRST_GROUPED = (
    "select arg_min(url_hash, (created_at, url_hash)) from {raw_items} where url_hash in"
    f" (select url_hash from {{problem_assignments}} where as_of_date < {{day}}) and {AUTHORS} group by author_hash",
)
ORIGINALS = ("select duplicate_of from {duplicates} where url_hash in (select url_hash from temp.pulled_posts)",)
# The first post of each author, which says how old the account is. Only its row in bronze.raw_items is needed.
FIRST_POSTS = (
    f"select arg_min(url_hash, (collection_date, url_hash)) from {{raw_items}} where {AUTHORS} group by author_hash",
)
# The texts whose vectors a build needs.
VECTORS = (
    "select unnest([content_hash, sha256(title)]) from {texts}"
    " where url_hash in (select url_hash from temp.pulled_posts)",
    "select sha256(description) from {categories}",
)
# Tables that a build needs whole, though they have days or posts: they are small, and computed or compared as a whole.
WHOLE = (
    "bronze.built_days", "bronze.forgotten", "gold.alerts", "gold.mention_days", "gold.problem_searches",
    "gold.week_figures",
)  # fmt: skip
# The columns with the key of a post.
POST_COLUMNS = ("url_hash", "other_url_hash")
OF_TEXTS = "content_hash in (select content_hash from temp.pulled_vectors)"
# The calls of today count for the budget, and those that a killed worker has left open are closed. A row without a time
# is pulled, too: a data test has to see it.
OPEN_CALLS = "status = 'asked' or (attempted_at < (now() at time zone 'UTC')::date) is not true"
# The requests that count for an allowance, and the pauses that still hold.
RECENT_REQUESTS = (
    "(requested_at < now() at time zone 'UTC' - to_seconds({seconds})) is not true"
    " or answered_at + to_microseconds((pause_seconds * 1000000)::bigint) > now() at time zone 'UTC'"
)
# Requests of so many seconds are in sight, unless the span of an allowance is longer.
ONE_DAY = 86_400.0
# Tables of which a build needs few rows. Nothing reads rejected entries.
FEW = {
    "bronze.llm_calls": OPEN_CALLS,
    "bronze.rejected_items": "false",
    "silver.embeddings": OF_TEXTS,
}
# By this, an arriving post is known (ingest.store).
POST_KEY = "coalesce(match_url, url)"
# The temporary tables of what is needed. The last one stays after the pull.
ELSEWHERE = "keys_elsewhere"
SELECTED = {
    "lost_posts": "url_hash text, collection_date date",
    "pulled_days": "day date",
    "pulled_posts": "url_hash text",
    "first_posts": "url_hash text",
    "pulled_vectors": "content_hash text",
    ELSEWHERE: "key_hash ubigint",
}
# The figures of the week compare it with the week before, however short the window is.
FEWEST_DAYS = 14


class Scope(Protocol):
    """Which rows a command needs."""

    @property
    def has_views(self) -> bool:
        """Whether the command reads and writes the views of the project, too."""

    def has(self, table: Table) -> bool:
        """Whether a table is needed."""

    def conditions(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> dict[str, str]:
        """The conditions for the rows that are needed, by the full name of a table.

        A table without one is needed whole. tables: those of the lake, which is attached to the connection.
        """


@dataclass(frozen=True)
class Everything:
    """All rows. reads: without texts and vectors, for a command that only reads what was published."""

    reads: bool = False
    has_views: bool = True

    def has(self, table: Table) -> bool:
        """See Scope."""
        return table.schema in SCHEMAS

    def conditions(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> dict[str, str]:  # noqa: ARG002
        """See Scope."""
        return dict.fromkeys(UNREAD, "false") if self.reads else {}


@dataclass(frozen=True)
class Alone:
    """The posts and topics of one day, for selector `alone`."""

    day: date
    has_views: bool = False

    def has(self, table: Table) -> bool:
        """See Scope."""
        if table.schema == "bronze":
            return table.name in ("raw_items", *SMALL_BRONZE)
        return table.schema == "silver" and table.name in ALONE

    def conditions(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> dict[str, str]:
        """See Scope."""
        selection = Selection(connection, tables, {"day": literal(self.day)})
        selection.add("pulled_posts", ["select url_hash from {texts} where collection_date = {day}"])
        selection.add("pulled_vectors", VECTORS)
        of_day = {table.full_name: f"{table.day} = {literal(self.day)}" for table in tables if table.day}
        return of_day | {"silver.embeddings": OF_TEXTS}


@dataclass(frozen=True)
class Build:
    """What a build of a day reads: days and posts as DAYS and POSTS say.

    window, memory: in days, the vars problem_window_days and problem_memory_days. publishes: the var publish. in_order:
    whether days are left out whose problems were not built yet. Later days whose problems were built are built again
    with the day.
    """

    day: date
    window: int
    memory: int
    publishes: bool = True
    in_order: bool = False
    has_views: bool = True

    def has(self, table: Table) -> bool:
        """See Scope."""
        return table.schema in SCHEMAS

    def conditions(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> dict[str, str]:
        """See Scope."""
        since = date.fromordinal(max(self.day.toordinal() - max(self.window, FEWEST_DAYS), 1))
        values = {"day": literal(self.day), "since": literal(since), "memory": self.memory}
        selection = Selection(connection, tables, values)
        last = selection.last_day_in_order(self.day) if self.in_order else date.max
        selection.values["last"] = literal(last)
        selection.add("lost_posts", [LOST_POSTS])
        days = (*DAYS, *PUBLISHED_DAYS) if self.publishes else DAYS
        selection.add("pulled_days", [f"select * from ({query}) as found(day) where day <= {{last}}" for query in days])
        if selection.watchlist_has_changed():
            # It applies to the posts of all days.
            selection.add("pulled_days", ["select collection_date from {raw_items} where collection_date <= {last}"])
        for queries in (POSTS, FIRST_GROUPED, ORIGINALS):
            selection.add("pulled_posts", queries)
        selection.add("first_posts", FIRST_POSTS)
        selection.add("pulled_vectors", VECTORS)
        return {table.full_name: self.condition(table, last) for table in tables}

    def condition(self, table: Table, last: date) -> str:
        """The condition for the rows of a table: those of the days or posts that are needed, no later than a day."""
        if table.full_name in FEW:
            return FEW[table.full_name]
        if table.full_name == "bronze.ingest_requests":
            return recent_requests(table, ONE_DAY)
        if table.full_name in WHOLE or "attempt_id" in table.columns:
            return "true"
        if table.day and ("cluster_date" in table.columns or "url_hash" not in table.columns):
            return f"{table.day} in (select day from temp.pulled_days)"
        posts = [column for column in POST_COLUMNS if column in table.columns]
        ours = [f"{column} in (select url_hash from temp.pulled_posts)" for column in posts]
        if table.full_name == "bronze.raw_items":
            ours = [f"({ours[0]} or url_hash in (select url_hash from temp.first_posts))"]
        if posts and table.day:
            ours.append(f"{table.day} <= {literal(last)}")
        return " and ".join(ours) or "true"


@dataclass(frozen=True)
class Collect:
    """What collecting some days reads: their posts and windows, and the requests of so many seconds.

    A post of another day comes when an arriving post turns out to be that one: Work.bring_posts. Table
    temp.keys_elsewhere has the hashes of their keys for that.
    """

    days: Sequence[date]
    seconds: float = ONE_DAY
    has_views: bool = False

    def has(self, table: Table) -> bool:
        """See Scope."""
        return table.schema == "bronze" and table.name in COLLECTED

    def conditions(self, connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> dict[str, str]:
        """See Scope."""
        of_days = f"collection_date in ({', '.join(map(literal, self.days))})" if self.days else "false"
        selection = Selection(connection, tables, {"of_days": of_days})
        selection.add(ELSEWHERE, [f"select hash({POST_KEY}) from {{raw_items}} where not ({{of_days}})"])
        seconds = max(self.seconds, ONE_DAY)
        requests = {each.full_name: recent_requests(each, seconds) for each in tables if each.name == "ingest_requests"}
        return {"bronze.raw_items": of_days, "bronze.ingest_windows": of_days} | requests


@dataclass(frozen=True)
class Selection:
    """Temporary tables of what is needed. values: what stands for the names in braces, beside the lake's tables."""

    connection: duckdb.DuckDBPyConnection
    tables: Sequence[Table]
    values: dict[str, object]

    def __post_init__(self) -> None:
        """Make the tables, empty."""
        for name, columns in SELECTED.items():
            self.connection.execute(f"create or replace temp table {name} ({columns})")

    def add(self, name: str, queries: Iterable[str]) -> None:
        """Add the rows of queries to a table. A query about a table that the lake lacks has none."""
        names = {table.name: table.there for table in self.tables} | self.values
        for query in queries:
            with suppress(KeyError):
                filled = query.format_map(names)
                self.connection.execute(f"insert into temp.{name} select distinct * from ({filled})")

    def last_day_in_order(self, day: date) -> date:
        """The last day whose problems were built, or the day."""
        grouped = next((table for table in self.tables if table.full_name == "silver.problem_assignments"), None)
        if not grouped:
            return day
        [(last,)] = self.connection.execute(f"select max(as_of_date) from {grouped.there}").fetchall()
        return max(day, last or day)

    def watchlist_has_changed(self) -> bool:
        """Whether the names of the watchlist were not looked for in all posts yet."""
        watchlist = load_watchlist()
        matches = next((table for table in self.tables if table.full_name == "silver.name_matches"), None)
        if not watchlist.parts:
            return False
        if not matches:
            return True
        known = self.connection.execute(f"select distinct watchlist_hash from {matches.there}").fetchall()
        return known != [(watchlist.fingerprint,)]


def recent_requests(table: Table, seconds: float) -> str:
    """The condition for the requests of so many seconds; for all of them if no earlier version noted pauses."""
    return RECENT_REQUESTS.format(seconds=seconds) if "pause_seconds" in table.columns else "true"


def literal(day: date) -> str:
    """A day in SQL."""
    return f"date '{day}'"
