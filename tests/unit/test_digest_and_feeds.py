"""The digest and the feeds: what they say, that hostile posts stay words, and that a digest is sent once."""

from pathlib import Path

import cmarkgfm
import duckdb
import feedparser
import pytest
from lxml import html
from typer.testing import CliRunner

from groundswell.__main__ import app
from groundswell.news.digest import markdown
from groundswell.news.feeds import FilterError, load_filters
from tests.support.loopback import Answer, Loopback
from tests.support.news import mail_server, make_news, messages
from tests.support.project import ROOT, free_address

pytest.importorskip("feedgen", reason="the packages of extra alerts are not installed")

HOSTILE = "@everyone <!channel> [win](https://evil.example) `x`"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with news, as the working folder."""
    for name in ("ALERT_URLS", "DIGEST_URLS", "BOARD_URL", "POCKETBASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GROUNDSWELL_DB", str(tmp_path / "news.duckdb"))
    monkeypatch.setenv("ALERT_WEBHOOK_SECRET", "s3cret")
    monkeypatch.chdir(tmp_path)
    return make_news(tmp_path / "news.duckdb")


def run(*arguments: str) -> int:
    """Run `python -m groundswell`; returns the exit status."""
    return CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code


def test_the_digest_has_each_problem_once_with_quotes_and_links(database: Path) -> None:
    assert run("digest") == 0
    page = html.fromstring((database.parent / "target/digest/2026-11-20.html").read_text())
    assert page.xpath("//h1/text()") == ["The week to 2026-11-20"]
    assert page.xpath("//h2/text()") == ["New this week", "Back again", "Watched names"]
    assert page.xpath("//h3/text()") == ["Exports time out", HOSTILE]
    assert page.xpath("//a/@href") == ["https://example.com/a", "https://example.com/b"]
    assert page.xpath("//*[self::script or self::b or self::img]") == []
    assert page.xpath("//table[1]//td/text()")[:3] == ["posts", "120", "100"]
    assert "50%" in page.text_content()

    text = (database.parent / "target/digest/2026-11-20.md").read_text()
    shown = html.fromstring(f"<div>{cmarkgfm.github_flavored_markdown_to_html(text)}</div>")
    assert shown.xpath("//h3/text()") == ["Exports time out", HOSTILE]
    assert shown.xpath("//a/@href") == ["https://example.com/a", "https://example.com/b"]
    assert shown.xpath("//td/text()")[:3] == ["posts", "120", "100"]


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "1. a",
        "12) a",
        "# a",
        "> a",
        "a | b",
        "<b>a</b>",
        "![a](b)",
        "&lt;",
        "_a_ *b*",
        "\\",
        "=== a",
        "~~a~~",
        "see https://a.b",
        "WWW.a.b",
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    page = html.fromstring(f"<div>{cmarkgfm.github_flavored_markdown_to_html(markdown(text))}</div>")
    assert [element.tag for element in page] == ["p"]
    assert page.text_content().strip() == text
    assert len(page[0]) == 0


def test_a_digest_is_sent_once(database: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    address = free_address()
    loopback.answer = lambda _: Answer({}, 400)
    urls = f"mailto://{address}/?from=a@example.com&to=b@example.com {loopback.url}"
    monkeypatch.setenv("DIGEST_URLS", urls)
    with mail_server(int(address.partition(":")[2])) as mailbox:
        assert run("digest", "--send") == 1
        loopback.answer = lambda _: Answer({})
        assert run("digest", "--send") == 0
        assert run("digest", "--send") == 0
    [mail] = mailbox.mails
    assert mail["subject"] == "The week to 2026-11-20"
    body = mail.get_body(("html",))
    assert body is not None
    assert "Exports time out" in body.get_content()
    assert len(loopback.requests) == 2
    assert sorted(row[1:] for row in messages(database)) == [
        ("2026-11-20", ["2026-11-20"], "sent", 1),
        ("2026-11-20", ["2026-11-20"], "sent", 2),
    ]


def test_a_digest_goes_where_alerts_go_without_an_address_of_its_own(
    database: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert run("digest", "--send") == 1
    assert "neither DIGEST_URLS nor ALERT_URLS is set" in caplog.text
    loopback.answer = lambda _: Answer({})
    monkeypatch.setenv("ALERT_URLS", loopback.url)
    assert run("digest", "--send") == 0
    assert len(loopback.requests) == 1


def test_feeds_are_valid_and_the_same_bytes_each_time(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOARD_URL", "https://board.example")
    with duckdb.connect(str(database)) as connection:
        connection.execute("update gold.problems set description = 'a' || chr(1) || 'b' where problem_id = 'p'")
    (database.parent / "filters.yml").write_text(
        "- {name: My product!, names: [Slack]}\n- {name: Sure, tier: certain}\n"
    )
    assert run("feeds") == 0
    folder = database.parent / "target/feeds"
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run("feeds") == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    feeds = {name: feedparser.parse(text) for name, text in first.items()}
    assert not any(feed.bozo for feed in feeds.values())
    ids = {name: [entry.id.rpartition(":")[2] for entry in feed.entries] for name, feed in feeds.items()}
    assert ids == {"problems.atom": ["p", "q"], "my-product.atom": ["q"], "sure.atom": ["p"]}
    entry = feeds["my-product.atom"].entries[0]
    assert (entry.link, entry.updated) == ("https://board.example/?problem=q", "2026-11-20T00:00:00+00:00")
    page = html.fromstring(entry.content[0].value)
    assert page.xpath("//*[self::script or self::b or self::img]") == []
    assert page.xpath("//a/@href") == ["https://example.com/b"]


def test_no_file_has_what_a_terminal_obeys_or_what_turns_words_around(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "update gold.problems set title = title || $bad, description = $bad", {"bad": "\x1b[2J\u202e"}
        )
        connection.execute("update gold.problem_posts set excerpt = excerpt || $bad", {"bad": "\x1b[2J\u202e"})
    assert run("digest") == 0
    assert run("feeds") == 0
    files = [file.read_text() for file in (database.parent / "target").rglob("*.*")]
    assert len(files) == 3
    for text in files:
        assert "[2J" in text.replace("\\", "")
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_muted_faulty_and_quiet_problems_are_left_out(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("insert into gold.problem_faults values ('q')")
    assert run("alerts", "mute", "p") == 0
    assert run("feeds") == 0
    assert feedparser.parse((database.parent / "target/feeds/problems.atom").read_bytes()).entries == []
    assert run("digest") == 0
    assert "No problem was heard of" in (database.parent / "target/digest/2026-11-20.md").read_text()


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("{categories: [devtools]}", True),
        ("{categories: [ai, finance]}", False),
        ("{sources: [reddit]}", False),
        ("{words: [NEVER ENDS, x]}", True),
        ("{words: [never starts]}", False),
        ("{tier: likely, least_voices: 6}", True),
        ("{least_voices: 7}", False),
        ("{names: [Slack]}", False),
    ],
)
def test_a_filter_asks_for_everything_it_has(text: str, passes: bool, tmp_path: Path) -> None:
    file = tmp_path / "filters.yml"
    file.write_text(f"- {text.replace('{', '{name: a, ')}")
    problem = {
        "title": "Exports time out",
        "description": "",
        "quotes": [{"text": "It never ends"}],
        "voices": 6,
        "tier": "certain",
        "category": "devtools",
        "sources": ["github"],
        "names": [],
    }
    assert load_filters(file)[1].passes(problem) == passes


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("- {name: a, words: []}", "1.words"),
        ("- {name: a, words: ['']}", "1.words.1"),
        ("- {name: a, tag: b}", "1.tag: there is no such key"),
        ("- {names: [a]}", "1.name: it is missing"),
        ("- {name: 7}", "1.name: text is expected: write it in quotes"),
        ('- {name: "\\ud800"}', "1.name: text is expected, without half of a character"),
        ("- &a [*a]", "1: keys and their values are expected"),
        ("a: b", "the file: a list is expected"),
        ("- {name: a b}\n- {name: A-B}", "'A-B' needs another name"),
        ("- {name: problems}", "needs another name"),
        ("- {name: '!'}", "needs another name"),
    ],
)
def test_a_mistake_in_a_filter_is_one_line(text: str, mistake: str, tmp_path: Path) -> None:
    file = tmp_path / "filters.yml"
    file.write_text(text)
    with pytest.raises(FilterError) as error:
        load_filters(file)
    assert mistake in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("{name: a, categories: [devtools, devtool]}", "the category 'devtool', and there is only ai, devtools"),
        ("{name: a, sources: [GitHub]}", "the source 'GitHub', and there is only github, reddit"),
        ("{name: a, names: [slack]}", "the watched name 'slack', and there is only Slack"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_refused(
    text: str, mistake: str, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (database.parent / "filters.yml").write_text(f"- {text}")
    assert run("feeds") == 1
    assert f"filters.yml: the filter 'a' asks for {mistake}" in caplog.text
    assert not (database.parent / "target/feeds").exists()


def test_a_name_of_any_language_is_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "filters.yml").write_text("- name: 日本 の/製品")
    assert load_filters(tmp_path / "filters.yml")[1].file == "日本-の-製品.atom"


def test_the_example_can_be_read() -> None:
    assert [each.file for each in load_filters(ROOT / "filters.example.yml")] == [
        "problems.atom",
        "tools-that-hang.atom",
        "my-product.atom",
    ]


def test_a_folder_that_can_not_be_written(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    (database.parent / "taken").write_text("")
    assert run("digest", "--folder", "taken") == 1
    assert run("feeds", "--folder", "taken") == 1
    assert "taken can not be written" in caplog.text
