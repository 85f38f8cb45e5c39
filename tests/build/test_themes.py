"""Themes over many days: the model on a database, and a build of real texts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.build.test_problems import WINDOW, History, Post, Run, alike, day_of, random_days, some_posts, strangers
from tests.support.models import load

themes: Any = load("theme_assignments")


class ThemeRun(Run):
    """What dbt hands to the model of themes."""

    this = "theme_assignments"


class ThemeHistory(History):
    """Days of which problems and themes are built one after another."""

    def __init__(self) -> None:
        super().__init__()
        rows = themes.SCHEMA.empty_table()  # noqa: F841  (DuckDB finds it by name)
        self.session.execute("create table theme_assignments as select * from rows")

    def build(self, day: int, posts: Any = (), **settings: str) -> None:
        super().build(day, posts, **settings)
        settings = {"theme_similarity": "0.45", "theme_voices": "3", **settings}
        rows = themes.model(ThemeRun(self.session, day_of(day), settings), self.session)  # noqa: F841
        self.session.execute("delete from theme_assignments where as_of_date >= $day", {"day": day_of(day)})
        self.session.execute("insert into theme_assignments select * from rows")

    def theme_rows(self) -> set[tuple[Any, ...]]:
        """All rows of the table, of which there are no two of a day and a post."""
        found = self.session.sql("select * from theme_assignments").fetchall()
        assert len({(row[0], row[3]) for row in found}) == len(found)
        return set(found)

    def themes(self) -> dict[str, str]:
        """The theme of each post now; "" for none."""
        return dict(
            self.session.sql(
                "select url_hash, arg_max(coalesce(theme_id, ''), as_of_date) from theme_assignments group by all"
            ).fetchall()
        )


@pytest.fixture(scope="module")
def in_order() -> Iterator[tuple[list[list[Post]], ThemeHistory]]:
    """Some days, and their history as it is when they are built one after another."""
    days, history = random_days(5), ThemeHistory()
    for day, posts in enumerate(days):
        history.build(day, posts)
    yield days, history
    history.session.close()


def test_complaints_have_themes_that_hold_their_problems(in_order: tuple[list[list[Post]], ThemeHistory]) -> None:
    days, history = in_order
    left = history.themes()
    assert len(set(left.values()) - {""}) >= 3
    assert "" in left.values()
    # The posts of the window of one problem are in one theme.
    problem = history.standing(len(days))
    recent = {row[0] for row in history.theme_rows() if row[4] > day_of(len(days) - 1) - timedelta(days=WINDOW)}
    homes: dict[str, set[str]] = {}
    for url_hash in recent:
        homes.setdefault(str(problem[url_hash]), set()).add(left[url_hash])
    homes.pop("")
    assert homes
    assert all(len(each) == 1 for each in homes.values())


def test_a_day_built_again_changes_nothing(in_order: tuple[list[list[Post]], ThemeHistory]) -> None:
    days, history = in_order
    before = history.theme_rows()
    for day in range(0, len(days), 4):
        history.build(day)
        assert history.theme_rows() == before, day


def test_days_may_be_built_in_any_order(in_order: tuple[list[list[Post]], ThemeHistory]) -> None:
    days, expected = in_order
    history = ThemeHistory()
    for day in np.random.default_rng(5).permutation(len(days)).tolist():
        history.build(day, days[day])
    assert history.theme_rows() == expected.theme_rows()


def test_a_theme_keeps_its_id_while_its_posts_leave_the_window() -> None:
    history, centre = ThemeHistory(), strangers(1, 1)[0]
    for number in range(4):
        history.build(number * (WINDOW - 1), some_posts(number * (WINDOW - 1), alike(4, number + 2, centre)))
    assert len(set(history.themes().values())) == 1


def test_an_area_is_a_theme_and_no_problem() -> None:
    # Texts that are alike, and not alike enough to be one problem.
    history, centre = ThemeHistory(), strangers(1, 1)[0]
    area = alike(6, 2, centre, 0.04)
    similarity = area @ area.T
    assert 0.45 < similarity[~np.eye(6, dtype=bool)].mean() < 0.7
    history.build(0, some_posts(0, area) + some_posts(0, strangers(40, 4), "other"), problem_tier="certain")
    assert set(history.standing(0).values()) == {""}
    left = history.themes()
    [theme] = {left[f"post-00-{number:02}"] for number in range(6)}
    assert theme
    assert [url_hash for url_hash, name in left.items() if name == theme and url_hash.startswith("other")] == []
