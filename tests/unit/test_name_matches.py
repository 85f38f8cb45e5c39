"""silver.name_matches: a build searches its own day, and all days after a change of the watchlist."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.models import load

name_matches: Any = load("name_matches")


class Run:
    """What dbt gives the model."""

    this = '"memory"."main"."name_matches"'

    def __init__(self, session: duckdb.DuckDBPyConnection, day: str) -> None:
        self.session = session
        self.day = day

    @property
    def config(self) -> "Run":
        """The settings of the model."""
        return self

    def __call__(self, **_: Any) -> None:
        """Take the settings that the model makes."""

    def meta_get(self, name: str) -> str:
        """The day of the run."""
        assert name == "run_date"
        return self.day

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        """A table of the database."""
        return self.session.table(name)


@pytest.fixture
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with three posts of two days."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table redactions as select * from (values"
            " ('a', 'Slack is down', '', date '2026-11-19'), ('b', 'slackers', 'teams', date '2026-11-19'),"
            " ('c', '', 'Slack and Slack', date '2026-11-20')) as posts (url_hash, title, body, collection_date)"
        )
        yield connection


def built(session: duckdb.DuckDBPyConnection, day: str) -> list[tuple[str, str, int]]:
    """Build the table for a day; returns url_hash, name and occurrences."""
    found = name_matches.model(Run(session, day), session)  # noqa: F841  (the query reads it)
    session.execute("create or replace table name_matches as select * from found")
    return session.execute("select url_hash, name, occurrences from name_matches order by all").fetchall()


def test_a_change_of_the_watchlist_counts_for_all_days(
    session: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "names.yml"
    monkeypatch.setenv("GROUNDSWELL_WATCHLIST", str(file))
    file.write_text("own: [Slack]")
    everything = [("a", "Slack", 1), ("c", "Slack", 2)]
    assert built(session, "2026-11-20") == everything

    # Another day is not read again, but a post that has left it goes.
    session.execute("update redactions set title = 'Slack, Slack' where url_hash = 'a'")
    assert built(session, "2026-11-20") == everything
    assert built(session, "2026-11-19") == [("a", "Slack", 2), ("c", "Slack", 2)]
    session.execute("delete from redactions where url_hash = 'a'")
    assert built(session, "2026-11-20") == [("c", "Slack", 2)]

    file.write_text("own: [Slack]\ncompetitors: [Teams]")
    assert built(session, "2026-11-20") == [("b", "Teams", 1), ("c", "Slack", 2)]
    file.write_text("")
    assert built(session, "2026-11-20") == []
