"""The lake: rows are found although DuckLake's statistics do not know them."""

from pathlib import Path

import duckdb
import pytest

from groundswell.database import one_transaction
from groundswell.lake.address import lake
from groundswell.lake.pull import attached


def test_rows_are_found_that_the_statistics_do_not_know(tmp_path: Path) -> None:
    pytest.importorskip("duckdb_extension_ducklake")
    data = tmp_path / "data"
    data.mkdir()
    found = lake({"GROUNDSWELL_LAKE": f"ducklake:{tmp_path}/catalog", "GROUNDSWELL_LAKE_DATA": str(data)})
    assert found
    with duckdb.connect() as connection:
        with attached(connection, found):
            connection.execute("create table lake.posts (id integer, author varchar)")
            with one_transaction(connection):
                connection.execute("insert into lake.posts values (1, null)")
                connection.execute("insert into lake.posts values (2, 'a')")
            connection.execute("insert into lake.posts values (3, 'b')")
            seen = connection.execute("select id from lake.posts where author = 'a'").fetchall()
        # The build after a pull plans its queries as it does without a lake.
        disabled = connection.execute("select current_setting('disabled_optimizers')").fetchall()
    assert (seen, disabled) == ([(2,)], [("",)])
