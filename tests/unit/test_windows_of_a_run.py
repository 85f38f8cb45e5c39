"""ingest.collect: which windows a run reads, and what a page does to its window, in a database in memory."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from ingest import collect
from ingest.collect import count_window, plan, standing_window, store_items, store_page, take_page, unfinished
from ingest.item import Item, normalise_url
from ingest.parsed import Parsed, Rejected
from ingest.report import Report
from ingest.sources import github
from ingest.store import DDL, Stored, add_match_urls, read_windows, write_windows
from ingest.window import Window, day_window

DAY, NEXT_DAY = date(2026, 11, 20), date(2026, 11, 21)
QUERY = "is:issue"
WHOLE: Window = day_window("github", QUERY, DAY)
# The two times at which pages arrived.
EARLY, LATE = datetime(2026, 11, 22, 8), datetime(2026, 11, 22, 9)  # noqa: DTZ001  (as the tables hold them)
LATER = LATE + timedelta(days=1)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database with the tables of bronze."""
    with duckdb.connect() as connected:
        connected.execute(DDL)
        yield connected


def post(number: int, day: date = DAY, title: str = "title") -> Item:
    return Item.model_validate(
        {
            "source": "github",
            "url": f"https://github.com/a/b/issues/{number}",
            "title": title,
            "created_at": f"{day}T12:00:00Z",
        }
    )


def titles(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The number and the title of each stored post."""
    rows = connection.execute("select url, title from bronze.raw_items order by url").fetchall()
    return [(url.rpartition("/")[2], title) for url, title in rows]


def windows(connection: duckdb.DuckDBPyConnection) -> list[tuple[Window, datetime | None]]:
    """The stored windows of the query, with the times when they were finished."""
    return read_windows(connection, "github", DAY, DAY).get((QUERY, DAY), [])


# -- What a run reads.


def at(**changes: Any) -> Window:
    return replace(WHOLE, **changes)


END = datetime(2026, 11, 21)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("window", "finished_at", "left"),
    [
        (at(), None, at()),
        (at(pages_left=("3", "4"), pages=2), None, at(pages_left=("3", "4"), pages=2)),
        (at(pages_left=(), pages=2), None, at(pages=2)),
        (at(pages_left=(), status="complete", pages=2), END, None),
        (at(pages_left=(), status="truncated", pages=2, error="too many"), END, None),
        # It was read before its end, be it by a second.
        (at(pages_left=(), status="complete", pages=2, fetched=5), END - timedelta(seconds=1), at()),
        (at(pages_left=(), status="truncated", pages=2), END - timedelta(seconds=1), at()),
        # One that failed goes on where it was.
        (at(pages_left=("2",), status="failed", error="down", pages=1), END, at(pages_left=("2",), pages=1)),
        (at(pages_left=(), status="failed", error="refused"), END, at()),
    ],
)
def test_what_is_left_of_a_window(window: Window, finished_at: datetime | None, left: Window | None) -> None:
    assert unfinished(window, finished_at) == left


def test_a_run_reads_what_is_left_of_known_windows_and_all_of_others(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = github.GitHubSection(queries=["is:issue"], organisations=[], repositories=[])

    class Twice:
        @staticmethod
        def queries(asked_for: github.GitHubSection) -> list[str]:
            assert asked_for is section
            return ["one", "two"]

    monkeypatch.setattr(collect, "sources", lambda: {"github": Twice, "reddit": None})
    first, second = day_window("github", "one", DAY).halves()
    write_windows(connection, [replace(first, status="complete", pages_left=(), pages=1), second], LATE)
    # Windows of another source and of another day.
    write_windows(connection, [replace(day_window("reddit", "two", DAY), status="complete", pages=1)], LATE)
    write_windows(connection, [replace(day_window("github", "two", NEXT_DAY), status="complete", pages=1)], LATE)
    settings: Any = {"github": section, "reddit": None}
    days = [DAY, NEXT_DAY]
    assert plan(connection, "github", settings, days, refresh=False) == [
        second,
        day_window("github", "two", DAY),
        day_window("github", "one", NEXT_DAY),
    ]
    assert plan(connection, "github", settings, days, refresh=True) == [
        day_window("github", query, day) for day in days for query in ("one", "two")
    ]
    # The last of three days is known, too.
    third = date(2026, 11, 22)
    write_windows(connection, [replace(day_window("github", "one", third), status="truncated", pages=1)], LATER)
    left = plan(connection, "github", settings, [DAY, NEXT_DAY, third], refresh=False)
    assert left[3:] == [day_window("github", "two", third)]


# -- Posts.


def test_posts_of_the_day_are_stored_once_and_others_are_counted(connection: duckdb.DuckDBPyConnection) -> None:
    report = Report("github")
    items = [post(1, title="first"), post(1, title="copy"), post(2), post(3, NEXT_DAY)]
    assert store_items(connection, items, DAY, report, EARLY) == 3
    assert titles(connection) == [("1", "first"), ("2", "title")]
    assert (report.stored, report.repeated, report.other_days) == (Stored(2, 0, 0), 1, 1)
    # Again, and changed: the counts add up.
    assert store_items(connection, [post(1, title="changed"), post(2)], DAY, report, LATE) == 2
    assert titles(connection) == [("1", "changed"), ("2", "title")]
    assert (report.stored, report.repeated, report.other_days) == (Stored(2, 1, 1), 1, 1)
    assert store_items(connection, [post(1), post(3, NEXT_DAY)], None, report, LATE) == 2
    assert (report.stored, report.other_days) == (Stored(3, 2, 1), 1)


def test_with_a_memory_the_first_copy_of_a_run_is_stored(connection: duckdb.DuckDBPyConnection) -> None:
    report, seen = Report("github"), set[str]()
    assert store_items(connection, [post(1, title="first")], DAY, report, EARLY, seen) == 1
    assert seen == {post(1).match_url}
    assert store_items(connection, [post(1, title="later"), post(2)], DAY, report, LATE, seen) == 2
    assert titles(connection) == [("1", "first"), ("2", "title")]
    assert seen == {post(1).match_url, post(2).match_url}
    assert report.repeated == 1


def thread(path: str, title: str = "title") -> Item:
    """A post of Reddit by the path of its address."""
    address = f"https://www.reddit.com/{path}"
    return Item.model_validate({"source": "reddit", "url": address, "title": title, "created_at": f"{DAY}T12:00:00Z"})


def test_a_post_keeps_the_address_that_it_came_with(connection: duckdb.DuckDBPyConnection) -> None:
    report = Report("reddit")
    spellings = (
        "r/a/comments/x/t/",
        "comments/x",
        "r/A/comments/x/t",
        "r/a/comments/x/t/reply/",
        "comments/y",
        "r/a/comments/y/u/",
    )
    assert store_items(connection, [thread(path) for path in spellings], DAY, report, EARLY) == 6
    assert store_items(connection, [thread(path, "changed") for path in reversed(spellings)], DAY, report, LATE) == 6
    assert connection.execute("select url, title, match_url from bronze.raw_items order by url").fetchall() == [
        ("https://www.reddit.com/comments/y/", "changed", None),
        ("https://www.reddit.com/r/a/comments/x/t/", "changed", "https://www.reddit.com/comments/x/"),
        ("https://www.reddit.com/r/a/comments/x/t/reply/", "changed", "https://www.reddit.com/comments/x/_/reply/"),
    ]
    assert report.stored == Stored(3, 3, 0)


def test_posts_of_an_earlier_version_are_found_by_their_old_addresses(connection: duckdb.DuckDBPyConnection) -> None:
    report = Report("reddit")
    # As earlier versions stored them; the last two are one post each, stored twice.
    addresses = {
        "https://redd.it/x": ["https://redd.it/x", "https://www.reddit.com/r/a/comments/x/t/"],
        "https://stackoverflow.com/q/4": ["https://stackoverflow.com/q/4", "https://stackoverflow.com/questions/4"],
        "https://www.reddit.com/r/a/comments/y/t": ["https://www.reddit.com/r/a/comments/y/t", "https://redd.it/y"],
        "https://www.reddit.com/r/a/comments/z/t/": ["https://www.reddit.com/r/a/comments/z/t/", "https://redd.it/z"],
        "https://www.reddit.com/comments/z/": ["https://www.reddit.com/comments/z/"],
        "https://github.com/a/b/issues/1": ["https://github.com/a/b/issues/1"],
        "https://example.com/a/": ["https://example.com/a/"],
    }
    connection.execute("alter table bronze.raw_items drop column match_url")
    for number, address in enumerate(addresses):
        connection.execute(
            "insert into bronze.raw_items by name select sha256($url) as url_hash, 'reddit' as source, $url as url,"
            " 'old' as title, date '2026-11-20' as collection_date, timestamp '2026-11-20' as created_at,"
            " timestamp '2026-11-21' + to_seconds($number) as collected_at",
            {"url": address, "number": number},
        )
    add_match_urls(connection)
    for spellings in addresses.values():
        posts = [thread("").model_copy(update={"url": normalise_url(url), "title": "new"}) for url in spellings]
        for each in posts:
            store_items(connection, [each], DAY, report, LATE)
    assert dict(connection.execute("select url, title from bronze.raw_items").fetchall()) == dict.fromkeys(
        addresses, "new"
    ) | {"https://www.reddit.com/comments/z/": "old"}
    assert report.stored.new == 0


# -- A page.


def page_of(*numbers: int, total: int | None = None, **changes: Any) -> Parsed:
    return Parsed(items=[post(number) for number in numbers], total=total, **changes)


def test_a_page_is_stored_and_the_window_goes_on(connection: duckdb.DuckDBPyConnection) -> None:
    report = Report("github", planned=1)
    page = page_of(1, 2, total=250, skipped=3, rejected=[Rejected({"user": "ann", "id": 9}, "title: too long")])
    going_on = at(pages_left=("2", "3"), pages=1, reported_total=250, fetched=6, stored=2)
    assert take_page(connection, WHOLE, "1", page, report, EARLY) == [going_on]
    assert windows(connection) == [(going_on, EARLY)]
    assert titles(connection) == [("1", "title"), ("2", "title")]
    [(entry, reason, query)] = connection.execute("select entry, reason, query from bronze.rejected_items").fetchall()
    assert (entry, reason, query) == ('{"id": 9}', "title: too long", QUERY)
    assert (report.fetched, report.skipped, report.planned, report.windows) == (6, 3, 1, 0)
    assert report.rejected == ["github: is:issue, 2026-11-20: title: too long"]

    # The last page but one, out of order; the numbers of the pages add up.
    assert take_page(connection, going_on, "3", page_of(3, total=250), report, LATE) == [
        replace(going_on, pages_left=("2",), pages=2, fetched=7, stored=3)
    ]


def test_the_report_counts_all_pages(connection: duckdb.DuckDBPyConnection) -> None:
    report = Report("github", planned=1, fetched=10, skipped=20, rejected=["an earlier one"])
    page = page_of(1, skipped=2, rejected=[Rejected("entry", "reason")])
    # A post of another day is not stored.
    page.items.append(post(2, NEXT_DAY))
    [finished] = take_page(connection, WHOLE, "1", page, report, EARLY)
    assert (finished.fetched, finished.stored) == (5, 1)
    assert titles(connection) == [("1", "title")]
    assert (report.fetched, report.skipped, report.other_days) == (15, 22, 1)
    assert report.rejected == ["an earlier one", "github: is:issue, 2026-11-20: reason"]


def test_pages_of_one_run_remember_the_posts_of_each_other(connection: duckdb.DuckDBPyConnection) -> None:
    report, seen = Report("github"), set[str]()
    for number, title in ((1, "first"), (1, "copy"), (2, "second")):
        page = Parsed(items=[post(number, title=title)])
        assert store_page(connection, page, WHOLE, report, EARLY, seen) == 1
    assert titles(connection) == [("1", "first"), ("2", "second")]
    assert store_page(connection, Parsed(items=[post(1, title="anew")]), WHOLE, report, LATE) == 1
    assert titles(connection) == [("1", "anew"), ("2", "second")]


def test_a_source_that_names_its_next_page_is_told_which_page_came(connection: duckdb.DuckDBPyConnection) -> None:
    window: Window = day_window("reddit", "python", DAY)
    parsed = Parsed(items=[post(1)], more="1")
    # Reddit names this very page again: the listing does not go on.
    [rest, lost] = take_page(connection, window, "1", parsed, Report("reddit"), EARLY)
    assert (rest.status, lost.status) == ("complete", "truncated")


def test_the_last_page_closes_the_window(connection: duckdb.DuckDBPyConnection) -> None:
    report = Report("github", planned=1)
    before = at(pages_left=("2",), pages=1, reported_total=3, fetched=1, stored=1)
    finished = at(
        pages_left=(),
        pages=2,
        reported_total=3,
        fetched=2,
        stored=2,
        status="complete",
        error="the service gave 2 of the 3 posts it reported",
    )
    assert take_page(connection, before, "2", page_of(2, total=3), report, LATE) == [finished]
    assert windows(connection) == [(finished, LATE)]
    assert (report.windows, report.reported, report.planned) == (1, 3, 1)
    assert report.warnings == ["is:issue, 2026-11-20: the service gave 2 of the 3 posts it reported"]


def test_a_page_that_cuts_its_window_plans_the_slices(connection: duckdb.DuckDBPyConnection) -> None:
    report = Report("github", planned=1)
    write_windows(connection, [WHOLE], EARLY)
    slices = take_page(connection, WHOLE, "1", page_of(1, total=1_601), report, LATE)
    assert slices == WHOLE.halves(3)
    assert windows(connection) == [(each, None) for each in slices]
    assert (report.planned, report.windows) == (3, 0)
    assert titles(connection) == [("1", "title")]


def test_a_page_that_its_window_no_longer_waits_for_changes_no_window(connection: duckdb.DuckDBPyConnection) -> None:
    report, window = Report("github", planned=1), at(pages_left=("2",), pages=1)
    assert take_page(connection, window, "1", page_of(1, total=99), report, EARLY) == [window]
    assert windows(connection) == []
    assert titles(connection) == [("1", "title")]
    assert (report.fetched, report.planned, report.windows) == (1, 1, 0)


def test_a_page_that_can_not_be_stored_leaves_nothing(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(collect, "write_windows", fail)
    with pytest.raises(RuntimeError):
        take_page(connection, WHOLE, "1", page_of(1, total=1), Report("github"), EARLY)
    assert titles(connection) == []


@pytest.mark.parametrize(
    ("changes", "reported", "errors", "warnings"),
    [
        ({"status": "complete"}, 5, [], []),
        ({"status": "complete", "reported_total": 0}, 5, [], []),
        ({"status": "complete", "reported_total": 7}, 12, [], []),
        ({"status": "complete", "error": "few"}, 5, [], ["is:issue, 2026-11-20: few"]),
        ({"status": "truncated", "error": "many"}, 5, ["is:issue, 2026-11-20 is truncated: many"], []),
    ],
)
def test_what_the_report_says_of_a_window(
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    reported: int,
    errors: list[str],
    warnings: list[str],
) -> None:
    report = Report("github", windows=2, reported=5)
    with caplog.at_level("INFO", logger="groundswell.ingest"):
        count_window(at(fetched=1_234, pages=13, **changes), report)
    assert caplog.messages == [f"github: is:issue, 2026-11-20: {changes['status']}, 1,234 posts, 13 pages"]
    assert (report.windows, report.reported, report.errors, report.warnings) == (3, reported, errors, warnings)


def test_without_any_total_nothing_is_reported() -> None:
    report = Report("github")
    count_window(at(status="complete"), report)
    assert report.reported is None
    count_window(at(status="complete", reported_total=4), report)
    assert report.reported == 4


# -- A recorded page.


def test_a_recorded_page_belongs_to_the_window_that_waits_for_it(connection: duckdb.DuckDBPyConnection) -> None:
    first, second = WHOLE.halves()
    standing = replace(second, pages_left=("2", "3"), pages=1, reported_total=250)
    write_windows(connection, [first, standing], EARLY)
    assert standing_window(connection, second, "2") == standing
    assert standing_window(connection, second, "3") == standing
    # A page that the window has is read for its posts only. The first page starts the window again.
    assert standing_window(connection, second, "4") == replace(second, pages_left=())
    assert standing_window(connection, second, "1") == second
    assert standing_window(connection, first, "1") == first
    # Another slice, another reading, another query, another day.
    for other in (
        WHOLE,
        replace(second, end=second.end - timedelta(seconds=1)),
        replace(second, start=second.start + timedelta(seconds=1)),
        replace(second, reading=2),
        replace(second, query="other"),
        day_window("github", QUERY, NEXT_DAY),
    ):
        assert standing_window(connection, other, "2") == replace(other, pages_left=())
        assert standing_window(connection, other, "1") == other
