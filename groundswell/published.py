"""The published tables, as programs outside get them: without what is held back, and without who wrote a post.

`Published` keeps a copy of what answers need in memory. One process at a time may write the DuckDB file, and none while
another one reads it, so a server that kept the file open would stop the builds.
"""

import threading
from pathlib import Path
from typing import Any

import duckdb

from groundswell.database import DatabaseError, bring_from_lake, connect, existing, existing_path, table
from groundswell.errors import GroundswellError

PROBLEM_FAULTS, ISSUE_FAULTS = table("gold", "problem_faults"), table("gold", "issue_faults")

# The query of each published table. A voice is the hash of an author.
TABLES = {
    "problems": f"select * from {table('gold', 'problems')} anti join {PROBLEM_FAULTS} using (problem_id)",
    "problem_posts": (
        f"select * exclude (voice) from {table('gold', 'problem_posts')} anti join {PROBLEM_FAULTS} using (problem_id)"
    ),
    "problem_events": f"select * from {table('gold', 'problem_events')} anti join {PROBLEM_FAULTS} using (problem_id)",
    "issues": f"select * from {table('gold', 'issues')} anti join {ISSUE_FAULTS} using (issue_id)",
    "issue_evidence": f"select * from {table('gold', 'issue_evidence')} anti join {ISSUE_FAULTS} using (issue_id)",
    "themes": f"select * from {table('gold', 'themes')}",
    "theme_posts": f"select * exclude (voice) from {table('gold', 'theme_posts')}",
    "problem_weeks": f"select * from {table('gold', 'problem_weeks')} anti join {PROBLEM_FAULTS} using (problem_id)",
    "week_figures": f"select * from {table('gold', 'week_figures')}",
    "mentions": f"select * exclude (voice) from {table('gold', 'mentions')}",
    "problem_mentions": (
        f"select * from {table('gold', 'problem_mentions')} anti join {PROBLEM_FAULTS} using (problem_id)"
    ),
    "mention_days": f"select * from {table('gold', 'mention_days')}",
    "daily_report": f"select * exclude (posts_hash) from {table('gold', 'daily_report')}",
}
# What answers are made of. They count voices, and show none.
COPIED = {
    **{name: TABLES[name] for name in ("problems", "problem_events", "daily_report")},
    "problem_posts": f"select * from {table('gold', 'problem_posts')} anti join {PROBLEM_FAULTS} using (problem_id)",
    "problem_records": f"select record_id as problem_id, push_rank, record from {table('gold', 'problem_records')}",
}


def require_published(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise DatabaseError if no build has made the published tables."""
    if not all(existing(connection, table("gold", name)) for name in (*TABLES, "problem_faults", "issue_faults")):
        raise DatabaseError("nothing is published yet: build a day first, python -m groundswell day")


class Published:
    """A copy of the published tables in memory, as new as the file is whenever the file can be read."""

    def __init__(self) -> None:
        self.connection: duckdb.DuckDBPyConnection | None = None
        self.stamp: tuple[int, int] | None = None
        self.lock = threading.Lock()

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a query on schema temp, each as a dict. Raises DatabaseError if there is no copy yet."""
        with self.lock:
            self.refresh()
            if not self.connection:
                raise DatabaseError("nothing is published yet")
            answer = self.connection.execute(sql, parameters)
            names = [column[0] for column in answer.description or []]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def refresh(self) -> None:
        """Copy the tables again if the file has changed. While a build holds the file, the last copy stays."""
        try:
            if not self.connection:
                bring_from_lake()
            path = Path(existing_path())
            state = path.stat()
            if (stamp := (state.st_mtime_ns, state.st_size)) == self.stamp:
                return
            copy = duckdb.connect()
            with connect(str(path), read_only=True) as file:
                require_published(file)
                for name, sql in COPIED.items():
                    copy.register("rows", file.execute(sql).to_arrow_table())
                    copy.execute(f"create temp table {name} as select * from temp.rows")
                    copy.unregister("rows")
        except GroundswellError:
            if not self.connection:
                raise
            return
        self.connection, self.stamp = copy, stamp
