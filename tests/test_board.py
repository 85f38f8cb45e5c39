"""The board in a real browser, on the built sample day."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.conftest import DAY, DBT, Project, Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# A browser that phones home finds nobody on a closed network, and says so in the console.
QUIET = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium, which .ci/run installs")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, built: Project, pocketbase: Server) -> Iterator[Page]:
    """A page on which nothing may go wrong: no dialog, no error, no request to anybody else."""
    page = browser.new_page()
    troubles: list[str] = []

    def refuse(dialog: Dialog) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    own = (pocketbase.url, "data:")
    page.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
    yield page
    assert not troubles
    page.close()


def test_issues_are_listed_by_rank(page: Page, built: Project, pocketbase: Server) -> None:
    page.goto(f"{pocketbase.url}/?date={DAY}")
    page.wait_for_selector("#issues > li")
    titles = [title for (title,) in built.query("select canonical_title from gold.issues order by day_rank")]
    assert page.locator("#issues h2").all_inner_texts() == titles
    assert page.locator("#day-summary").inner_text() == "10 issues from 198 posts"


def test_the_latest_day_is_the_first_page(page: Page, pocketbase: Server) -> None:
    page.goto(pocketbase.url)
    page.wait_for_selector("#issues > li")
    assert page.locator("#day-title").inner_text() == "Friday, 20 November 2026"


def test_an_issue_opens_to_the_posts_behind_it(page: Page, built: Project, pocketbase: Server) -> None:
    page.goto(f"{pocketbase.url}/?date={DAY}")
    page.locator("#issues summary").first.click()
    page.wait_for_selector(".post a")
    [(issue_id,)] = built.query("select issue_id from gold.issues where day_rank = 1")
    urls = {url for (url,) in built.query(f"select url from gold.issue_evidence where issue_id = '{issue_id}'")}
    links = page.locator(".post a")
    assert {link.get_attribute("href") for link in links.all()} == urls
    assert {link.get_attribute("rel") for link in links.all()} == {"noopener noreferrer nofollow ugc"}


def test_hostile_posts_are_inert(page: Page, built: Project, pocketbase: Server) -> None:
    hostile = built.query(
        "select distinct issue_id from gold.issue_evidence where title like '%<%' or body like '%<script%'"
    )
    assert hostile
    for (issue_id,) in hostile:
        page.goto(f"{pocketbase.url}/?date={DAY}#{issue_id}")
        page.reload()
        page.wait_for_selector(f"[id='{issue_id}'] .post")
        for button in page.locator(f"[id='{issue_id}'] .below-posts button").all():
            button.click()
        page.wait_for_function("document.querySelectorAll('.below-posts button').length === 0")
    assert page.locator("main script, main img, main iframe").count() == 0
    assert page.locator("main a[href^='javascript:']").count() == 0


def test_a_day_without_issues_says_so(page: Page, pocketbase: Server) -> None:
    page.goto(f"{pocketbase.url}/?date=2001-01-01")
    page.wait_for_function("document.getElementById('day-summary').textContent === 'No issues on this day'")


def test_the_policy_forbids_inline_script(page: Page, pocketbase: Server) -> None:
    page.goto(pocketbase.url)
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    assert policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_docs_site_shows_the_lineage(browser: Browser, built: Project) -> None:
    finished = built.run(DBT, "docs", "generate", "--static")
    assert finished.status == 0, finished.output
    site = f"file://{built.database.with_suffix('.target')}/static_index.html"
    lineage, issues = browser.new_page(), browser.new_page()
    lineage.goto(f"{site}#!/overview?g_v=1")
    lineage.wait_for_function("[...document.querySelectorAll('canvas')].some((canvas) => canvas.width > 0)")
    issues.goto(f"{site}#!/model/model.groundswell.issues")
    issues.wait_for_selector("text=what people complained about on a day")
    described = issues.locator(".column-row").all_inner_texts()
    assert any("canonical_title" in row and "1 to 120 characters" in row for row in described)
    lineage.close()
    issues.close()
