"""Times as exports hold them, and columns of which the whole tells whether the day or the month stands first."""

import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ingest.day_order import LOOKED_AT, with_days
from ingest.errors import IngestError
from ingest.files import Wanted, import_files
from ingest.formats import formats, table
from ingest.item import Item
from ingest.store import open_store


def read(moment: Any) -> str:
    url = "https://github.com/o/r/issues/1"
    return f"{Item.model_validate({'source': 'github', 'url': url, 'created_at': moment}).created_at:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2023/05/23 14:25:01", "14:25:01"),
        ("2023.05.23", "00:00:00"),
        ("2023-5-23 4:05", "04:05:00"),
        ("2023-05-23 2:25 PM", "14:25:00"),
        ("May 23, 2023 @ 14:25:01.000", "14:25:01"),
        ("May 23, 2023, 12:25 a.m.", "00:25:00"),
        ("Tuesday, May 23, 2023 at 2:25 PM", "14:25:00"),
        ("23 May 2023 14:25 UTC", "14:25:00"),
        ("23-May-2023 14:25:01", "14:25:01"),
        ("Tue May 23 14:25:01 +0000 2023", "14:25:01"),
        ("Tue May 23 16:25:01 +0200 2023", "14:25:01"),
        ("Tue May 23 14:25:01 2023", "14:25:01"),
        ("45069.6007", "14:25:00"),
        (45069, "00:00:00"),
        ("20230523", "00:00:00"),
        ("1.684851901E9", "14:25:01"),
        ({"$date": "2023-05-23T14:25:01Z"}, "14:25:01"),
        ({"$date": {"$numberLong": "1684851901000"}}, "14:25:01"),
        ({"value": "2023-05-23T14:25:01.000Z"}, "14:25:01"),
    ],
)
def test_times_that_programs_write_for_people_are_read(written: Any, meant: str) -> None:
    assert read(written) == f"2023-05-23 {meant}"


@pytest.mark.parametrize(
    "written",
    [
        *("05/06/2023", "5-6-2023 8:00", "23/05/2023", "2023", 2023, 0, "0", 20231345, "2023-05-23 13:25 PM"),
        *("2023/02/30", "32 May 2023", "May 2023", "2023-05-23 14:25:01 PDT", "5/23/23 14:25", "1 day ago"),
    ],
)
def test_what_is_no_time_or_may_be_two_is_none(written: Any) -> None:
    with pytest.raises(ValueError, match="created_at"):
        read(written)


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        (["05/06/2023 8:00", "23/05/2023 14:25"], ["2023-06-05T08:00:00Z", "2023-05-23T14:25:00Z"]),
        (["05/06/2023 8:00", "05/23/2023 2:25 PM"], ["2023-05-06T08:00:00Z", "2023-05-23T14:25:00Z"]),
        (["05-06-2023", "23-05-2023 14:25:01"], ["2023-06-05T00:00:00Z", "2023-05-23T14:25:01Z"]),
        (["05.06.2023"], ["2023-06-05T00:00:00Z"]),
        (
            ["", "2023-06-05", "05/06/2023", "13/06/2023"],
            ["", "2023-06-05", "2023-06-05T00:00:00Z", "2023-06-13T00:00:00Z"],
        ),
        (["x", "y", "05/06/2023"], ["x", "y", "05/06/2023"]),
    ],
)
def test_the_whole_column_tells_the_order_of_day_and_month(column: list[str], meant: list[str]) -> None:
    entries = ((number, {"date": value, "title": "9/11/2001"}) for number, value in enumerate(column))
    found = [entry for _, entry in with_days(entries, "posts.csv", None, formats(()))]
    assert found == [{"date": value, "title": "9/11/2001"} for value in meant]


@pytest.mark.parametrize(
    ("column", "reason"),
    [(["05/06/2023"] * 9, "do not tell whether"), (["05/23/2023", "23/05/2023"], "in others the month")],
)
def test_an_order_that_the_column_does_not_tell_is_asked_for(column: list[str], reason: str) -> None:
    entries = list(enumerate({"date": value} for value in column))
    with pytest.raises(IngestError, match=f"{reason}.*--day-first"):
        with_days(iter(entries), "posts.csv", None, formats(()))
    for day_first, meant in ((True, "-06-05"), (False, "-05-06")):
        [(_, entry), *_] = with_days(iter([(0, {"date": "05/06/2023"}), *entries]), "posts.csv", day_first, formats(()))
        assert entry == {"date": f"2023{meant}T00:00:00Z"}


def test_only_the_column_of_the_time_counts() -> None:
    form = table(["title", "url", "created_at", "date"], {})
    assert form
    entries = [(1, {"created_at": "2023-06-05T08:00:00Z", "date": "05/06/2023", "title": "It fails"})]
    assert list(with_days(iter(entries), "posts.csv", None, [form])) == entries


def test_times_with_points_do_not_tell_the_order_of_others() -> None:
    column = ["05.06.2023"] * LOOKED_AT + ["05/06/2023"]
    found = with_days(enumerate({"date": value} for value in column), "posts.csv", None, formats(()))
    assert [entry["date"] for _, entry in found] == ["2023-06-05T00:00:00Z"] * LOOKED_AT + ["05/06/2023"]


def test_a_user_may_tell_the_order_of_a_column_that_begins_empty() -> None:
    form = table(["title", "url", "date"], {})
    assert form
    entries = enumerate({"date": value} for value in [None] * LOOKED_AT + ["05/06/2023"])
    *_, (_, entry) = with_days(entries, "posts.csv", True, [form])
    assert entry == {"date": "2023-06-05T00:00:00Z"}


@pytest.mark.parametrize(
    "page",
    [
        {"items": [{"title": "It fails", "date": "05/06/2023"}, {"title": "It fails", "date": "23/05/2023"}]},
        # As pandas writes a table.
        {"title": {"0": "It fails", "1": "It fails"}, "date": {"0": "05/06/2023", "1": "23/05/2023"}},
    ],
)
def test_posts_of_a_page_are_one_column(page: dict[str, Any]) -> None:
    found = with_days(iter([(1, page)]), "posts.json", None, formats(()))
    assert [entry["date"] for _, entry in found] == ["2023-06-05T00:00:00Z", "2023-05-23T00:00:00Z"]


def test_a_table_is_imported_in_the_order_that_its_rows_or_the_user_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_DB", str(tmp_path / "posts.duckdb"))
    row = "It fails,https://github.com/o/r/issues/{},{}\n".format
    told, untold = tmp_path / "told.csv", tmp_path / "untold.csv"
    told.write_text("title,url,date\n" + row(1, "05/06/2023") + row(2, "23/05/2023 14:25"))
    untold.write_text("title,url,date\n" + row(4, "05/06/2023"))
    console = Console(quiet=True)
    with open_store() as connection:
        [report] = import_files(connection, [str(told)], Wanted(), console)
        assert report.stored.new == 2
        with pytest.raises(IngestError, match=re.escape("untold.csv: its times, as in column 'date'")):
            import_files(connection, [str(untold)], Wanted(), console)
        import_files(connection, [str(untold)], Wanted(day_first=False), console)
        days = connection.execute("select collection_date::text from bronze.raw_items order by url").fetchall()
    assert days == [("2023-06-05",), ("2023-05-23",), ("2023-05-06",)]
