"""The board in a real browser: on the built sample day, and on servers of the tests' own that they write to."""

import csv
import io
import json
import re
import secrets
import shutil
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Locator, Page, Route, expect, sync_playwright

from sync.sources import record_id as source_id
from tests.support.project import DAY, DBT, Project, Server, free_address, read_seed, serve, serve_folder

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A browser that phones home finds nobody on a closed network, and says so in the console.
QUIET = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 740}
HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script>"
TITLES = "(items) => items.map((item) => item.querySelector('h2').innerText)"
IDS = "(items) => items.map((item) => item.dataset.id)"

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium, which .ci/run installs")

Record = dict[str, Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        yield browser
        browser.close()


@contextmanager
def faultless(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A page on which nothing may go wrong: no dialog, no error, no request to anybody else."""
    page = browser.new_page(base_url=url, **options)
    troubles: list[str] = []

    def refuse(dialog: Dialog) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    own = (url, "data:")
    page.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
    yield page
    assert not troubles
    page.close()


@pytest.fixture
def page(browser: Browser, built: Project, pocketbase: Server) -> Iterator[Page]:
    """A page of the built sample day."""
    with faultless(browser, pocketbase.url) as page:
        yield page


# --- Boards of the tests' own -------------------------------------------------------------------


@dataclass(frozen=True)
class Board:
    """A server that a test writes to as a build would."""

    url: str
    client: httpx.Client

    def put(self, collection: str, *records: Record) -> None:
        """Create or replace records."""
        for start in range(0, len(records), 500):
            requests = [
                {"method": "PUT", "url": f"/api/collections/{collection}/records", "body": record}
                for record in records[start : start + 500]
            ]
            self.client.post("/api/batch", json={"requests": requests}).raise_for_status()

    def delete(self, collection: str, record: Record) -> None:
        """Delete a record."""
        self.client.delete(f"/api/collections/{collection}/records/{record['id']}").raise_for_status()


@contextmanager
def signed_in(server: Server) -> Iterator[Board]:
    """The board of a server, to write to."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        identity = server.settings["POCKETBASE_EMAIL"], server.settings["POCKETBASE_PASSWORD"]
        answer = client.post(
            "/api/collections/_superusers/auth-with-password",
            json=dict(zip(("identity", "password"), identity, strict=True)),
        )
        client.headers["Authorization"] = answer.raise_for_status().json()["token"]
        yield Board(server.url, client)


@pytest.fixture
def board(empty_board: Path) -> Iterator[Board]:
    """An empty board."""
    with serve_folder(empty_board) as server, signed_in(server) as board:
        board.put("sources", *({"id": source_id(row["name"])} | row for row in read_seed("sources")))
        yield board


@pytest.fixture
def own(browser: Browser, board: Board) -> Iterator[Page]:
    """A page of the test's own board."""
    with faultless(browser, board.url) as page:
        yield page


def record_id(number: int) -> str:
    return f"{number:015d}"


def problem(number: int, **fields: Any) -> Record:
    """A problem, the higher its number the lower its demand."""
    return {
        "id": record_id(number),
        "title": f"Problem {number}",
        "category": "devtools",
        "description": "What it costs them.",
        "impact_level": "medium",
        "labeler": "extractive",
        "status": "active",
        "trend": "steady",
        "post_count": 4,
        "voices": 3,
        "recent_voices": 1,
        "earlier_voices": 1,
        "source_count": 1,
        "days_seen": 1,
        "cohesion": 0.85,
        "demand_score": 1000 - number,
        "voices_score": 1000 - number,
        "source_counts": {"github": 4},
        "quotes": [
            {"quote": "It broke again.", "source": "github", "url": "https://example.com/1", "supports_payment": False}
        ],
        "daily_voices": {DAY: {"github": 3}},
        "events": [{"event": "opened", "event_date": DAY, "posts": 4, "related_problem_id": None}],
        "first_seen": DAY,
        "last_seen": DAY,
        "content_hash": secrets.token_hex(),
    } | fields


def post(number: int, of: Record, **fields: Any) -> Record:
    """A post of a problem."""
    return {
        "id": record_id(number),
        "problem": of["id"],
        "url_hash": record_id(number),
        "source": "github",
        "url": f"https://example.com/{number}",
        "title": f"Post {number}",
        "collection_date": DAY,
        "posted_at": DAY,
        "content_hash": secrets.token_hex(),
    } | fields


def evidence(number: int, of: Record) -> Record:
    """A post of an issue."""
    fields = post(number, of)
    return {name: value for name, value in fields.items() if name not in ("problem", "collection_date")} | {
        "issue": of["id"],
        "cluster_date": of["cluster_date"],
    }


def issue(number: int, **fields: Any) -> Record:
    """An issue, ranked by its number."""
    return {
        "id": record_id(number),
        "cluster_date": DAY,
        "cluster_id": number,
        "day_rank": number,
        "canonical_title": f"Issue {number}",
        "category": "devtools",
        "description": "What happens.",
        "impact_level": "medium",
        "cluster_size": 5,
        "confidence": 0.5,
        "complaints": 4,
        "without_complaints": False,
        "source_counts": {"github": 5},
        "labeler": "extractive",
        "content_hash": secrets.token_hex(),
    } | fields


def search(**fields: Any) -> Record:
    """What the search for problems found on the day: nothing, but two groups that are near."""
    return {
        "id": record_id(1),
        "search_date": DAY,
        "tier": "likely",
        "nearest_groups": [
            {
                "titles": ["Login fails", "Cannot log in"],
                "posts": 4,
                "voices": 3,
                "source_count": 2,
                "chance": 0.496,
                "reason": "not sure enough",
            },
            {
                "titles": ["Slow"],
                "posts": 2,
                "voices": 2,
                "source_count": 1,
                "chance": 0.7,
                "reason": "too few voices",
            },
        ],
        "advice": ["More days: 2 of the last 14 days have posts."],
        "posts": 1200,
        "complaints": 430,
        "source_count": 4,
        "window_posts": 2400,
        "window_complaints": 887,
        "window_days": 2,
        "near_pairs": 5,
        "problems": 0,
        "least_voices": 3,
        "longest_window": 14,
        "least_chance": 0.5,
        "content_hash": secrets.token_hex(),
    } | fields


def figure(number: int, name: str, now: int, before: int, **fields: Any) -> Record:
    """A figure of this week and last."""
    return {
        "id": record_id(number),
        "figure": name,
        "position": number,
        "this_week": now,
        "last_week": before,
        "days_this_week": 7,
        "days_last_week": 7,
        "as_of_date": DAY,
        "content_hash": secrets.token_hex(),
    } | fields


# A busy week, whose line is long; a day of the week before is missing.
FIGURES = [
    figure(number, *row, days_last_week=6)
    for number, row in enumerate(
        [
            ("posts", 45678, 40123),
            ("complaints", 23456, 21987),
            ("voices", 12345, 11234),
            ("problems_opened", 123, 101),
            ("problems_reopened", 45, 39),
            ("problems_silent", 67, 51),
            ("own_mentions", 345, 298),
        ],
        1,
    )
]


def watched(number: int, name: str, **fields: Any) -> Record:
    """A name of the watchlist; the first one is the reader's own."""
    return {
        "id": record_id(number),
        "name": name,
        "side": "own" if number == 1 else "competitor",
        "trend": "steady",
        "position": number,
        "posts": 3,
        "complaints": 2,
        "problems": 1,
        "voices": 2,
        "recent_voices": 1,
        "earlier_voices": 1,
        "share_of_voice": 0.5,
        "recent_share": 0.25,
        "earlier_share": 0.75,
        "days": {DAY: {"posts": 2}, "2026-11-13": {"posts": 1}},
        "first_seen": "2026-11-13",
        "last_seen": DAY,
        "content_hash": secrets.token_hex(),
    } | fields


def entry(page: Page, record: Record) -> str:
    return f"#list > [data-id='{record['id']}']"


def open_list(page: Page, address: str) -> None:
    """Go to a list, and wait until it is there."""
    page.goto(address)
    expect(page.locator("#list:not([aria-busy])")).to_be_attached()


def load(page: Page, count: int) -> None:
    """Scroll down a list until so many of its records are there."""
    items = page.locator("#list > li")
    while items.count() < count:
        before = items.count()
        items.last.scroll_into_view_if_needed()
        page.wait_for_function("(before) => document.querySelectorAll('#list > li').length > before", arg=before)


def listed(page: Page, read: str = IDS) -> list[str]:
    """What the list has, from its items."""
    texts: list[str] = page.locator("#list > li").evaluate_all(read)
    return texts


def top_of(locator: Locator) -> float:
    """Where something stands in the view, once that has come to rest."""
    top: float = locator.evaluate(
        """async (node) => {
            for (let top, still = 0; still < 10; ) {
                await new Promise(requestAnimationFrame)
                const now = node.getBoundingClientRect().top
                still = now === top ? still + 1 : 0
                top = now
            }
            return node.getBoundingClientRect().top
        }"""
    )
    return top


def wait_until_live(page: Page) -> None:
    expect(page.locator("#live")).to_have_text("Live")


# --- Lists --------------------------------------------------------------------------------------


def test_issues_are_listed_by_rank(page: Page, built: Project) -> None:
    open_list(page, f"/issues.html?date={DAY}")
    titles = [title for (title,) in built.query("select canonical_title from gold.issues order by day_rank")]
    assert listed(page, TITLES) == titles
    expect(page.locator("#count")).to_have_text(f"{len(titles)} topics")


def test_the_latest_day_is_what_issues_begin_with(page: Page) -> None:
    open_list(page, "/issues.html")
    expect(page.locator("h1:visible")).to_have_text("Friday, 20 November 2026")


def test_problems_are_listed_by_demand(page: Page, built: Project) -> None:
    open_list(page, "/")
    by_demand = built.query(
        "select problem_id from gold.problems where status = 'active' and not is_from_program"
        " order by demand_score desc, problem_id"
    )
    assert by_demand
    assert listed(page) == [problem_id for (problem_id,) in by_demand]


def test_the_first_screen_says_what_hurts_most_since_when_and_as_of_which_day(board: Board, own: Page) -> None:
    days = {"2026-11-12": {"github": 4}, "2026-11-17": {"github": 30}, DAY: {"github": 1200}}
    course = {"trend": "growing", "first_seen": "2026-11-12", "daily_voices": days}
    earlier = {"first_seen": "2025-11-03", "last_seen": "2025-11-04"}
    board.put(
        "problems",
        problem(1, would_pay_signal=True, voices=1234, **course),
        problem(2),
        problem(3, trend="gone", **earlier),
    )
    board.put("searches", search(problems=3))
    open_list(own, "/")
    expect(own.locator("#as-of")).to_have_text(
        "As of Friday, 20 November 2026, from 2,400 posts, 887 of them complaints"
    )
    text = own.locator("#list > li").first.inner_text()
    for answer in ("Problem 1", "It broke again.", "1,234 voices", "GitHub", "Would pay", "Growing", "since 12 Nov"):
        assert answer in text
    expect(own.locator(".moved")).to_have_text(
        [re.compile("since 12 Nov"), re.compile("on 20 Nov only"), re.compile("last on 4 Nov 2025")]
    )
    # One day shows no course: it has no bars.
    expect(own.locator("#list svg")).to_have_count(1)
    own.goto(f"/?problem={record_id(2)}")
    expect(own.locator("[data-part=days] figure")).to_contain_text("Heard on one day, 20 Nov 2026: GitHub 3.")
    assert own.locator("[data-part=days] svg").count() == 0


def test_the_first_page_asks_for_no_more_than_it_shows(board: Board, own: Page) -> None:
    days = {day: {"github": 2} for day in (DAY, "2026-11-19")}
    board.put("problems", *[problem(number, daily_voices=days) for number in range(1, 31)])
    asked: list[str] = []
    own.on("request", lambda request: asked.append(request.url.removeprefix(board.url)))
    with own.expect_response("**/board.js") as answer:
        open_list(own, "/")
    assert answer.value.header_value("content-encoding") == "gzip"
    # What the list is made of is read before any script runs, and not again.
    of_list = "/problems/records?filter=is_from_program+%3D+false"
    for part in ("/sources/", "/searches/", "/week_figures/", "/problems/records?sort=-last_seen&", of_list):
        assert sum(part in address for address in asked) == 1, part
    assert len(listed(own)) == 20
    assert not [address for address in asked if "pictures" in address or "empty" in address]
    own.get_by_role("button", name="Charts").click()
    expect(own.locator("#pictures-content .voices-picture")).to_be_visible()
    assert {"/pictures.js", "/pictures.css"} <= set(asked)
    # Another list is asked for by the script alone.
    asked.clear()
    open_list(own, "/?sort=voices")
    assert ["voices" in address for address in asked if of_list in address] == [True]


def test_voices_and_posts_are_told_apart(board: Board, own: Page) -> None:
    board.put("problems", problem(1, voices=3, source_counts={"github": 3, "reddit": 1}), problem(2, source_counts={}))
    open_list(own, "/")
    first, second = own.locator("#list > li").all()
    expect(first).to_contain_text("3 voices")
    expect(first.locator(".labels .source")).to_have_text(["4 posts:", "GitHub 3", "Reddit 1"])
    expect(second).not_to_contain_text("0 posts")
    board.put("issues", issue(1))
    open_list(own, f"/issues.html?date={DAY}")
    # The topic says how many posts it has, and has no voices.
    expect(own.locator("#list > li").first.locator(".source").filter(has_text="post")).to_have_count(0)


def test_this_week_is_compared_with_last_in_a_line(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    board.put("week_figures", figure(3, "voices", 1432, 1257), figure(4, "problems_opened", 1, 0))
    board.put("week_figures", figure(5, "problems_reopened", 0, 0), figure(7, "own_mentions", 0, 2))
    open_list(own, "/")
    expect(own.locator("#week")).to_have_text(
        "This week 1,432 voices (last week 1,257), 1 new problem (0), 0 posts on your product (2)"
    )
    wait_until_live(own)
    # Without a last week there is nothing to compare with.
    board.put("week_figures", *[row | {"days_last_week": 0} for row in FIGURES])
    board.put("searches", search())
    expect(own.locator("#week")).to_be_hidden()
    board.put("week_figures", *FIGURES)
    open_list(own, "/")
    expect(own.locator("#week")).to_have_text(
        "This week 12,345 voices (last week 11,234), 123 new problems (101), 45 back again (39), 67 gone quiet (51),"
        " 345 posts on your product (298). Days read: 7 (last week 6)"
    )


def test_how_sure_a_problem_is_stands_beside_its_title(board: Board, own: Page) -> None:
    # A record of an earlier version has no tier.
    board.put(
        "problems", problem(1, tier="certain"), problem(2, tier="likely"), problem(3, tier="emerging"), problem(4)
    )
    open_list(own, "/")
    expect(own.locator(".headline")).to_have_text(
        [
            "Problem 1How sure: Certain",
            "Problem 2How sure: Likely",
            "Problem 3How sure: Emerging",
            "Problem 4",
        ]
    )
    expect(own.locator("#list h2")).to_have_text([f"Problem {number}" for number in range(1, 5)])


def test_what_a_person_corrected_is_marked(board: Board, own: Page) -> None:
    title = "<img src=x onerror=alert(1)> by a person"
    board.put("problems", problem(1, title=title, is_edited=True), problem(2, is_edited=False))
    open_list(own, "/")
    expect(own.locator(".headline")).to_have_text([f"{title}Edited", "Problem 2"])
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator("#opened h1")).to_have_text(title)
    expect(own.locator("header .edited")).to_have_text("Edited")
    assert own.locator("main img").count() == 0


def test_what_programs_wrote_stands_apart(board: Board, own: Page) -> None:
    ticket = problem(1, title="Crash in <b>render</b>", is_from_program=True)
    board.put("problems", ticket, problem(2), problem(3, is_from_program=True, category="ai"))
    open_list(own, "/")
    # It has the highest demand, and yet people come first.
    assert listed(own) == [record_id(2)]
    expect(own.locator("#count")).to_have_text("1 active problem")
    summary = own.locator("#programs > summary")
    expect(summary).to_have_text("Written by programs: 2 problems")
    expect(own.locator("#programs-list")).to_be_hidden()
    summary.click()
    expect(own.locator("#programs-list h2")).to_have_text(["Crash in <b>render</b>", "Problem 3"])
    # Filters hold there, too.
    open_list(own, "/?category=ai")
    expect(summary).to_have_text("Written by programs: 1 problem")
    open_list(own, "/")
    summary.click()
    own.locator("#programs-list a").first.click()
    expect(own.locator("#opened header .labels")).to_contain_text("Written by programs")


def test_a_burst_of_copies_is_marked_and_stands_below(board: Board, own: Page) -> None:
    numbers = {"voices": 50, "wordings": 1, "accounts": 50, "new_accounts": 49, "posts_in_hour": 48}
    board.put("problems", problem(1, is_burst=True, weak_voices=12, **numbers), problem(2))
    board.put("problem_posts", post(1, problem(1), is_weak=True), post(2, problem(1)))
    open_list(own, "/")
    # It has the highest demand.
    assert listed(own) == [record_id(2), record_id(1)]
    expect(own.locator(".headline")).to_have_text(["Problem 2", "Problem 1Burst of copies"])
    open_list(own, "/?sort=voices")
    assert listed(own) == [record_id(2), record_id(1)]
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator("header .edited")).to_have_text("Burst of copies")
    figures = own.locator("[data-part=sure] dl")
    expect(figures).to_contain_text("At most 48 in an hour")
    expect(figures).to_contain_text("49 of 50 accounts first seen on the day they wrote")
    expect(figures).to_contain_text("38 of 50 voices")
    expect(own.get_by_text("only half complains")).to_have_count(1)


def test_without_programs_there_is_no_fold_for_them(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    open_list(own, "/")
    assert listed(own) == [record_id(1)]
    expect(own.locator("#programs")).to_be_hidden()


def test_problems_are_narrowed_by_how_sure_they_are(board: Board, own: Page) -> None:
    board.put(
        "problems", problem(1, tier="certain"), problem(2, tier="likely"), problem(3, tier="emerging"), problem(4)
    )
    open_list(own, "/")
    own.get_by_label("How sure").select_option("Likely")
    expect(own).to_have_url(re.compile(r"/\?tier=likely$"))
    expect(own.locator("#count")).to_have_text("1 active problem matches")
    expect(own.locator("#list h2")).to_have_text(["Problem 2"])
    own.get_by_role("button", name="Clear filters").click()
    expect(own.locator("#list > li")).to_have_count(4)
    open_list(own, "/?tier=nobody")
    expect(own.locator("#list > li")).to_have_count(4)
    # Issues have no tier.
    open_list(own, "/issues.html?tier=likely")
    expect(own.get_by_label("How sure")).to_have_count(0)
    expect(own.get_by_role("button", name="Clear filters")).to_be_hidden()


ISSUE_FILTERS = [
    ("category=devtools", "category = 'devtools'"),
    ("impact=medium", "impact_level = 'medium'"),
    ("pay=yes", "would_pay_signal"),
    ("pay=no", "not would_pay_signal"),
    ("source=reddit", "source_counts['reddit'] > 0"),
    ("labeller=extractive", "labeler = 'extractive'"),
    ("labeller=nobody", "false"),
    ("from=2026-11-21&to=2026-11-22", "false"),
    ("q=the", "concat(canonical_title, chr(10), description) ilike '%the%'"),
]


@pytest.mark.parametrize(("query", "condition"), ISSUE_FILTERS)
def test_issues_are_narrowed_as_gold_says(page: Page, built: Project, query: str, condition: str) -> None:
    day = "" if query.startswith("from") else f"date={DAY}&"
    open_list(page, f"/issues.html?{day}{query}")
    wanted = built.query(f"select issue_id from gold.issues where {condition} order by day_rank")
    assert listed(page) == [issue_id for (issue_id,) in wanted]


PROBLEM_FILTERS = [
    ("status=all", "true"),
    ("status=dormant", "status = 'dormant'"),
    ("status=all&category=devtools", "category = 'devtools'"),
    ("status=all&impact=high", "impact_level = 'high'"),
    ("status=all&tier=certain", "tier = 'certain'"),
    ("status=all&tier=likely", "tier = 'likely'"),
    ("status=all&pay=yes", "would_pay_signal"),
    ("status=all&labeller=nobody", "false"),
    (f"status=all&date={DAY}", f"first_seen <= '{DAY}' and last_seen >= '{DAY}'"),
    ("status=all&from=2026-11-21", "last_seen >= '2026-11-21'"),
    ("status=all&source=github", "problem_id in (select problem_id from gold.problem_posts where source = 'github')"),
    (
        "status=all&q=merge+driver",
        "problem_id in (select problem_id from gold.problem_posts where title ilike '%merge%driver%')",
    ),
]


@pytest.mark.parametrize(("query", "condition"), PROBLEM_FILTERS)
def test_problems_are_narrowed_as_gold_says(page: Page, built: Project, query: str, condition: str) -> None:
    open_list(page, f"/?{query}")
    wanted = built.query(
        f"select problem_id from gold.problems where ({condition}) and not is_from_program"
        " order by demand_score desc, problem_id"
    )
    assert listed(page) == [problem_id for (problem_id,) in wanted]


def test_filters_are_in_the_address_and_can_be_cleared(board: Board, own: Page) -> None:
    board.put("problems", problem(1), problem(2, category="ai", labeler="some-model"))
    open_list(own, "/")
    expect(own.get_by_role("button", name="Clear filters")).to_be_hidden()
    own.get_by_label("Category").select_option("AI")
    expect(own.locator("#list > li")).to_have_count(1)
    more = own.get_by_role("button", name="More filters")
    expect(own.get_by_label("Labeller")).to_be_hidden()
    more.click()
    own.get_by_label("Labeller").select_option("some-model")
    expect(more).to_have_text(re.compile("1 set"))
    expect(own).to_have_url(re.compile(r"/\?category=ai&labeller=some-model$"))
    expect(own.locator("#count")).to_have_text("1 active problem matches")
    own.get_by_role("button", name="Clear filters").click()
    expect(own.locator("#list > li")).to_have_count(2)
    expect(own).to_have_url(re.compile(r"/$"))


def test_what_the_address_may_not_ask_for_is_left_out(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    hostile = {"category": 'ai" || 1=1', "source": "a > 0 || b", "from": "2026-02-30", "sort": "id", "status": "x"}
    open_list(own, f"/?{urllib.parse.urlencode(hostile)}")
    assert listed(own) == [record_id(1)]
    expect(own.get_by_role("button", name="Clear filters")).to_be_hidden()


SEARCHES = [
    ("100%", [1]),
    ("%", [1]),
    ("snake_case", [2]),
    ("_", [2]),
    ('"quoted"', [3]),
    ("it's", [3]),
    ("C:\\temp", [4]),
    ("\\", [4]),
    ("\\%", []),
    ("words both", [5]),
    ("BOTH", [5]),
    # A quote or the title of a post, and words of both and of the title.
    ("merge driver", [4]),
    ("driver temp", [4]),
    # More words than a filter may have comparisons.
    (" ".join(str(number) for number in range(10, 70)), []),
    ("both 100%", []),
    ('" || id != "', []),
]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board of titles that are hard to ask for."""
    titles = [
        "Disk at 100% again",
        "Lost snake_case names",
        'She said "quoted" and it\'s',
        "Path C:\\temp is full",
        "Has both",
    ]
    data = tmp_path_factory.mktemp("searched")
    with serve(data / "pb", free_address(), secrets.token_hex()) as server, signed_in(server) as board:
        records = [problem(number, title=title, description=title) for number, title in enumerate(titles, start=1)]
        records[3]["search_text"] = "Every merge ends in a conflict.\nA custom driver?"
        board.put("problems", *records[:-1], records[-1] | {"description": "The words are apart."})
        yield board


@pytest.mark.parametrize(("words", "numbers"), SEARCHES)
def test_search_takes_words_letter_by_letter(browser: Browser, searched: Board, words: str, numbers: list[int]) -> None:
    with faultless(browser, searched.url) as page:
        open_list(page, f"/?{urllib.parse.urlencode({'q': words})}")
        assert listed(page) == [record_id(number) for number in numbers]
        expect(page.get_by_label("Search")).to_have_value(words)


def test_search_as_one_types(browser: Browser, searched: Board) -> None:
    with faultless(browser, searched.url) as page:
        open_list(page, "/")
        field = page.get_by_label("Search")
        before = field.bounding_box()
        field.press_sequentially("snake")
        expect(page.locator("#count")).to_have_text("1 active problem matches")
        expect(page).to_have_url(re.compile(r"\?q=snake$"))
        expect(page.get_by_role("button", name="Clear filters")).to_be_visible()
        assert field.bounding_box() == before
        page.go_back()
        expect(page.locator("#list > li")).to_have_count(5)


def test_problems_are_sorted(board: Board, own: Page) -> None:
    board.put(
        "problems",
        problem(1, voices=5, first_seen="2026-11-18", trend="fading", recent_voices=3, earlier_voices=9),
        problem(2, voices=9, first_seen="2026-11-17", trend="steady"),
        problem(3, voices=7, first_seen="2026-11-19", trend="growing", recent_voices=8, earlier_voices=2),
    )
    for sort, numbers in {"demand": [1, 2, 3], "voices": [2, 3, 1], "newest": [3, 1, 2], "growing": [3, 2, 1]}.items():
        open_list(own, f"/?sort={sort}")
        assert listed(own) == [record_id(number) for number in numbers], sort


def test_issues_are_sorted(board: Board, own: Page) -> None:
    board.put(
        "issues",
        issue(1, cluster_size=7, confidence=0.3),
        issue(2, cluster_size=9, confidence=0.2),
        issue(3, cluster_size=8, confidence=0.9),
        # Topics without complaints come last, whatever the order.
        issue(4, cluster_size=99, confidence=1, complaints=0, without_complaints=True),
    )
    for sort, numbers in {"rank": [1, 2, 3, 4], "size": [2, 3, 1, 4], "confidence": [3, 1, 2, 4]}.items():
        open_list(own, f"/issues.html?sort={sort}")
        assert listed(own) == [record_id(number) for number in numbers], sort


def test_a_topic_says_how_many_of_its_posts_complain(board: Board, own: Page) -> None:
    topics = [
        issue(1),
        issue(2, cluster_size=50, complaints=1, without_complaints=True),
        # A record of an earlier version.
        issue(3, complaints=0),
    ]
    board.put("issues", *topics)
    open_list(own, "/issues.html")
    expect(own.locator(entry(own, topics[0]))).to_contain_text("4 complain")
    expect(own.locator(entry(own, topics[0]))).not_to_contain_text("Hardly a complaint")
    expect(own.locator(entry(own, topics[1]))).to_contain_text("1 complains")
    expect(own.locator(entry(own, topics[1]))).to_contain_text("Hardly a complaint")
    expect(own.locator(entry(own, topics[2]))).not_to_contain_text("complain")
    # A figure without words says nothing.
    expect(own.locator("#list")).not_to_contain_text("onfidence")
    own.goto(f"/issues.html?issue={record_id(2)}")
    expect(own.locator("[data-part=head]")).to_contain_text("Hardly a complaint")
    expect(own.locator("[data-part=numbers]")).to_contain_text(re.compile("Complaints *1 *of 50 posts"))
    expect(own.locator("[data-part=numbers]")).to_contain_text(re.compile("How tight *50% *How alike its posts are"))
    expect(own.get_by_role("navigation", name="Pages").get_by_role("link", name="Topics")).to_be_visible()


def test_days_are_stepped_through(board: Board, own: Page) -> None:
    board.put("issues", issue(1), issue(2, cluster_date="2026-11-16", day_rank=1))
    open_list(own, "/issues.html")
    own.get_by_role("link", name="Earlier").click()
    expect(own.locator("h1:visible")).to_have_text("Monday, 16 November 2026")
    expect(own.locator("#list h2")).to_have_text("Issue 2")
    own.get_by_label("Day", exact=True).fill(DAY)
    expect(own.locator("#list h2")).to_have_text("Issue 1")
    own.get_by_role("link", name="All days").click()
    expect(own.locator("#list h2")).to_have_text(["Issue 1", "Issue 2"])


def test_an_impact_that_is_not_known_is_left_out(board: Board, own: Page) -> None:
    board.put("problems", problem(1), problem(2, impact_level=""))
    open_list(own, "/")
    expect(own.locator("#list .impact")).to_have_text(["Medium impact"])
    own.goto(f"/?problem={record_id(2)}")
    expect(own.locator("h1:visible")).to_have_text("Problem 2")
    expect(own.locator(".impact:visible")).to_have_count(0)


HARD_NAME = 'C"<b>\\%&_'


def test_names_of_the_watchlist_narrow_the_list_and_are_compared(board: Board, own: Page) -> None:
    mention = {"name": HARD_NAME, "side": "own", "posts": 2, "voices": 1}
    other = {"name": "Slack", "side": "competitor", "posts": 4, "voices": 3}
    board.put("problems", problem(1), problem(2, names=[mention, other]), problem(3, names=[other]))
    open_list(own, "/")
    own.get_by_role("button", name="More filters").click()
    expect(own.get_by_label("Names")).to_be_hidden()
    own.get_by_role("button", name="Charts").click()
    expect(own.locator("figure")).to_have_count(2)
    board.put("watched_names", watched(1, HARD_NAME), watched(2, "Slack", trend="growing"))
    unheard = {"problems": 0, "recent_voices": 0, "recent_share": 0, "days": {}, "first_seen": ""}
    board.put("watched_names", watched(3, "Nobody", **unheard))
    board.put("week_figures", *FIGURES)
    open_list(own, "/?pictures=open")
    table = own.locator(".names-picture")
    expect(table.locator("tbody tr")).to_have_text(
        [
            re.compile(re.escape(HARD_NAME) + r" yours\s*2\s*1\s*25%\s*75%\s*→ Steady"),
            re.compile(r"Slack\s*2\s*1\s*25%\s*75%\s*↗ Growing"),
            re.compile(r"Nobody\s*0\s*0\s*0%\s*75%\s*Never mentioned"),
        ]
    )
    expect(own.locator("#list .watched")).to_have_text([f"Mentions {HARD_NAME}, Slack", "Mentions Slack"])
    expect(own.locator("#list .watched .own")).to_have_text([HARD_NAME])
    own.get_by_role("button", name="More filters").click()
    own.get_by_label("Names").select_option("Slack")
    expect(own).to_have_url(re.compile(r"\?name=Slack&pictures=open$"))
    expect(own.locator("#list h2")).to_have_text(["Problem 2", "Problem 3"])
    table.get_by_role("link", name=HARD_NAME).click()
    expect(own.locator("#list h2")).to_have_text(["Problem 2"])
    own.locator("#list h2 a").click()
    names = own.locator("header .names")
    expect(names).to_have_text(f"Mentions {HARD_NAME} (yours, 1 of 3 voices), Slack (a competitor, 3 of 3 voices)")
    names.get_by_role("link", name="Slack").click()
    expect(own.locator("#list h2")).to_have_text(["Problem 2", "Problem 3"])


def test_the_list_is_saved_as_it_is_filtered(board: Board, own: Page) -> None:
    formula, text = "=1+1", 'He said "no",\nthen left. Café'
    quotes = problem(1)["quotes"]
    board.put("problems", problem(1, title=formula, description=text, impact_level="", demand_score=-1.5))
    board.put("problems", problem(2), problem(3, category="ai"), problem(4, is_from_program=True))
    board.put("issues", issue(1, canonical_title="+1"))

    def saved(name: str) -> tuple[str, str]:
        with own.expect_download() as download:
            own.get_by_role("button", name=name, exact=True).click()
        return download.value.suggested_filename, download.value.path().read_text()

    open_list(own, "/?category=devtools&sort=growing")
    own.get_by_role("button", name="Download").click()
    name, content = saved("CSV")
    assert name == f"groundswell-problems-{DAY}.csv"
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["problem_id"] for row in rows] == [record_id(2), record_id(1)]
    # As in the files of groundswell/export.py: a text that is taken for a formula gets an apostrophe, a number none.
    last = rows[-1]
    assert (last["title"], last["demand_score"], last["description"]) == ("'=1+1", "-1.5", text)
    assert (last["first_seen"], last["impact_level"], json.loads(last["quotes"])) == (DAY, "", quotes)
    assert last["link"] == f"{board.url}/?problem={record_id(1)}"
    expect(own.locator("#download [role=status]")).to_have_text("2 problems saved.")
    name, content = saved("JSON")
    problems = json.loads(content)
    assert (name, len(problems)) == (f"groundswell-problems-{DAY}.json", 2)
    assert (problems[1]["title"], problems[1]["impact_level"], problems[1]["quotes"]) == (formula, None, quotes)
    open_list(own, "/issues.html")
    own.get_by_role("button", name="Download").click()
    [topic] = csv.DictReader(io.StringIO(saved("CSV")[1], newline=""))
    assert (topic["canonical_title"], topic["cluster_date"]) == ("'+1", DAY)
    open_list(own, "/themes.html")
    own.get_by_role("button", name="Download").click()
    own.get_by_role("button", name="CSV", exact=True).click()
    expect(own.locator("#download [role=status]")).to_have_text("There is no theme to save.")


def test_a_picture_sets_the_filters(board: Board, own: Page) -> None:
    board.put("problems", problem(1), problem(2, category="ai", impact_level="high"))
    open_list(own, "/")
    expect(own.locator("figure")).to_have_count(0)
    own.get_by_role("button", name="Charts").click()
    expect(own).to_have_url(re.compile(r"\?pictures=open$"))
    own.get_by_role("button", name="AI, high impact: 1 problem").click()
    expect(own).to_have_url(re.compile(r"\?category=ai&impact=high&pictures=open$"))
    expect(own.locator("#list h2")).to_have_text(["Problem 2"])


def test_the_map_has_the_posts_of_the_day_that_match(board: Board, own: Page) -> None:
    issues = [issue(1), issue(2, category="ai"), issue(3, cluster_date="2026-11-19")]
    board.put("issues", *issues)
    posts = [evidence(number, issues[0]) for number in range(1, 1200)]
    posts += [evidence(2001, issues[1]), evidence(2002, issues[2])]
    board.put("issue_evidence", *[row | {"map_x": 0.5, "map_y": 0.5} for row in posts])
    own.goto("/issues.html?pictures=open")
    expect(own.locator("figcaption", has_text="1,200 posts")).to_be_visible()
    own.goto("/issues.html?pictures=open&category=devtools")
    expect(own.locator("figcaption", has_text="1,199 posts")).to_be_visible()


# --- Opened -------------------------------------------------------------------------------------


def test_an_issue_opens_to_the_posts_behind_it(page: Page, built: Project) -> None:
    open_list(page, f"/issues.html?date={DAY}")
    page.locator("#list h2 a").first.click()
    [(issue_id, size)] = built.query("select issue_id, cluster_size from gold.issues where day_rank = 1")
    links = page.locator(".post h3 a")
    expect(links).to_have_count(size)
    urls = {url for (url,) in built.query(f"select url from gold.issue_evidence where issue_id = '{issue_id}'")}
    assert {link.get_attribute("href") for link in links.all()} == urls
    assert {link.get_attribute("rel") for link in links.all()} == {"noopener noreferrer nofollow ugc"}


def test_an_issue_has_an_address_of_its_own(page: Page, built: Project) -> None:
    [(issue_id, title)] = built.query("select issue_id, canonical_title from gold.issues where day_rank = 2")
    page.goto(f"/issues.html?issue={issue_id}")
    expect(page.locator("h1:visible")).to_have_text(title)
    assert page.locator("h1:visible").evaluate("(heading) => heading === document.activeElement")
    page.get_by_role("link", name="All topics").click()
    expect(page.locator("#list > li")).to_have_count(built.query("select count(*) from gold.issues")[0][0])


def test_a_problem_has_an_address_of_its_own(page: Page, built: Project) -> None:
    [(problem_id, title, posts)] = built.query(
        "select problem_id, title, post_count from gold.problems order by demand_score desc limit 1"
    )
    page.goto(f"/?problem={problem_id}")
    expect(page.locator("h1:visible")).to_have_text(title)
    expect(page.locator(".post")).to_have_count(posts)
    known = built.query(f"select count(*) from gold.problem_issues where problem_id = '{problem_id}'")[0][0]
    expect(page.locator("[data-part=issues] a")).to_have_count(known)


def test_an_old_address_of_an_issue_still_leads_to_it(board: Board, own: Page) -> None:
    board.put("issues", issue(1))
    own.goto(f"/?date={DAY}#{record_id(1)}")
    expect(own.locator("h1:visible")).to_have_text("Issue 1")


def test_the_parts_of_demand_add_up(board: Board, own: Page) -> None:
    parts = {
        "voices_score": 8.5,
        "engagement_score": 2.25,
        "sources_score": 2,
        "persistence_score": 1,
        "payment_score": 4,
        "certainty_score": 1.5,
        "urgency_score": 2.5,
    }
    board.put("problems", problem(1, **parts, agreement_score=7.0, demand_score=28.75))
    own.goto(f"/?problem={record_id(1)}")
    own.get_by_text("How the demand score of 28.75 adds up").click()
    numbers = [float(text) for text in own.locator("tbody .number").all_inner_texts()]
    assert len(numbers) == 8
    assert sum(numbers) == 28.75
    assert own.locator("tfoot .number").inner_text() == "28.75"
    expect(own.locator("tbody tr", has_text="Agreement")).to_contain_text(
        "16 times the chance that two of its posts say the same"
    )


def test_history_links_related_problems_and_existing_issues(board: Board, own: Page) -> None:
    event = {"event": "split from", "event_date": DAY, "posts": 2, "related_problem_id": record_id(2)}
    gone = event | {"event": "merged into", "related_problem_id": record_id(9)}
    problems = [problem(1, events=[event, gone]), problem(2)]
    board.put("issues", issue(1), issue(2))
    board.put("issue_evidence", evidence(1, issue(1)), evidence(2, issue(2)))
    board.put("problems", *problems)
    board.put("problem_posts", post(1, problems[0]), post(3, problems[0]))
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator("[data-part=issues] a")).to_have_text("Issue 1")
    expect(own.locator(".events")).to_contain_text("no longer on the board")
    own.locator(".events a").click()
    expect(own.locator("h1:visible")).to_have_text("Problem 2")
    own.get_by_role("link", name="All problems").click()
    expect(own.locator("#list > li")).to_have_count(2)


def test_a_problem_of_months_is_told_by_week(board: Board, own: Page) -> None:
    life = [(4, 4, ["opened"]), (2, 1, []), (0, 0, ["dormant"]), (3, 0, ["reopened", HOSTILE])]
    weeks = [
        {
            "week_start": f"2026-11-{2 + 7 * place:02d}",
            "voices": voices,
            "new_voices": new,
            "total_voices": 5,
            "events": events,
        }
        for place, (voices, new, events) in enumerate(life)
    ]
    event = {"event": "continued", "event_date": DAY, "posts": 2, "related_problem_id": None}
    records = [problem(1), problem(2, weeks=weeks), problem(3, weeks=weeks[:3])]
    board.put("problems", *[record | {"events": [*record["events"], event]} for record in records])
    own.goto(f"/?problem={record_id(2)}")
    moved = own.locator("[data-part=days]")
    expect(moved.locator("figcaption")).to_contain_text("Voices a week")
    expect(moved.locator("li")).to_have_text(
        ["heard for the first time", "heard before", "●opened", "▲heard again", "○went quiet"]
    )
    assert moved.locator("svg title").all_text_contents() == [
        "Week of 2 November: 4 voices; opened",
        "Week of 9 November: 2 voices, 1 new",
        "Week of 16 November: 0 voices; went quiet",
        "Week of 23 November: 3 voices; heard again",
    ]
    moved.get_by_text("Show as table").click()
    expect(moved.locator("tbody tr").nth(1)).to_have_text("9 Nov 2026215")
    # The bars say that it was heard again.
    expect(own.locator(".events li")).to_have_text([re.compile("Opened by 4 posts")])
    own.goto(f"/?problem={record_id(3)}")
    expect(own.locator("[data-part=days]")).to_contain_text("Voices a day")
    expect(own.locator(".events li")).to_have_count(2)


def test_quotes_say_where_they_are_from_and_whether_they_speak_of_paying(board: Board, own: Page) -> None:
    quote = {
        "quote": "I would pay for that.",
        "source": "reddit",
        "url": "https://example.com/q",
        "supports_payment": True,
    }
    board.put("problems", problem(1, quotes=[quote]))
    own.goto(f"/?problem={record_id(1)}")
    figure = own.locator("figure.quote")
    expect(figure.locator("blockquote")).to_have_text("I would pay for that.")
    expect(figure.get_by_role("link", name="Reddit")).to_have_attribute("href", "https://example.com/q")
    expect(figure).to_contain_text("Speaks of paying")


def test_quotes_of_a_problem_add_to_its_title_and_its_description(board: Board, own: Page) -> None:
    def quotes(*texts: str) -> list[dict[str, Any]]:
        return [
            {"quote": text, "source": "github", "url": "https://example.com/q", "supports_payment": False}
            for text in texts
        ]

    title, description = "Build … hangs for hours", "Ours hangs each night."
    number, other = "Build 7412 hangs for hours", "Mine hung twice this week."
    board.put(
        "problems",
        problem(1, title=title, description=description, quotes=quotes(number, description, other)),
        # What is said nowhere else is better than no quote.
        problem(2, title=title, description=description, quotes=quotes(number)),
    )
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator("figure.quote blockquote")).to_have_text([other])
    own.goto(f"/?problem={record_id(2)}")
    expect(own.locator("figure.quote blockquote")).to_have_text([number])


def test_quotes_of_a_topic_add_to_its_title_and_its_description(board: Board, own: Page) -> None:
    title, description, other = "Build hangs for hours", "Ours hangs each night.", "Mine hung twice this week."
    topic = issue(1, canonical_title=title, description=description)
    board.put("issues", topic)
    said = enumerate((title, description, other), start=1)
    board.put("issue_evidence", *(evidence(number, topic) | {"quote": quote} for number, quote in said))
    own.goto(f"/issues.html?issue={record_id(1)}")
    expect(own.locator("figure.quote blockquote")).to_have_text([other])


def test_only_a_sentence_of_a_post_stands_in_quotation_marks(board: Board, own: Page) -> None:
    board.put("problems", problem(1, description="It hangs."), problem(2, description="It hangs.", labeler="openai/x"))
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator(".description q")).to_have_text("It hangs.")
    own.goto(f"/?problem={record_id(2)}")
    expect(own.locator(".description")).to_have_text("It hangs.")
    expect(own.locator(".description q")).to_have_count(0)


def test_cohesion_is_put_in_words(board: Board, own: Page) -> None:
    board.put("problems", problem(1, cohesion=0.799), problem(2, cohesion=0.8))
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator("[data-part=sure] dl")).to_contain_text(re.compile("Look twice.*0.79 of 1"))
    own.goto(f"/?problem={record_id(2)}")
    expect(own.locator("[data-part=sure] dl")).to_contain_text(re.compile("The texts are.*0.80 of 1"))


SURENESS = [
    ({"tier": "certain", "agreement": 0.75}, "One problem, or one program", "with a chance of 75%"),
    # Rounded down: from 75% on a problem is certain.
    ({"tier": "likely", "agreement": 0.7499}, "One problem, or closely related ones", "with a chance of 74%"),
    # In binary 0.29 * 100 is less than 29.
    ({"tier": "emerging", "agreement": 0.29}, "One subject; read the posts", "with a chance of 29%"),
    ({"tier": "emerging"}, "One subject; read the posts", "is not known"),
]


@pytest.mark.parametrize(("fields", "says", "chance"), SURENESS)
def test_how_sure_a_problem_is_is_put_in_words(board: Board, own: Page, fields: Record, says: str, chance: str) -> None:
    board.put("problems", problem(1, **fields))
    own.goto(f"/?problem={record_id(1)}")
    figure = own.locator("dl > div", has_text="One problem?")
    expect(figure.locator("dd")).to_contain_text(says)
    expect(figure.locator(".note")).to_contain_text("two of its posts say the same", ignore_case=True)
    expect(figure.locator(".note")).to_contain_text(chance)
    expect(own.locator("header .tier")).to_have_text(f"How sure: {fields['tier'].capitalize()}")


def test_a_record_of_an_earlier_version_does_not_say_how_sure_it_is(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator("[data-part=sure] dl")).to_contain_text("How alike")
    expect(own.locator("[data-part=sure] dl")).not_to_contain_text("One problem?")


def test_back_leads_to_where_one_was(board: Board, own: Page) -> None:
    board.put("problems", *[problem(number, category="ai") for number in range(1, 151)])
    open_list(own, "/?category=ai")
    load(own, 150)
    last = own.locator(entry(own, problem(140)))
    last.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
    top = top_of(last)
    last.locator("h2 a").click()
    expect(own.locator("h1:visible")).to_have_text("Problem 140")
    own.go_back()
    expect(last).to_be_in_viewport()
    expect(own).to_have_url(re.compile(r"\?category=ai$"))
    expect(last.locator("h2 a")).to_be_focused()
    assert abs(top_of(last) - top) <= 1


def test_back_from_another_page_leads_to_where_one_was(board: Board, own: Page) -> None:
    board.put("problems", *[problem(number) for number in range(1, 151)])
    open_list(own, "/")
    load(own, 150)
    last = own.locator(entry(own, problem(140)))
    last.scroll_into_view_if_needed()
    own.evaluate("document.querySelector('.pages a:not([aria-current])').click()")
    expect(own).to_have_title(re.compile("Themes"))
    own.go_back()
    expect(last).to_be_in_viewport()


def test_what_is_not_there_is_said(board: Board, own: Page) -> None:
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator("h1:visible")).to_have_text("This problem is not on the board")
    own.goto(f"/issues.html?issue={record_id(1)}")
    expect(own.locator("h1:visible")).to_have_text("This topic is not on the board")
    # What is no id names nothing, and reaches no filter.
    for address, noun in (
        ("/?problem=", "problem"),
        ("/themes.html?theme=", "theme"),
        ("/issues.html?issue=", "topic"),
    ):
        own.goto(f"{address}%22%20%7C%7C%20id%20!=%20%22")
        expect(own.locator("h1:visible")).to_have_text(f"This address names no {noun}")
        expect(own.locator("#opened")).to_contain_text('" || id != "')
        own.locator(".crumb a").click()
        expect(own.locator("#overview-title")).to_be_visible()


# --- Live ---------------------------------------------------------------------------------------


def test_what_is_pushed_appears_marked_and_moves_nothing(board: Board, own: Page) -> None:
    board.put("problems", *[problem(number) for number in range(10, 60)])
    open_list(own, "/")
    wait_until_live(own)
    load(own, 50)
    read = own.locator(entry(own, problem(40)))
    read.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
    read.locator("h2 a").focus()
    top = top_of(read)
    board.put("problems", problem(1, title="Brand new"), problem(41, title="Put otherwise"))
    changed = own.locator(entry(own, problem(41)))
    expect(changed.locator("h2")).to_have_text("Put otherwise")
    expect(changed.locator(".mark")).to_contain_text("Changed")
    expect(own.locator(entry(own, problem(1))).locator(".mark")).to_contain_text("New")
    expect(own.locator("#announcement")).to_have_text("1 problem new, 1 changed")
    assert abs(top_of(read) - top) <= 1
    expect(read.locator("h2 a")).to_be_focused()


def test_what_is_deleted_vanishes(board: Board, own: Page) -> None:
    board.put("issues", issue(1), issue(2))
    open_list(own, "/issues.html")
    wait_until_live(own)
    board.delete("issues", issue(1))
    expect(own.locator("#list h2")).to_have_text(["Issue 2"])
    expect(own.locator("#count")).to_have_text("1 topic")


def test_what_is_opened_stays_open_and_is_brought_up_to_date(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    board.put("problem_posts", post(1, problem(1)))
    own.goto(f"/?problem={record_id(1)}")
    own.get_by_text("How the demand score").click()
    wait_until_live(own)
    expect(own.locator(".post")).to_have_count(1)
    board.put("problems", problem(1, description="It costs them more.", voices=4))
    expect(own.locator(".description")).to_have_text("It costs them more.")
    expect(own.locator("table >> nth=0")).to_be_visible()
    board.put("problem_posts", post(2, problem(1)))
    expect(own.locator(".post")).to_have_count(2)
    board.delete("problems", problem(1))
    expect(own.locator(".gone")).to_contain_text("left the board")
    expect(own.locator("h1:visible")).to_have_text("Problem 1")


def test_a_newer_day_is_offered(board: Board, own: Page) -> None:
    board.put("issues", issue(1))
    open_list(own, "/issues.html")
    wait_until_live(own)
    board.put("issues", issue(2, cluster_date="2026-11-21"))
    own.get_by_role("link", name="Show it").click()
    expect(own.locator("#list h2")).to_have_text(["Issue 2"])


def test_the_first_push_fills_an_empty_board(board: Board, own: Page) -> None:
    for address, collection, record in (("/", "problems", problem(1)), ("/issues.html", "issues", issue(1))):
        open_list(own, address)
        wait_until_live(own)
        board.put(collection, record)
        expect(own.locator("#list > li")).to_have_count(1)


def test_a_storm_of_changes_is_weathered(board: Board, own: Page) -> None:
    board.put("issues", *[issue(number) for number in range(1, 401)])
    open_list(own, "/issues.html")
    wait_until_live(own)
    load(own, 80)
    read = own.locator("#list > li").nth(50)
    read.evaluate("(node) => node.scrollIntoView({ block: 'center' })")
    top = top_of(read)
    board.put("issues", *[issue(number, canonical_title=f"Again {number}") for number in range(1, 2001)])
    expect(own.locator("#count")).to_have_text("2,000 topics")
    expect(read.locator("h2")).to_have_text("Again 51")
    assert abs(top_of(read) - top) <= 1


def test_a_lost_connection_is_said_and_heals(browser: Browser, tmp_path: Path) -> None:
    address, password = free_address(), secrets.token_hex()
    # A page that loses its server has errors in its console: it is not held to have none.
    page = browser.new_page()
    with serve(tmp_path / "pb", address, password) as server, signed_in(server) as board:
        board.put("problems", problem(1))
        open_list(page, f"{server.url}/")
        wait_until_live(page)
    dot = "getComputedStyle(document.getElementById('live'), '::before').backgroundColor"
    expect(page.locator("#live")).to_have_text("Connection lost, trying again…")
    assert page.evaluate(dot) == "rgba(0, 0, 0, 0)"
    expect(page.locator("#list > li")).to_have_count(1)
    with serve(tmp_path / "pb", address, password) as server, signed_in(server) as board:
        board.put("problems", problem(2))
        expect(page.locator("#live")).to_have_text("Live", timeout=20_000)
        assert page.evaluate(dot) != "rgba(0, 0, 0, 0)"
        expect(page.locator("#list > li")).to_have_count(2)
        board.put("problems", problem(3))
        expect(page.locator("#list > li")).to_have_count(3)
        page.close()


# --- Trouble ------------------------------------------------------------------------------------


def test_hostile_posts_are_inert(page: Page, built: Project) -> None:
    hostile = built.query(
        "select distinct issue_id from gold.issue_evidence where title like '%<%' or body like '%<script%'"
    )
    assert hostile
    for (issue_id,) in hostile:
        [(size,)] = built.query(f"select cluster_size from gold.issues where issue_id = '{issue_id}'")
        page.goto(f"/issues.html?issue={issue_id}")
        expect(page.locator(".post")).to_have_count(size)
        assert page.locator("main script, main img, main iframe").count() == 0
        assert page.locator("main a[href^='javascript:']").count() == 0


def test_hostile_records_are_inert(board: Board, own: Page) -> None:
    quote = {"quote": HOSTILE, "source": HOSTILE, "url": "javascript:alert(3)", "supports_payment": True}
    event = {"event": HOSTILE, "event_date": HOSTILE[:10], "posts": 1, "related_problem_id": '" || id != "'}
    related = {"issue_id": '" || id != "', "cluster_date": DAY, "post_count": 1}
    hostile = problem(1, title=HOSTILE, description=HOSTILE, labeler=HOSTILE, quotes=[quote], issues=[related])
    board.put("problems", hostile | {"events": hostile["events"] + [event], "source_counts": {HOSTILE: 4}})
    board.put(
        "problem_posts",
        post(1, hostile, title=HOSTILE, excerpt=HOSTILE, url="javascript:alert(4)", source=HOSTILE[:50]),
    )
    board.put("issues", issue(1, canonical_title=HOSTILE))
    for address in (
        "/?pictures=open",
        "/issues.html?pictures=open",
        f"/?problem={record_id(1)}",
        f"/issues.html?issue={record_id(1)}",
    ):
        own.goto(address)
        expect(own.locator("#list h2:visible, #opened h1:visible").get_by_text("onerror")).to_be_visible()
        assert own.locator("main script, main img, main iframe, main [onerror]").count() == 0
        assert own.locator("a[href^='javascript:']").count() == 0
    own.goto(f"/?problem={record_id(1)}")
    expect(own.locator(".post")).to_contain_text("onerror")
    assert own.locator(".post a, figure.quote a").count() == 0


def test_an_empty_board_says_so(board: Board, own: Page) -> None:
    own.goto("/")
    expect(own.locator("#below")).to_contain_text("No problems yet: nothing has been pushed")
    expect(own.locator("#below")).to_contain_text("python -m groundswell day --date")
    # No filter hides them.
    own.goto("/?category=finance")
    expect(own.locator("#below")).to_contain_text("No problems yet: nothing has been pushed")
    own.goto("/issues.html")
    expect(own.locator("#below")).to_contain_text("No topics yet: nothing has been pushed")


def test_a_day_without_problems_says_why(board: Board, own: Page) -> None:
    own.goto("/")
    wait_until_live(own)
    # The topics of a day come first; a build that fails then pushes no more.
    board.put("issues", issue(1))
    own.reload()
    expect(own.locator("#below")).to_contain_text("only the topics up to 20 Nov 2026")
    expect(own.locator("#below")).to_contain_text(f"python -m groundswell build --date {DAY}")
    wait_until_live(own)
    board.put("searches", search())
    expect(own.locator("#below")).to_contain_text(
        "No problem was found up to 20 Nov 2026. 2,400 posts of 2 days were read; 887 of them complain."
        " 5 pairs of complaints have a chance of 50% or more to be the same problem."
    )
    groups = own.locator("#below .near > li")
    # The chance is rounded down: it is below the limit.
    expect(groups).to_have_text(
        [
            re.compile("Login fails *Cannot log in *4 posts, 3 voices, chance 49%: a problem needs a chance of 50%"),
            re.compile("Slow *2 posts, 2 voices, chance 70%: 2 voices, and a problem needs 3"),
        ]
    )
    expect(own.locator("#below")).to_contain_text("More days: 2 of the last 14 days have posts.")
    expect(own.locator("#below")).not_to_contain_text("pushed")


def test_a_board_with_few_problems_says_why(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    board.put("searches", search(problems=1))
    open_list(own, "/")
    expect(own.locator("#list > li")).to_have_count(1)
    expect(own.locator("#below")).to_contain_text(
        "1 problem was found up to 20 Nov 2026. 2,400 posts of 2 days were read"
    )
    expect(own.locator("#below .near > li")).to_have_count(2)
    # With a filter, the list is short for another reason.
    open_list(own, "/?category=devtools")
    expect(own.locator("#list > li")).to_have_count(1)
    expect(own.locator("#below")).to_be_empty()
    wait_until_live(own)
    board.put("problems", problem(2), problem(3))
    own.goto("/")
    expect(own.locator("#list > li")).to_have_count(3)
    expect(own.locator("#below")).to_be_empty()


def test_what_explains_an_empty_board_is_inert(board: Board, own: Page) -> None:
    group = search()["nearest_groups"][0] | {"titles": [HOSTILE], "reason": HOSTILE, "chance": None}
    board.put("searches", search(nearest_groups=[group], advice=[HOSTILE]))
    own.goto("/")
    expect(own.locator("#below .near")).to_contain_text("onerror")
    expect(own.locator("#below .near")).to_contain_text("chance unknown")
    assert own.locator("#below img, #below script").count() == 0


def test_a_day_without_issues_says_so(page: Page) -> None:
    page.goto("/issues.html?date=2001-01-01")
    expect(page.locator("#below")).to_contain_text("No topics here")
    page.get_by_role("link", name="the latest day").click()
    expect(page.locator("#list > li").first).to_be_visible()


def test_filters_that_nothing_matches_can_be_cleared(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    open_list(own, "/?category=finance")
    expect(own.locator("#count")).to_have_text("0 active problems match")
    expect(own.locator("#below")).to_contain_text("No problem matches these filters. The board has 1 problem.")
    own.locator("#below").get_by_role("button", name="Clear filters").click()
    expect(own.locator("#list > li")).to_have_count(1)


@pytest.mark.parametrize("address", ["/", "/issues.html", f"/?problem={record_id(1)}"])
def test_a_server_error_is_shown_and_can_be_retried(browser: Browser, board: Board, address: str) -> None:
    board.put("problems", problem(1))
    board.put("issues", issue(1))
    page = browser.new_page()
    page.route("**/api/collections/**", lambda route: route.fulfill(status=500, body="{}"))
    page.goto(board.url + address)
    expect(page.locator("main .error").first).to_have_text("The server answered with an error (500).")
    page.unroute("**/api/collections/**")
    page.get_by_role("button", name="Try again").first.click()
    expect(page.locator("main h2, main h1:visible").get_by_text(re.compile("(Problem|Issue) 1"))).to_be_visible()
    page.close()


def test_an_answer_that_comes_late_is_not_shown(board: Board, own: Page) -> None:
    board.put("problems", problem(1, title="Slow one"), problem(2, category="ai"))
    held: list[Route] = []
    open_list(own, "/?category=ai")
    own.route("**/api/collections/problems/**slow**", lambda route: held.append(route))
    with own.expect_request("**/api/collections/problems/**slow**"):
        own.get_by_label("Search").fill("slow")
    own.get_by_label("Search").fill("")
    expect(own.locator("#list h2")).to_have_text(["Problem 2"])
    for route in held:
        route.continue_()
    expect(own.locator("#list h2")).to_have_text(["Problem 2"])
    assert held


def test_the_policy_forbids_inline_script(page: Page) -> None:
    for address in ("/", "/issues.html"):
        page.goto(address)
        policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
        assert policy
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy


def test_a_page_comes_with_its_styles(board: Board, own: Page) -> None:
    board.put("problems", problem(1))
    asked: list[str] = []
    own.on("request", lambda request: asked.append(urllib.parse.urlsplit(request.url).path))
    nonces = set()
    for address in ("/", "/issues.html", "/themes.html"):
        answer = own.goto(address)
        assert answer
        [nonce] = re.findall("style-src 'self' 'nonce-([A-Za-z0-9]{24})'", answer.headers["content-security-policy"])
        nonces.add(nonce)
        expect(own.locator(".masthead")).to_have_css("display", "flex")
    assert len(nonces) == 3
    assert "/board.css" not in asked


# --- Large, small, by keyboard, by ear ----------------------------------------------------------


def test_five_thousand_issues_are_scrolled_to_the_end(board: Board, own: Page) -> None:
    board.put("issues", *[issue(number) for number in range(1, 5001)])
    open_list(own, "/issues.html")
    expect(own.locator("#count")).to_have_text("5,000 topics")
    load(own, 5000)
    assert len(set(listed(own))) == 5000
    own.locator("#list h2 a").last.click()
    expect(own.locator("h1:visible")).to_have_text("Issue 5000")


def test_more_can_be_asked_for_by_keyboard(board: Board, own: Page) -> None:
    board.put("problems", *[problem(number) for number in range(1, 131)])
    # Nothing is ever near where there is no observer to say so.
    own.add_init_script("IntersectionObserver.prototype.observe = () => {}")
    open_list(own, "/")
    for before, shown in ((20, 40), (40, 80), (80, 130)):
        own.get_by_role("button", name="Show more").press("Enter")
        expect(own.locator("#list > li")).to_have_count(shown)
        expect(own.locator("#list > li").nth(before).locator("a")).to_be_focused()


SCREENS = [(1280, 800, 5), (390, 844, 2)]
WIDTHS = (320, 600, 800, 1000, 2560)
# How many entries of the list are to be seen without scrolling.
SEEN = """() => [...document.querySelectorAll("#list > li")].filter(
    (item) => item.getBoundingClientRect().bottom <= innerHeight
).length"""
# How many lines the text of each of some cells takes.
LINES = """(cells) => cells.map((cell) => {
    const range = document.createRange()
    range.selectNodeContents(cell)
    return range.getClientRects().length
})"""


def test_screens_of_all_sizes(browser: Browser, board: Board) -> None:
    title = (
        "Enforce a hard spending limit for each key of an interface that only sends alerts to the owner of the account"
    )
    course = {
        "daily_voices": {"2026-11-12": {"github": 1}, DAY: {"github": 2}},
        "tier": "certain",
        "would_pay_signal": True,
    }
    many = [problem(number, title=title, **course) for number in range(2, 12)]
    long = problem(
        1,
        title="java.lang.IllegalStateException:" + "x" * 80,
        demand_score=9.29,
        voices_score=9.29,
        **course,
        names=[{"name": "w" * 100, "side": "own", "posts": 1, "voices": 1}],
    )
    board.put("problems", long, *many)
    board.put("problem_posts", post(1, long, title="z" * 300))
    board.put("issues", issue(1, canonical_title="y" * 120))
    board.put("searches", search(problems=11))
    board.put("week_figures", *FIGURES)
    board.put("watched_names", watched(1, "v" * 100), watched(2, "Slack"))
    addresses = (
        "/?pictures=open",
        "/issues.html?pictures=open",
        f"/?problem={record_id(1)}",
        f"/issues.html?issue={record_id(1)}",
    )
    with faultless(browser, board.url) as page:
        for width, height, least in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            open_list(page, "/")
            expect(page.locator("#week")).to_be_visible()
            assert page.evaluate(SEEN) >= least, (width, height)
        for address in addresses:
            page.goto(address)
            expect(page.locator("main h1:visible, #list h2").first).to_be_visible()
            expect(page.locator("[aria-busy]:visible")).to_have_count(0)
            for fold in page.locator("#opened summary:visible").all():
                fold.click()
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 700})
                assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), (
                    address,
                    width,
                )
                # A number stays in its line.
                lines = page.locator(".fold tbody .number:visible").evaluate_all(LINES)
                assert set(lines) <= {1}


def test_filters_unfold_on_a_phone(browser: Browser, board: Board) -> None:
    with faultless(browser, board.url, viewport=PHONE) as page:
        page.goto("/")
        toggle = page.get_by_role("button", name="More filters")
        top = top_of(toggle)
        for label in ("Category", "How sure"):
            expect(page.get_by_label(label)).to_be_hidden()
        toggle.click()
        for label in ("Category", "How sure"):
            expect(page.get_by_label(label)).to_be_visible()
        assert top_of(toggle) == top


def test_a_problem_is_opened_and_closed_by_keyboard_alone(board: Board, own: Page) -> None:
    board.put("problems", problem(1), problem(2))
    open_list(own, "/")
    own.keyboard.press("Tab")
    expect(own.get_by_role("link", name="Skip to the problems")).to_be_focused()
    own.keyboard.press("Enter")
    # Past the filters.
    expect(own.locator(entry(own, problem(1))).locator("h2 a")).to_be_focused()
    own.keyboard.press("Tab")
    link = own.locator(entry(own, problem(2))).locator("h2 a")
    expect(link).to_be_focused()
    # The ring stands around all of the entry, and its text stands inside it.
    ring = link.evaluate("(link) => getComputedStyle(link.closest('li')).outlineStyle")
    inset = link.evaluate(
        "(link) => [...link.closest('li').children].map((part) => part.getBoundingClientRect().left)[0]"
        " - link.closest('li').getBoundingClientRect().left"
    )
    assert (ring, inset >= 6) == ("solid", True)
    own.keyboard.press("Enter")
    expect(own.locator("h1:visible")).to_have_text("Problem 2")
    expect(own.locator("h1:visible")).to_be_focused()
    own.keyboard.press("Shift+Tab")
    own.keyboard.press("Enter")
    expect(link).to_be_focused()


def test_single_keys(board: Board, own: Page) -> None:
    board.put("problems", problem(1), problem(2), problem(3))
    open_list(own, "/")
    links = own.locator("#list h2 a")
    for key, number in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)):
        own.keyboard.press(key)
        expect(links.nth(number)).to_be_focused()
    own.keyboard.press("Enter")
    expect(own.locator("h1:visible")).to_have_text("Problem 2")
    own.keyboard.press("Escape")
    expect(links.nth(1)).to_be_focused()
    own.keyboard.press("/")
    search_box = own.get_by_label("Search")
    expect(search_box).to_be_focused()
    # In a field the keys are letters.
    own.keyboard.type("jk/")
    expect(search_box).to_have_value("jk/")
    own.keyboard.press("Escape")
    expect(search_box).to_have_value("")
    expect(links).to_have_count(3)
    own.keyboard.press("Escape")
    expect(search_box).not_to_be_focused()
    more = own.get_by_role("button", name="More filters")
    more.click()
    own.keyboard.press("Escape")
    expect(more).to_have_attribute("aria-expanded", "false")
    # They can be turned off, and stay so.
    own.get_by_role("button", name="Turn them off").click()
    own.reload()
    expect(links).to_have_count(3)
    own.keyboard.press("j")
    own.keyboard.press("/")
    assert own.evaluate("document.activeElement === document.body")


LABELS = """async () => {
    const { dotSums, labelLines, placeBoxes } = await import("/pictures.js")
    const [width, height, radius] = [800, 500, 4]
    let seed = 1
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
    const dots = Array.from({ length: 150 }, () => [random() * width, random() * height])
    const boxes = dots.slice(0, 12).map(([x, y]) => ({ x, y, width: 150, height: 45 }))
    const placed = placeBoxes(boxes, dotSums(dots, radius, width, height), width, height)
    const overlaps = ({ left, top }, [x, y]) =>
        x + radius > left && x - radius < left + 150 && y + radius > top && y - radius < top + 45
    const isOutside = ({ left, top }) => left < 0 || top < 0 || left + 150 > width || top + 45 > height
    return {
        placed: placed.length,
        covered: placed.filter((box) => dots.some((dot) => overlaps(box, dot))).length,
        outside: placed.filter(isOutside).length,
        whole: labelLines("A title of more than twenty characters is whole").join(" "),
        cut: labelLines("word ".repeat(60).trim()).join(" "),
    }
}"""


def test_labels_of_the_map_cover_no_dot(browser: Browser, searched: Board) -> None:
    with faultless(browser, searched.url) as page:
        page.goto("/issues.html")
        found = page.evaluate(LABELS)
    assert found["placed"] >= 2
    assert (found["covered"], found["outside"]) == (0, 0)
    assert found["whole"] == "A title of more than twenty characters is whole"
    assert found["cut"].endswith("word…")


# --- Behind a reverse proxy ---------------------------------------------------------------------


@contextmanager
def below(url: str, path: str) -> Iterator[str]:
    """A reverse proxy that serves a server below a path, and nothing else."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(path):
                return self.send_error(404)
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = {name: value for name, value in self.headers.items() if name.lower() in ("content-type", "accept")}
            address = url + "/" + self.path.removeprefix(path)
            with httpx.stream(self.command, address, headers=kept, content=content, timeout=None) as answered:
                self.send_response(answered.status_code)
                self.send_header("Content-Type", answered.headers.get("Content-Type", ""))
                self.end_headers()
                # An event of the live connection is passed on when it comes.
                with suppress(OSError):
                    for part in answered.iter_bytes():
                        self.wfile.write(part)
                        self.wfile.flush()
            return None

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_board_works_below_a_path(browser: Browser, board: Board) -> None:
    board.put("problems", problem(1))
    with below(board.url, "/board/") as url, faultless(browser, url) as page:
        open_list(page, "/board/")
        expect(page.locator("#list .said")).to_contain_text("GitHub")
        wait_until_live(page)
        board.put("problems", problem(2))
        expect(page.locator("#list > li")).to_have_count(2)
        page.locator("#list h2 a").first.click()
        expect(page).to_have_url(f"{url}/board/?problem={record_id(1)}")
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Topics").click()
        expect(page.locator("#below")).to_contain_text("No topics yet")
        page.get_by_role("link", name="Groundswell").click()
        expect(page).to_have_url(f"{url}/board/")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_in_the_way_of_assistive_technology(
    browser: Browser, built: Project, pocketbase: Server, scheme: Any
) -> None:
    [(problem_id,)] = built.query("select problem_id from gold.problems order by demand_score desc limit 1")
    [(issue_id,)] = built.query("select issue_id from gold.issues where day_rank = 1")
    addresses = (
        "/?pictures=open",
        "/issues.html?pictures=open",
        f"/?problem={problem_id}",
        f"/issues.html?issue={issue_id}",
        "/themes.html",
    )
    with faultless(browser, pocketbase.url, color_scheme=scheme) as page:
        for address in addresses:
            page.goto(address)
            wait_until_live(page)
            expect(page.locator("#list h2:visible, .post h3").first).to_be_visible()
            expect(page.locator("[aria-busy]:visible")).to_have_count(0)
            violations = Axe().run(page).response["violations"]
            grave = [violation for violation in violations if violation["impact"] in ("serious", "critical")]
            assert not grave, json.dumps(grave, indent=1)


# --- The docs site ------------------------------------------------------------------------------


def test_the_docs_site_shows_the_lineage(browser: Browser, built: Project) -> None:
    finished = built.run(DBT, "docs", "generate", "--static")
    assert finished.status == 0, finished.output
    site = f"file://{built.database.with_suffix('.target')}/static_index.html"
    lineage, issues = browser.new_page(), browser.new_page()
    lineage.goto(f"{site}#!/overview?g_v=1")
    lineage.wait_for_function("[...document.querySelectorAll('canvas')].some((canvas) => canvas.width > 0)")
    issues.goto(f"{site}#!/model/model.groundswell.issues")
    issues.wait_for_selector("text=Labelled clusters: the topics of a day, ranked")
    described = issues.locator(".column-row").all_inner_texts()
    assert any("canonical_title" in row and "at most 120 characters" in row for row in described)
    lineage.close()
    issues.close()
