"""The page of themes, in a browser: records made by hand."""

import re
import secrets
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.board.test_board import (
    HOSTILE,
    Board,
    Record,
    board,
    browser,
    listed,
    open_list,
    own,
    problem,
    record_id,
    wait_until_live,
)
from tests.support.project import DAY

__all__ = ["board", "browser", "own"]


def theme(number: int, **fields: Any) -> Record:
    """A theme, the higher its number the fewer its voices."""
    return {
        "id": record_id(number),
        "title": f"theme {number}, limits",
        "terms": [f"theme {number}", "limits"],
        "central_title": f"Post {number}",
        "status": "active",
        "trend": "growing",
        "post_count": 20 - number,
        "voices": 20 - number,
        "recent_voices": 9,
        "earlier_voices": 2,
        "source_count": 1,
        "problem_count": 0,
        "cohesion": 0.7,
        "source_counts": {"github": 20 - number},
        "daily_voices": {DAY: {"github": 20 - number}},
        "first_seen": DAY,
        "last_seen": DAY,
        "content_hash": secrets.token_hex(),
    } | fields


def theme_post(number: int, of: Record, **fields: Any) -> Record:
    """A post of a theme."""
    return {
        "id": record_id(number),
        "theme": of["id"],
        "problem": "",
        "url_hash": record_id(number),
        "source": "github",
        "url": f"https://example.com/{number}",
        "title": f"Post {number}",
        "is_first_of_voice": True,
        "collection_date": DAY,
        "posted_at": DAY,
        "content_hash": secrets.token_hex(),
    } | fields


def test_themes_are_listed_by_voices_and_sorted(board: Board, own: Page) -> None:
    board.put("themes", theme(2, problem_count=3), theme(1), theme(3, recent_voices=12), theme(4, status="dormant"))
    open_list(own, "/themes.html")
    expect(own.locator("#count")).to_have_text("3 active themes")
    assert listed(own) == [record_id(1), record_id(2), record_id(3)]
    expect(own.locator("#list > li").nth(1)).to_contain_text("3 problems")
    for order, first in (("Problems", 2), ("Heard lately", 3), ("Voices", 1)):
        own.get_by_label("Sort by").select_option(order)
        expect(own.locator("#list > li").first).to_have_attribute("data-id", record_id(first))


def test_themes_are_narrowed(board: Board, own: Page) -> None:
    board.put("themes", theme(1), theme(2, source_counts={"reddit": 3}), theme(4, status="dormant", trend="gone"))
    for query, numbers in (("source=reddit", [2]), ("status=all", [1, 2, 4]), ("q=theme+2", [2]), ("q=nothing", [])):
        open_list(own, f"/themes.html?{query}")
        assert listed(own) == [record_id(number) for number in numbers], query
    # The page has no fields that a theme does not have.
    assert own.get_by_label("Category").count() == own.get_by_label("Labeller").count() == 0


def test_a_theme_and_its_problems_link_to_each_other(board: Board, own: Page) -> None:
    one, other = theme(1, problem_count=1), theme(2)
    board.put("problems", problem(1), problem(2))
    board.put("themes", one, other)
    of_problem = [theme_post(number, one, problem=record_id(1)) for number in (1, 2)]
    # An older post of the problem is in another theme.
    board.put("theme_posts", *of_problem, theme_post(3, one), theme_post(4, other, problem=record_id(1)))
    own.goto("/themes.html")
    own.get_by_role("link", name="theme 1, limits").click()
    expect(own.locator("h1:visible")).to_have_text("theme 1, limits")
    expect(own.locator(".post")).to_have_count(3)
    expect(own.locator("[data-part=problems] li")).to_have_text([re.compile("2 posts.*Problem 1.*3 voices in all")])
    own.locator("[data-part=problems] a").click()
    expect(own.locator("h1:visible")).to_have_text("Problem 1")
    expect(own.locator("[data-part=theme] a")).to_have_text("theme 1, limits")
    own.locator("[data-part=theme] a").click()
    expect(own.locator("h1:visible")).to_have_text("theme 1, limits")
    # A problem without a theme does not speak of one.
    own.goto(f"/?problem={record_id(2)}")
    expect(own.locator("h1:visible")).to_have_text("Problem 2")
    expect(own.locator("[data-part=theme] a")).to_have_count(0)


def test_a_theme_that_is_pushed_appears(board: Board, own: Page) -> None:
    own.goto("/themes.html")
    expect(own.locator("#below")).to_contain_text("No themes yet")
    wait_until_live(own)
    board.put("themes", theme(1))
    expect(own.locator("#list > li")).to_have_count(1)


@pytest.mark.parametrize("address", ["/themes.html?pictures=open", f"/themes.html?theme={record_id(1)}"])
def test_hostile_themes_are_inert(board: Board, own: Page, address: str) -> None:
    hostile = theme(1, title=HOSTILE[:120], central_title=HOSTILE[:200], terms=[HOSTILE], source_counts={HOSTILE: 4})
    board.put("themes", hostile)
    board.put("theme_posts", theme_post(1, hostile, title=HOSTILE, excerpt=HOSTILE, url="javascript:alert(4)"))
    own.goto(address)
    expect(own.locator("#list h2:visible, #opened h1:visible").get_by_text("onerror")).to_be_visible()
    assert own.locator("main script, main img, main iframe, main [onerror]").count() == 0
    assert own.locator("a[href^='javascript:']").count() == 0
