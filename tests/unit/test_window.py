"""ingest.window: how windows are cut, read again and closed."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.window import READINGS, Window, advance_counted, closed, day_window

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHOLE: Window = day_window("github", "is:issue", DAY)
SERVICE = "GitHub"
# The limits of the service in these tests.
PAGE_SIZE, LIMIT = 100, 1_000


def window_of(seconds: int, **changes: object) -> Window:
    """A window of some seconds from noon on."""
    return replace(Window("github", "is:issue", NOON, NOON + timedelta(seconds=seconds)), **changes)  # type: ignore[arg-type]


def read_page(before: Window, page: str, total: int | None) -> list[Window]:
    """The windows that replace a window after one of its pages, which reported a total."""
    left = tuple(each for each in before.pages_left if each != page)
    counted = replace(before, pages_left=left, pages=before.pages + 1, reported_total=total)
    return list(advance_counted(counted, total, before, page_size=PAGE_SIZE, limit=LIMIT, service=SERVICE))


# -- Slices.


def test_a_day_starts_and_ends_at_midnight_utc() -> None:
    expected = Window(
        source="github",
        query="is:issue",
        start=datetime(2026, 11, 20, tzinfo=UTC),
        end=datetime(2026, 11, 21, tzinfo=UTC),
        pages_left=("1",),
        pages=0,
        reading=1,
        reported_total=None,
        fetched=0,
        stored=0,
        status="pending",
        error=None,
    )
    assert day_window("github", "is:issue", DAY) == expected
    assert WHOLE.start.tzinfo is UTC
    assert WHOLE.collection_date == DAY


@given(seconds=st.integers(2, 86_400), parts=st.integers(2, 40))
def test_slices_cover_the_window_at_whole_seconds_and_are_of_equal_length(seconds: int, parts: int) -> None:
    slices = window_of(seconds, pages=3, fetched=7, stored=6, reading=2, reported_total=9).halves(parts)
    assert len(slices) == min(parts, seconds)
    assert (slices[0].start, slices[-1].end) == (NOON, NOON + timedelta(seconds=seconds))
    assert all(first.end == second.start for first, second in pairwise(slices))
    lengths = {(each.end - each.start).total_seconds() for each in slices}
    assert all(length.is_integer() for length in lengths)
    assert max(lengths) - min(lengths) <= 1
    # Nothing of a slice has been fetched.
    assert all(each == Window("github", "is:issue", each.start, each.end) for each in slices)


def test_without_a_number_of_parts_a_window_is_cut_into_two() -> None:
    assert [each.end - each.start for each in window_of(3).halves()] == [timedelta(seconds=1), timedelta(seconds=2)]


@pytest.mark.parametrize("parts", [2, 3, 100])
def test_a_window_of_one_second_is_not_cut(parts: int) -> None:
    assert window_of(1).halves(parts) == []


def test_a_window_afresh_is_as_if_it_had_never_been_fetched() -> None:
    fetched = window_of(
        60, pages_left=("3",), pages=2, reading=2, reported_total=9, fetched=7, stored=6, status="failed", error="x"
    )
    assert fetched.afresh() == window_of(60)
    later, end = NOON + timedelta(seconds=5), NOON + timedelta(seconds=7)
    assert fetched.afresh(start=later) == replace(window_of(60), start=later)
    assert fetched.afresh(end=end) == replace(window_of(60), end=end)
    assert fetched.afresh(later, end) == replace(window_of(60), start=later, end=end)


def test_a_window_is_read_anew_until_its_last_reading() -> None:
    window: Window | None = window_of(60, pages_left=(), pages=4, reported_total=9, fetched=7)
    for reading in range(2, READINGS + 1):
        assert window
        window = window.read_anew()
        assert window == window_of(60, reading=reading)
    assert READINGS == 3
    assert window
    assert window.read_anew() is None


@pytest.mark.parametrize(
    ("window", "name"),
    [
        (WHOLE, "is:issue, 2026-11-20"),
        (window_of(90), "is:issue, 2026-11-20 12:00:00-12:01:30"),
        (window_of(43_199), "is:issue, 2026-11-20 12:00:00-23:59:59"),
        (window_of(43_200), "is:issue, 2026-11-20 12:00:00-24:00"),
        (WHOLE.halves()[0], "is:issue, 2026-11-20 00:00:00-12:00:00"),
    ],
)
def test_how_a_window_is_named(window: Window, name: str) -> None:
    assert str(window) == name


# -- The end of a window.


@pytest.mark.parametrize(
    ("reported", "fetched", "error"),
    [
        (None, 0, None),
        (None, 5, None),
        (0, 0, None),
        (5, 5, None),
        (5, 6, None),
        (5, 4, "the service gave 4 of the 5 posts it reported"),
        (12_000, 11_000, "the service gave 11,000 of the 12,000 posts it reported"),
    ],
)
def test_a_closed_window_names_the_posts_that_it_lacks(reported: int | None, fetched: int, error: str | None) -> None:
    window = window_of(60, pages_left=(), reported_total=reported, fetched=fetched)
    assert closed(window) == replace(window, status="complete", error=error)


def test_a_truncated_window_waits_for_no_page() -> None:
    window = window_of(1, pages=10, fetched=900, reported_total=1_200, pages_left=("4", "5"))
    assert window.truncated("too many") == replace(window, pages_left=(), status="truncated", error="too many")


# -- A page of a service that reports totals.


@pytest.mark.parametrize(
    ("total", "left"),
    [
        (None, ()),
        (0, ()),
        (1, ()),
        (100, ()),
        (101, ("2",)),
        (200, ("2",)),
        (201, ("2", "3")),
        (1_000, ("2", "3", "4", "5", "6", "7", "8", "9", "10")),
    ],
)
def test_the_first_page_says_how_many_pages_there_are(total: int | None, left: tuple[str, ...]) -> None:
    before = window_of(60)
    assert read_page(before, "1", total) == [replace(before, pages_left=left, pages=1, reported_total=total)]


@pytest.mark.parametrize(
    ("known", "total", "more"),
    [
        # The same total, and one that grew within the last page.
        (150, 150, ()),
        (150, 200, ()),
        (150, 201, ("3",)),
        (150, 420, ("3", "4", "5")),
        (900, 901, ("10",)),
        # Nothing was known: the first page had reported no total.
        (None, 150, ("2",)),
        (0, 150, ("2",)),
    ],
)
def test_a_total_that_grew_adds_pages_after_those_that_are_left(
    known: int | None, total: int, more: tuple[str, ...]
) -> None:
    before = window_of(60, pages_left=("2", "9"), pages=1, reported_total=known)
    assert read_page(before, "2", total) == [replace(before, pages_left=("9", *more), pages=2, reported_total=total)]


def test_a_total_that_fell_reads_the_window_again() -> None:
    before = window_of(60, pages_left=("2", "3"), pages=1, fetched=100, reported_total=250)
    assert read_page(before, "2", 249) == [window_of(60, reading=2)]
    assert read_page(before, "2", None) == [window_of(60, reading=2)]
    # No total counts as 0.
    before = window_of(60, pages_left=("2",), pages=1, reported_total=1)
    assert read_page(before, "2", None) == [window_of(60, reading=2)]


def test_after_the_last_reading_a_total_that_fell_is_taken_as_it_is() -> None:
    before = window_of(60, pages_left=("2", "3"), pages=1, reported_total=250, reading=READINGS)
    assert read_page(before, "2", 249) == [replace(before, pages_left=("3",), pages=2, reported_total=249)]


@pytest.mark.parametrize(
    ("total", "parts"),
    [
        # A slice is planned to hold 800 posts.
        (1_001, 2),
        (1_600, 2),
        (1_601, 3),
        (2_400, 3),
        (8_001, 11),
    ],
)
def test_a_total_beyond_the_limit_cuts_the_window(total: int, parts: int) -> None:
    assert parts == math.ceil(total / 800)
    before = window_of(86_400)
    assert read_page(before, "1", total) == before.halves(parts)


def test_with_a_limit_that_is_nearly_reached_the_window_is_cut_all_the_same() -> None:
    before = window_of(60)
    parts = advance_counted(before, 2, before, page_size=1, limit=1, service=SERVICE)
    # 2 / 0.8 rounded up.
    assert len(parts) == 3


def test_a_window_is_cut_into_two_at_least() -> None:
    before = window_of(60)
    # A service that gives all but a few: 1 slice of 800 would be enough by the share alone.
    assert len(advance_counted(before, 1_001, before, page_size=1_000, limit=1_000, service=SERVICE)) == 2


def test_a_second_with_too_many_posts_is_read_up_to_the_limit_and_truncated() -> None:
    window = window_of(1)
    [window] = read_page(window, "1", 1_201)
    assert (window.status, window.pages_left) == ("pending", tuple(str(page) for page in range(2, 11)))
    for page in range(2, 10):
        [window] = read_page(window, str(page), 1_201)
        assert (window.status, window.error) == ("pending", None)
    [last] = read_page(window, "10", 1_201)
    assert last == window_of(
        1,
        pages_left=(),
        pages=10,
        reported_total=1_201,
        status="truncated",
        error="GitHub gives 1,000 of the 1,201 posts of this second",
    )


def test_a_second_with_as_many_posts_as_the_limit_is_read_whole() -> None:
    before = window_of(1, pages_left=("10",), pages=9, reported_total=1_000)
    assert read_page(before, "10", 1_000) == [replace(before, pages_left=(), pages=10)]
