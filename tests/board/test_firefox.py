"""The board in Firefox: what Chromium shows works there, too.

Playwright drives builds of Firefox of its own, so Mozilla's own client speaks to the one of the system.
"""

import gc
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.board.test_board import SEEN, Board, board, problem, record_id
from tests.support.project import DAY, free_address

__all__ = ["board"]

marionette = pytest.importorskip("marionette_driver.marionette", reason="needs marionette-driver, of the extra dev")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

pytestmark = [
    pytest.mark.skipif(not FIREFOX, reason="needs Firefox, which .ci/run installs"),
    # The client leaves sockets and pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
GRAVE = """
const [resolve] = arguments
axe.run().then(({ violations }) => resolve(violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`)))
"""
# As prefers-color-scheme has it.
SCHEMES = {"dark": 0, "light": 1}


@pytest.fixture
def firefox() -> Iterator[Any]:
    assert FIREFOX
    client = marionette.Marionette(
        bin=str(Path(FIREFOX).resolve()), headless=True, port=int(free_address().split(":")[1]), gecko_log="-"
    )
    client.start_session()
    client.set_window_rect(width=1280, height=886)
    yield client
    client.delete_session()
    client.cleanup()
    # Here, where its warnings are ignored, and not in a later test.
    del client
    gc.collect()


def test_the_board_works_in_firefox(firefox: Any, board: Board) -> None:
    title = (
        "Enforce a hard spending limit for each key of an interface that only sends alerts to the owner of the account"
    )
    course = {"daily_voices": {"2026-11-12": {"github": 1}, DAY: {"github": 2}}, "tier": "likely"}
    board.put("problems", *[problem(number, title=title, **course) for number in range(2, 12)])
    firefox.navigate(f"{board.url}/")

    def wait_for(condition: str) -> None:
        met = firefox.execute_async_script(
            f"""const [resolve] = arguments, end = Date.now() + 10000
            const look = () => {condition} ? resolve(true) : Date.now() > end ? resolve(false) : setTimeout(look, 50)
            look()"""
        )
        assert met, condition

    wait_for("document.querySelectorAll('#list h2 a').length === 10")
    wait_for("document.getElementById('live').textContent === 'Live'")
    [width, height, seen] = firefox.execute_script(f"return [innerWidth, innerHeight, ({SEEN})()]")
    assert (width, height <= 800, seen >= 5) == (1280, True, True)
    # What is pushed appears.
    board.put("problems", problem(1, **course))
    wait_for("document.querySelector('#list h2 a').textContent === 'Problem 1'")
    for address, there in (
        ("", "#list:not([aria-busy]) h2"),
        (f"?problem={record_id(1)}", "#opened:not([aria-busy]) .part-worth"),
    ):
        firefox.navigate(f"{board.url}/{address}")
        wait_for(f"document.querySelector('{there}')")
        for scheme, number in SCHEMES.items():
            firefox.set_pref("layout.css.prefers-color-scheme.content-override", number)
            wait_for(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
            assert firefox.execute_async_script(AXE + GRAVE) == [], (address, scheme)
