"""Takes the README's pictures of the board: the sample days on a PocketBase of their own, in headless Chromium."""

import secrets
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.board.test_board import CHROMIUM, QUIET
from tests.support.project import DAY, ROOT, SAMPLE, Project, free_address, serve

SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


def take(url: str, problem_id: str, folder: Path) -> None:
    """One picture for each view, in light and dark, wide and narrow."""
    views = {
        "problems": ("/", "#list > li h2"),
        "problem": (f"/?problem={problem_id}", "blockquote"),
        "issues": (f"/issues.html?date={DAY}", "#list > li h2"),
        "map": (f"/issues.html?date={DAY}&pictures=open", "canvas"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        for size, scheme in product(SIZES, ("light", "dark")):
            context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]
            page = context.new_page()
            for view, (address, selector) in views.items():
                page.goto(url + address)
                page.locator(selector).first.wait_for()
                page.wait_for_timeout(1_000)
                if view == "map":
                    page.evaluate("scrollTo(0, document.querySelector('.pictures').offsetTop - 16)")
                    page.wait_for_timeout(500)
                page.screenshot(path=folder / f"board-{view}-{size}-{scheme}.png")
            context.close()
        browser.close()


def main() -> None:
    """Build, push, and take them into docs/."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serve(folder / "pb", free_address(), secrets.token_hex()) as server:
            watchlist = str(ROOT / "tests" / "support" / "watchlist.yml")
            settings = server.settings | {"AUTHOR_SALT": "demo", "GROUNDSWELL_WATCHLIST": watchlist}
            project = Project(folder / "sample.duckdb", settings)
            for day in sorted(folder.name for folder in SAMPLE.parent.iterdir()):
                for finished in (project.ingest("--date", day, "--sample"), project.build(day)):
                    assert finished.status == 0, finished.output
            first = "where not is_from_program order by demand_score desc, problem_id limit 1"
            [(problem_id,)] = project.query(f"select problem_id from gold.problems {first}")
            take(server.url, problem_id, ROOT / "docs")


if __name__ == "__main__":
    main()
