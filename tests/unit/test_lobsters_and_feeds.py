"""Lobsters and feeds: declared like any other source, asked on loopback; python -m ingest check tries each source."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest.errors import IngestError
from ingest.item import normalise_url
from ingest.settings import load_settings
from ingest.sources import feeds, lobsters
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import DAY, Project

EVE = "2026-11-19"


def story(number: int, day: str = DAY, **other: Any) -> dict[str, Any]:
    """A story in the form of a response of September 2026; times have the zone of Chicago."""
    return {
        "short_id": f"s{number}",
        "created_at": f"{day}T09:{number % 60:02}:00.000-06:00",
        "title": f"My editor lost {number} files",
        "url": "https://example.com/article",
        "score": 3,
        "flags": 0,
        "comment_count": 2,
        "description": "<p>It <em>crashed</em>.</p>",
        "description_plain": "It *crashed*.",
        "submitter_user": "jane",
        "user_is_author": False,
        "tags": ["devops"],
        "short_id_url": f"https://lobste.rs/s/s{number}",
        "comments_url": f"https://lobste.rs/s/s{number}/my_editor_lost",
    } | other


def settings(folder: Path, text: str) -> dict[str, str]:
    path = folder / "mine.yml"
    path.write_text(text)
    return {"INGEST_SOURCES": str(path)}


def test_lobsters_is_read_back_to_the_start_of_the_day(project: Project, loopback: Loopback, tmp_path: Path) -> None:
    pages = {
        "/newest/page/1.json": [story(number, "2026-11-21") for number in range(25)],
        # Before 2024 the submitter was an object.
        "/newest/page/2.json": [story(30, submitter_user={"username": "jane"}), story(31, short_id=None), story(32)],
        # 19:09 in Chicago on the day before is 01:09 UTC on the day.
        "/newest/page/3.json": [story(33, created_at=f"{EVE}T19:09:00.000-06:00"), story(34, EVE)],
        "/t/devops/page/1.json": [story(30)],
        "/t/devops/page/2.json": [],
    }

    def answer(request: Request) -> Answer:
        page = pages.get(request.path)
        # The service has no text for a tag that it does not know.
        return Answer("<html>", 404, {"content-type": "text/html"}) if page is None else Answer(page)

    loopback.answer = answer
    here = settings(tmp_path, "lobsters: {lists: [newest], tags: [devops, no-such-tag]}")
    here |= {"LOBSTERS_API_URL": loopback.url, "AUTHOR_SALT": "a salt"}
    archive = str(tmp_path / "archive")
    finished = project.ingest("--date", DAY, "--archive", archive, **here)
    assert finished.status == 1
    assert "t/no-such-tag, 2026-11-20: Lobsters has no such list or tag (404: an HTML page)" in finished.output
    posts = "select url, body, comment_count, vote_count, created_at::text from bronze.raw_items order by url"
    assert [url for url, *_ in project.query(posts)] == [f"https://lobste.rs/s/s{number}" for number in (30, 32, 33)]
    assert project.query(posts)[2][1:] == ("<p>It <em>crashed</em>.</p>", 2, 3, f"{DAY} 01:09:00")
    assert project.query("select count(distinct author_hash) from bronze.raw_items") == [(1,)]
    # One entry of one page has no number. Nobody's name is kept of it.
    [(entry,)] = project.query("select entry from bronze.rejected_items")
    assert "jane" not in entry
    windows = "select query, status, pages, fetched, stored from bronze.ingest_windows order by query"
    assert project.query(windows) == [
        ("newest", "complete", 3, 30, 3), ("t/devops", "complete", 2, 1, 1), ("t/no-such-tag", "failed", 0, 0, 0),
    ]  # fmt: skip

    again = Project(tmp_path / "again.duckdb")
    replayed = again.ingest("--date", DAY, "--replay", archive, AUTHOR_SALT="a salt")
    assert "lobsters" in replayed.output
    assert again.query("select * exclude collected_at from bronze.raw_items order by all") == project.query(
        "select * exclude collected_at from bronze.raw_items order by all"
    )


def test_lobsters_says_when_to_ask_again() -> None:
    for reset in (7, time.time() + 7):
        headers = {"RateLimit-Limit": "400", "RateLimit-Remaining": "0", "RateLimit-Reset": f"{reset:.0f}"}
        found = lobsters.problem(httpx.Response(429, headers=headers, text="Throttled, sleep(1) between hits\n"), None)
        assert 5 < getattr(found, "wait", 0) < 9


def test_addresses_of_lobsters() -> None:
    story = "https://lobste.rs/s/1xr8zc"
    for address in (story, f"{story}/text_meowdio_models", "http://www.lobste.rs/s/1xr8zc/?x=1#top", f"{story}#story"):
        assert normalise_url(address) == story
    assert normalise_url(f"{story}/text_meowdio_models#c_k2xyz") == f"{story}#c_k2xyz"


RSS = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY file SYSTEM "file:///etc/passwd">]>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/">
<channel><title>A board</title><link>https://board.example/</link>
<item><title>Login &amp;amp; search &lt;b&gt;broken&lt;/b&gt;</title><link>/topics/1</link><dc:creator>jane</dc:creator>
    <guid isPermaLink="false">1</guid><slash:comments>4</slash:comments>
    <pubDate>Fri, 20 Nov 2026 00:30:00 +0530</pubDate><description>&lt;p&gt;short&lt;/p&gt;</description></item>
<item><title>List&lt;String&gt; is slow</title><link>https://board.example/topics/2</link>
    <pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate><description>short</description>
    <content:encoded><![CDATA[<p>It <script>alert(1)</script>hangs.</p>]]></content:encoded></item>
<item><title>No date &b; &file;</title><link>https://board.example/topics/3</link>
    <author>joe@x.example (joe)</author></item>
<item><title>A wrong date</title><link>https://board.example/topics/4</link><pubDate>yesterday</pubDate></item>
<item><title>No address</title><guid isPermaLink="false">5</guid><pubDate>Fri, 20 Nov 2026 11:00 GMT</pubDate></item>
<item><title>A script</title><link>javascript:alert(1)</link><pubDate>Fri, 20 Nov 2026 11:00 GMT</pubDate></item>
</channel></rss>
"""
ATOM = f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>r/devops</title>
<link rel="self" href="https://www.reddit.com/r/devops/new.rss"/><link href="/r/devops/"/>
<entry><id>t3_a</id><title>Our pipeline is stuck</title><link href="https://old.reddit.com/r/devops/comments/a/stuck/"/>
    <author><name>/u/jane</name></author><published>{DAY}T12:00:00+00:00</published>
    <updated>2026-11-22T00:00:00Z</updated>
    <content type="html">
    &lt;!-- SC_OFF --&gt;&lt;div class="md"&gt;&lt;p&gt;Help.&lt;/p&gt;&lt;/div&gt;&lt;!-- SC_ON --&gt;
    submitted by &lt;a href="https://www.reddit.com/user/jane"&gt; /u/jane &lt;/a&gt;</content>
</entry>
<entry><id>t3_b</id><title type="html">Costs &amp;amp; more</title><link href="https://other.example/x?id=1"/>
    <updated>{DAY}T13:00:00Z</updated></entry>
</feed>
"""


def feed_server(request: Request) -> Answer:
    """Feeds that work, and what else stands at the address of a feed."""
    xml = {"content-type": "application/rss+xml"}
    match request.path:
        case "/rss":
            return Answer(RSS, headers=xml)
        case "/atom" if request.query == {"sort": "new"}:
            return Answer(ATOM, headers=xml)
        case "/moved":
            return Answer("", 301, {"location": "https://elsewhere.example/feed"})
        case "/page":
            return Answer("<html><title>Sign in</title></html>", headers={"content-type": "text/html"})
        case "/busy":
            return Answer("slow down", 429, {"retry-after": "86400"})
        case "/huge":
            return Answer("<rss>" + " " * feeds.LARGEST, headers=xml)
        case "/broken":
            return Answer("", 500)
    return Answer("", 404)


def test_feeds_of_any_host(project: Project, loopback: Loopback, tmp_path: Path) -> None:
    loopback.answer = feed_server
    paths = ["rss", "atom?sort=new", "moved", "page", "busy", "huge", "broken", "gone"]
    addresses = [f"{loopback.url}/{path}" for path in paths]
    here = settings(tmp_path, f"feeds: {{feeds: {json.dumps([*addresses, 'http://127.0.0.1:9/feed'])}}}")
    here["AUTHOR_SALT"] = "a salt"
    archive = str(tmp_path / "archive")
    finished = project.ingest("--date", DAY, "--archive", archive, **here)
    assert finished.status == 1
    assert "Traceback" not in finished.output
    for words in (
        "the feed has moved to https://elsewhere.example/feed",
        "answered something that is no RSS or Atom feed",
        "refuses (429: slow down)",
        "answered more than 5 MB: not read",
        "answered 500",
        "refuses (404",
        "can not be reached",
        "date: an entry without a date belongs to no day",
        "created_at: ",
        "link: an entry without an address",
        "url: not an http or https address",
    ):
        assert words in finished.output, words
    posts = project.query(
        "select source, url, title, comment_count, created_at::text from bronze.raw_items order by url"
    )
    assert posts == [
        # The day of the first entry is the 19th in UTC: it is not stored, and shows that nothing before is missing.
        ("feeds", "https://board.example/topics/2", "List<String> is slow", None, f"{DAY} 10:00:00"),
        ("feeds", "https://other.example/x?id=1", "Costs & more", None, f"{DAY} 13:00:00"),
        # A post of a source that has its own site is a post of that source.
        (
            "reddit",
            "https://www.reddit.com/r/devops/comments/a/stuck/",
            "Our pipeline is stuck",
            None,
            f"{DAY} 12:00:00",
        ),
    ]
    bodies = project.query("select body from bronze.raw_items where source = 'reddit'")
    assert bodies == [('<!-- SC_OFF --><div class="md"><p>Help.</p></div>',)]
    windows = project.query(
        "select split_part(query, '/', 4), status, stored, strftime(window_start, '%H:%M:%S'), error"
        " from bronze.ingest_windows where status != 'failed' order by 1, 4"
    )
    assert windows == [
        # Nothing says what the second feed held before its oldest entry.
        ("atom?sort=new", "truncated", 0, "00:00:00", f"the feed holds 2 entries, from {DAY} 12:00 UTC on"),
        ("atom?sort=new", "complete", 2, "12:00:01", None),
        ("rss", "complete", 1, "00:00:00", None),
    ]
    rejected = project.query("select entry from bronze.rejected_items order by reason")
    assert len(rejected) == 4
    assert not any("joe" in entry or "root:" in entry for (entry,) in rejected)
    # No feed holds up another one: only those that may work at once were asked again.
    asked = [request.path for request in loopback.requests]
    assert {path: asked.count(path) for path in set(asked)} == {
        "/rss": 1, "/atom": 1, "/moved": 1, "/page": 1, "/busy": 1, "/huge": 1, "/broken": 5, "/gone": 1,
    }  # fmt: skip

    again = Project(tmp_path / "again.duckdb")
    again.ingest("--date", DAY, "--replay", archive, AUTHOR_SALT="a salt")
    rows = "select * exclude collected_at from bronze.raw_items order by all"
    assert again.query(rows) == project.query(rows)


def test_a_feed_is_asked_too_late(project: Project, loopback: Loopback, tmp_path: Path) -> None:
    loopback.answer = feed_server
    here = settings(tmp_path, f"feeds: {{feeds: ['{loopback.url}/atom?sort=new']}}")
    late = project.ingest("--date", "2026-11-18", **here)
    assert late.status == 1
    assert "2026-11-18 is truncated: the feed holds 2 entries, from 2026-11-20 12:00 UTC on" in late.output
    assert project.query("select status from bronze.ingest_windows") == [("truncated",)]
    assert project.query("select count(*) from bronze.raw_items") == [(0,)]


def test_the_feed_of_hacker_news_lists_threads_and_not_articles() -> None:
    thread, article = "https://news.ycombinator.com/item?id=7", "https://github.com/o/r"
    entry = f"""<item><title>It broke</title><link>{article}</link><comments>{thread}</comments>
        <pubDate>Fri, 20 Nov 2026 10:00:00 +0000</pubDate>
        <description><![CDATA[<a href="{thread}">Comments</a>]]></description></item>"""
    for home, expected in (("https://news.ycombinator.com/", ("hackernews", thread)), ("/", ("feeds", article))):
        text = f'<rss version="2.0"><channel><link>{home}</link>{entry}</channel></rss>'
        [post] = feeds.parse(feeds.decode(text.encode())).items
        assert (post.source, post.url) == expected
        assert post.body is None


def test_entries_that_are_parts_of_one_page_are_posts_of_their_own() -> None:
    def urls(*links: str) -> list[str]:
        entries = [{"source": "feeds", "link": link, "title": "t", "date": f"{DAY}T08:00:00Z"} for link in links]
        return [item.url for item in feeds.parse({"entries": entries}).items]

    parts = ["https://docs.example.com/changelog#2026-11-20-api", "https://docs.example.com/changelog#2026-11-19-ui"]
    assert urls(*parts) == parts
    # The same mark at the end of each address says nothing of the entry.
    pages = ["https://weblog.example.com/2026/a/", "https://weblog.example.com/2026/b/"]
    assert urls(*(f"{page}#atom-everything" for page in pages)) == pages
    assert urls() == []


def test_entities_of_a_feed_do_not_expand() -> None:
    item = "<item><title>It &word;</title></item>"
    entities = '<!ENTITY part "broke"><!ENTITY word "&part;&part;">'
    text = f'<!DOCTYPE r [{entities}]><rss version="2.0"><channel>{item}</channel></rss>'
    [entry] = feeds.decode(text.encode())["entries"]
    assert "brokebroke" not in entry["title"]


def test_a_feed_with_too_many_tags_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_TAGS", 20)
    item = "<item><title>x</title><description><![CDATA[{}]]></description></item>{}"
    feed = f'<rss version="2.0"><channel>{item}</channel></rss>'
    with pytest.raises(ValueError, match="too many tags"):
        feeds.decode(feed.format("", "<item></item>" * 20).encode())
    # The HTML of an entry counts for nothing.
    assert len(feeds.decode(feed.format("<p>" * 30, "").encode())["entries"]) == 1


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("board.example/feed", "write the whole address"),
        ("file:///etc/passwd", "write the whole address"),
        ("https://jane:secret@board.example/feed", "would stand in logs"),
        ("https://board.example/feed#top", "leave out what follows #"),
    ],
)
def test_what_is_no_address_of_a_feed(address: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.yml"
    path.write_text(json.dumps({"feeds": {"feeds": [address]}}))
    with pytest.raises(IngestError, match=says):
        load_settings([path])


def test_every_source_is_tried_with_one_request(project: Project, loopback: Loopback, tmp_path: Path) -> None:
    def answer(request: Request) -> Answer:
        if request.path == "/search/issues":
            return Answer({"total_count": 1, "items": [{"html_url": "https://github.com/o/r/issues/1", "title": "x",
                                                        "created_at": f"{DAY}T00:00:00Z"}]})  # fmt: skip
        if request.path == "/questions":
            message = {"error_id": 502, "error_name": "throttle_violation", "error_message": "in 84268 seconds"}
            return Answer(message, 400)
        return feed_server(request)

    loopback.answer = answer
    here = settings(
        tmp_path,
        "github: {repositories: [o/r, o/s]}\nstackoverflow: {tags: [python]}\nreddit: {subreddits: [devops]}\n"
        "hackernews: {tags: [story], enabled: false}\n"
        f"feeds: {{feeds: ['{loopback.url}/rss', '{loopback.url}/busy']}}\n",
    )
    here |= {"GITHUB_API_URL": loopback.url, "STACKEXCHANGE_API_URL": loopback.url}
    finished = project.ingest("check", **here)
    assert finished.status == 1
    assert "Traceback" not in finished.output
    said = " ".join(finished.output.split())
    for words in (
        "github works 1 entries for is:issue repo:o/r. GITHUB_TOKEN is not set",
        "https://github.com/settings/tokens",
        "stackoverflow does not work",
        "https://stackapps.com/apps/oauth/register",
        "reddit does not work REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET are not set. Since November 2025",
        "can be imported with --file",
        "hackernews off hackernews.enabled is false",
        "lobsters off",
        "feeds works 6 entries",
        "feeds does not work 127.0.0.1 refuses (429",
    ):
        assert words in said, words
    assert sorted(request.path for request in loopback.requests) == ["/busy", "/questions", "/rss", "/search/issues"]
    assert project.query("select count(*), count(status_code) from bronze.ingest_requests") == [(4, 4)]
    assert project.query("select count(*) from bronze.ingest_windows") == [(0,)]
