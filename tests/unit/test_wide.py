"""Wide columns come in the order of the narrow ones, with a memory in which DuckDB can not sort them."""

from pathlib import Path

import duckdb
import pytest

from groundswell import neighbours
from groundswell import wide as wide_module
from groundswell.wide import read_wide, text_columns, vector_columns

POSTS = 20_000
# A text of 3 KB.
BODY = "repeat(md5(n::text), 100)"


@pytest.fixture
def session() -> duckdb.DuckDBPyConnection:
    """Posts in a database that may use less memory than their texts need."""
    connection = duckdb.connect(config={"memory_limit": "40MB", "threads": 1})
    connection.execute(
        f"""
        create table posts as
        select n, n::text as url_hash, 'body ' || n as content_hash, 'title ' || n as title_hash
        from range({POSTS}) as r (n);
        create table texts as select n::text as url_hash, {BODY} as text, nullif('title ' || n, 'title 7') as title
        from range({POSTS}) as r (n);
        create table embeddings as select 'body ' || n as content_hash, 'one' as model, [n, 1]::float[2] as embedding
        from range({POSTS}) as r (n)
        union all values ('title 5', 'one', [5, 2]::float[2]), ('title 6', 'other', [6, 2]::float[2]);
        """
    )
    return connection


def test_wide_columns_have_the_order_of_the_narrow_ones(session: duckdb.DuckDBPyConnection) -> None:
    wide = text_columns(session.table("texts")) | vector_columns(session.table("embeddings"))
    rows = read_wide(session, "from posts where n >= $least", "md5(url_hash)", wide, {"least": 5, "model": "one"})
    numbers = rows["n"].to_pylist()
    expected = session.execute("select n from posts where n >= 5 order by md5(url_hash)").fetchall()
    assert numbers == [number for (number,) in expected]
    assert rows["embedding"].to_pylist() == [[number, 1] for number in numbers]
    titled = {
        number: vector for number, vector in zip(numbers, rows["title_embedding"].to_pylist(), strict=True) if vector
    }
    assert titled == {5: [5, 2]}
    assert rows["title"].to_pylist() == [None if number == 7 else f"title {number}" for number in numbers]
    lengths = {len(text) for text in rows["text"].to_pylist()}
    assert lengths == {3200}
    assert rows["text"][numbers.index(9)].as_py()[:32] == session.execute("select md5('9')").fetchall()[0][0]


def test_pages_are_given_back_after_a_large_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept() -> int:
        [(kept,)] = stored.execute("select sum(memory_usage_bytes) from duckdb_memory()").fetchall()
        return int(kept)

    stored = duckdb.connect(str(tmp_path / "posts.duckdb"), config={"memory_limit": "1GB"})
    stored.execute(
        f"create table texts as select n::text as url_hash, 'a' as title, {BODY} || random() as text"
        f" from range({POSTS}) as r (n); checkpoint"
    )
    wide = text_columns(stored.table("texts"))
    read_wide(stored, "select url_hash from texts", "url_hash", wide, {})
    before = kept()
    monkeypatch.setattr(wide_module, "LEAST_MEMORY", "10MB")
    monkeypatch.setattr(neighbours, "EXACT", POSTS - 1)
    read_wide(stored, "select url_hash from texts", "url_hash", wide, {})
    assert kept() < 10_000_000 < before
    assert stored.execute("select current_setting('memory_limit')").fetchall() in ([("953.6 MiB",)], [("953.5 MiB",)])
    stored.close()


def test_no_rows_have_all_columns(session: duckdb.DuckDBPyConnection) -> None:
    wide = text_columns(session.table("texts")) | vector_columns(session.table("embeddings"))
    rows = read_wide(session, "from posts where n < 0", "n", wide, {"model": "one"})
    assert rows.num_rows == 0
    assert rows.column_names == [
        "n",
        "url_hash",
        "content_hash",
        "title_hash",
        "text",
        "title",
        "embedding",
        "title_embedding",
    ]
