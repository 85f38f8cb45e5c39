"""Which rows of the lake a build pulls, and what becomes of the rows that it did not pull."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from groundswell.lake.address import Lake, attach, lake
from groundswell.lake.publish import publish
from groundswell.lake.pull import pull
from groundswell.lake.scope import Build, Collect, Everything
from groundswell.watchlist import VARIABLE

DAY = date(2026, 11, 20)
BUILD = Build(DAY, window=14, memory=90)
# a and b: of old days; a is in a problem. c: of the window. lost: silver has it on a day that bronze does not. first:
# the first post of the author of c. later: texts of a day whose problems were not built.
POSTS = """
    create schema lake.bronze;
    create schema lake.silver;
    create schema lake.gold;
    create table lake.bronze.raw_items as
    select *, url as match_url from (values
        ('a', date '2026-10-01', 'ann', timestamp '2026-10-01 10:00:00', 'https://a'),
        ('b', date '2026-10-01', 'bob', timestamp '2026-10-01 10:00:00', 'https://b'),
        ('first', date '2026-10-02', 'cid', timestamp '2026-10-02 10:00:00', 'https://first'),
        ('c', date '2026-11-19', 'cid', timestamp '2026-11-19 10:00:00', 'https://c'),
        ('later', date '2026-11-21', 'dan', timestamp '2026-11-21 10:00:00', 'https://later')
    ) as posts(url_hash, collection_date, author_hash, created_at, url);
    create table lake.silver.plain_texts as select url_hash, collection_date from lake.bronze.raw_items
    union all select 'lost', date '2026-10-05';
    create table lake.silver.texts as
    select url_hash, collection_date, 'title of ' || url_hash as title, 'text of ' || url_hash as content_hash
    from lake.bronze.raw_items;
    create table lake.silver.embeddings as
    select content_hash, collection_date as embedding_date, repeat([1.0::float], 384) as embedding
    from lake.silver.texts;
    create table lake.silver.problem_assignments as
    select 'a' as url_hash, 'p' as problem_id, 'm' as model, date '2026-10-01' as as_of_date,
        date '2026-10-01' as collection_date
    union all select 'c', null, 'm', date '2026-11-19', date '2026-11-19';
    create table lake.silver.clusters as
    select distinct collection_date as cluster_date, 1 as cluster_id from lake.silver.plain_texts;
    create table lake.main.views as select 'gold' as schema_name, 'older' as view_name, 1 as position,
        'create view gold.older as select no_column_of_today from bronze.raw_items' as sql
    union all select 'gold', 'told', 2, 'create view gold.told as select url_hash from bronze.raw_items';
    create table lake.gold.mention_days as select distinct collection_date, 0 as posts from lake.silver.texts;
"""


@pytest.fixture
def filled(lake_settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with a few posts, and a watchlist without names."""
    (tmp_path / "watchlist.yml").write_text("own: []\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "watchlist.yml"))
    found = lake(lake_settings)
    assert found
    with duckdb.connect() as connection:
        attach(connection, found)
        connection.execute(POSTS)
    return found


@contextmanager
def file(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file of a worker."""
    with duckdb.connect(str(folder / "groundswell.duckdb")) as connection:
        yield connection


def rows(found: Lake, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query about the lake."""
    with duckdb.connect() as connection:
        attach(connection, found, read_only=True)
        return connection.execute(query).fetchall()


def values(connection: duckdb.DuckDBPyConnection, query: str) -> set[Any]:
    """The first column of a query."""
    return {value for value, *_ in connection.execute(query).fetchall()}


def test_a_build_pulls_its_days_and_the_posts_that_they_need(filled: Lake, tmp_path: Path) -> None:
    with file(tmp_path) as connection:
        pull(connection, filled, Build(DAY, window=14, memory=90, in_order=True))
        assert values(connection, "select url_hash from bronze.raw_items") == {"a", "c", "first"}
        assert values(connection, "select url_hash from silver.plain_texts") == {"a", "c", "lost"}
        assert values(connection, "select content_hash from silver.embeddings") == {"text of a", "text of c"}
        assert values(connection, "select cluster_date::text from silver.clusters") == {"2026-10-05", "2026-11-19"}
        assert values(connection, "select url_hash from silver.problem_assignments") == {"a", "c"}
        # All days, since the table is compared as a whole.
        assert len(values(connection, "select collection_date from gold.mention_days")) == 4
        pull(connection, filled, BUILD)
        assert values(connection, "select url_hash from silver.texts") == {"a", "c", "later"}


def test_a_new_watchlist_is_looked_for_in_all_posts(filled: Lake, tmp_path: Path) -> None:
    (tmp_path / "watchlist.yml").write_text("own: [Acme]\n")
    with file(tmp_path) as connection:
        pull(connection, filled, BUILD)
        assert values(connection, "select url_hash from silver.texts") == {"a", "b", "c", "first", "later"}


def test_rows_that_were_not_pulled_are_not_taken_for_deleted(filled: Lake, tmp_path: Path) -> None:
    with file(tmp_path) as connection:
        pulled = pull(connection, filled, BUILD)
        # A post goes, and a new version of the model has another column.
        connection.execute("delete from silver.texts where url_hash = 'c'")
        connection.execute("alter table silver.texts add column language text")
        connection.execute("update silver.texts set language = 'en'")
        keys = {"silver.texts": (), "silver.clusters": (), "bronze.raw_items": ("url_hash",)}
        assert publish(connection, filled, pulled, keys) == ["silver.texts"]
        assert rows(filled, "select url_hash, language from lake.silver.texts order by all") == [
            ("a", "en"),
            ("b", None),
            ("first", None),
            ("later", "en"),
        ]
        assert publish(connection, filled, pulled, keys) == []


def test_requests_of_a_version_that_noted_no_pauses_are_pulled(filled: Lake, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        attach(connection, filled)
        connection.execute(
            "create table lake.bronze.ingest_requests as"
            " select 1 as request_id, 'github' as source, null::timestamp as requested_at,"
            " null::timestamp as answered_at"
        )
    with file(tmp_path) as connection:
        for scope in (BUILD, Collect([DAY])):
            pull(connection, filled, scope)
            assert values(connection, "select request_id from bronze.ingest_requests") == {1}


def test_a_table_that_is_replaced_gets_the_columns_of_this_version(filled: Lake, tmp_path: Path) -> None:
    keys = {"gold.mention_days": None}
    with file(tmp_path) as connection:
        pulled = pull(connection, filled, BUILD)
        connection.execute("create or replace table gold.mention_days as select 1.5::double as posts, 'x' as name")
        assert publish(connection, filled, pulled, keys) == ["gold.mention_days"]
        assert rows(filled, "from lake.gold.mention_days") == [(1.5, "x")]
        # The next build finds its own columns.
        assert publish(connection, filled, pull(connection, filled, Everything()), keys) == []


def test_a_view_that_a_later_version_makes_a_table_is_one_for_all_workers(filled: Lake, tmp_path: Path) -> None:
    is_table = "select table_name = 'told' from duckdb_tables() where table_name = 'told'"
    with file(tmp_path) as connection:
        pulled = pull(connection, filled, BUILD)
        assert values(connection, is_table) == set()
        assert "c" in values(connection, "select url_hash from gold.told")
        connection.execute("drop view gold.told; create table gold.told as select 'c' as url_hash")
        assert publish(connection, filled, pulled, {"gold.told": ("url_hash",)}) == ["gold.told"]
        for scope in (BUILD, Everything()):
            pull(connection, filled, scope)
            assert values(connection, is_table) == {True}
            assert values(connection, "select url_hash from gold.told") == {"c"}
