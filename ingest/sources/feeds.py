"""Entries of RSS and Atom feeds, of any host (www.rssboard.org/rss-specification, RFC 4287)."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

import httpx
from pydantic import AfterValidator

from ingest.errors import QueryRefusedError
from ingest.item import Item
from ingest.parsed import Parsed, Payload, entries_of, parse_entries
from ingest.request import ApiRequest
from ingest.response import TransientError, error_text
from ingest.settings import file_of
from ingest.source import Entries, Section, Source
from ingest.sources import source_at
from ingest.window import SECOND, Window

NAME = "feeds"
# The largest feed that is read, in bytes. feedparser needs up to a second for a megabyte. Other sources wait meanwhile.
LARGEST = 5_000_000
# The most tags of a feed that is read. Tags in the HTML of entries do not count.
MOST_TAGS = 100_000
# The text of a post of Reddit. silver.plain_texts knows by its start that it is HTML.
REDDIT_TEXT = re.compile(r"<!-- SC_OFF -->.*?(?=<!-- SC_ON -->)", re.DOTALL)
COMMENTS_LINK = re.compile(r"\s*(?:<p>)?<a [^<>]*>Comments</a>(?:</p>)?\s*$")


def feed(address: str) -> str:
    """The address of a feed. Raises ValueError."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or address.split() != [address]:
        raise ValueError("write the whole address of the feed, with https://")
    if parts.username or parts.password:
        raise ValueError("an address with a name or password would stand in logs and tables: leave it out")
    if parts.fragment:
        raise ValueError("leave out what follows #: it is not part of the address of a feed")
    return address


class FeedsSection(Section):
    """Addresses of RSS and Atom feeds."""

    feeds: Entries[Annotated[str, AfterValidator(feed)]]


def allowance() -> int:
    """Requests a minute to all hosts together. A run asks a feed once for each day."""
    return 30


def queries(section: FeedsSection) -> Sequence[str]:
    """The addresses of the feeds."""
    return section.feeds


def request(window: Window, page: str) -> ApiRequest:
    """The whole feed. A feed can not be asked for a date, and has one page."""
    address, _, query = window.query.partition("?")
    return ApiRequest(address, dict(parse_qsl(query, keep_blank_values=True)), window=window, page=page)


def problem(response: httpx.Response, payload: Payload) -> Exception | None:
    """The error in a response. None of them holds up other feeds: they lie on other hosts."""
    status, host = response.status_code, response.url.host
    if response.is_redirect:
        where = response.headers.get("location", "nowhere")
        return QueryRefusedError(
            f"the feed has moved to {where}: write this address in {file_of('feeds')} if you trust it"
        )
    if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:
        return TransientError(f"{host} answered {status}: {error_text(response, payload)}")
    if response.is_error:
        return QueryRefusedError(f"{host} refuses ({status}: {error_text(response, payload)})")
    if payload is None:
        return QueryRefusedError(
            f"{host} answered something that is no RSS or Atom feed: correct it in {file_of('feeds')}"
        )
    return None


def decode(body: bytes) -> Payload:
    """A feed as {"entries": [{link, title, body, author, date, comments}, ...]}, all texts or null.

    Raises ValueError if the body is no feed.
    """
    if not body.strip() or tags(body) > MOST_TAGS:
        raise ValueError("empty, or too many tags")
    # Few commands read a feed, and each one would take 0.1 s of CPU to load this.
    import feedparser

    # Bytes that feedparser took for an address or a path would be opened. The board escapes what it shows, so that
    # feedparser need not clean the HTML, which takes most of its time.
    found = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    if not found.version and not found.entries:
        raise ValueError("no feed")
    links = found.feed.get("links") or []
    own = next((link["href"] for link in links if link.get("rel") == "self" and link.get("href")), "")
    home = urljoin(own, found.feed.get("link") or "")
    return {"entries": [fields(entry, home) for entry in found.entries]}


def tags(body: bytes) -> int:
    """The number of "<" in a body, but for those in sections of character data, which hold HTML."""
    before, *sections = body.split(b"<![CDATA[")
    after = [section.partition(b"]]>")[2] if b"]]>" in section else section for section in sections]
    return before.count(b"<") + sum(part.count(b"<") for part in after)


def fields(entry: Mapping[str, Any], home: str) -> dict[str, str | None]:
    """The fields of an entry that make a post. Its address may be relative to that of the feed's site.

    In a feed of a source's own site, an entry on this site is a post of that source. If the entry names its discussion
    there, as in the feeds of Hacker News and Lobsters, this is the post, and not the article.
    """
    link, contents = entry.get("link"), entry.get("content") or []
    link = urljoin(home, link) if link else None
    source = source_at(home)
    if source and source_at(entry.get("comments")) == source:
        link = entry.get("comments")
    return {
        "source": source if source and source_at(link) == source else NAME,
        "link": link,
        "title": plain(entry.get("title"), entry.get("title_detail") or {}),
        "body": contents[0].get("value") if contents else entry.get("summary"),
        "author": (entry.get("author_detail") or {}).get("name") or entry.get("author"),
        "date": entry.get("published") or entry.get("created") or entry.get("updated"),
        "comments": entry.get("slash_comments"),
    }


def plain(title: str | None, detail: Mapping[str, Any]) -> str | None:
    """A title without markup, if it is HTML: Atom says so, and for RSS feedparser looks whether it could be."""
    if not title or detail.get("type") == "text/plain":
        return title
    import lxml.html

    return str(lxml.html.fragment_fromstring(title, create_parent=True).text_content())


def entries_in(payload: Payload) -> list[Any]:
    """The entries of a feed. Raises StrangeResponseError.

    Some feeds end each address with the same mark, as #atom-everything. A fragment that differs names a part of a page.
    """
    entries = entries_of(payload, "entries")
    if len({urlsplit(entry.get("link") or "").fragment for entry in entries}) == 1:
        entries = [entry | {"link": urldefrag(entry.get("link") or "").url} for entry in entries]
    return entries


def parse(payload: Payload) -> Parsed:
    """Read the entries of a feed."""
    return parse_entries(entries_in(payload), to_item)


def advance(window: Window, page: str, parsed: Parsed, before: Window) -> Sequence[Window]:
    """Close the window. What was written before the feed's oldest entry may be missing: that part is truncated.

    A feed holds its latest entries, often 10 to 100. If one of them is older than the window, nothing is missing.
    """
    oldest = min((item.created_at for item in parsed.items), default=None)
    if oldest is None or oldest < window.start:
        return [window]
    reason = f"the feed holds {len(parsed.items):,} entries, from {oldest:%Y-%m-%d %H:%M} UTC on"
    seen_from = oldest + SECOND
    if seen_from >= window.end:
        return [window.truncated(reason)]
    return [replace(window, start=seen_from), window.afresh(end=seen_from).truncated(reason)]


def to_item(entry: Any) -> Item:
    """An entry as a post."""
    if not entry.get("link"):
        raise ValueError("link: an entry without an address")
    if not entry.get("date"):
        raise ValueError("date: an entry without a date belongs to no day")
    comments = entry.get("comments") or ""
    return Item(
        source=entry["source"],
        url=entry["link"],
        title=entry.get("title"),
        body=own_words(entry["source"], entry.get("body") or ""),
        # Reddit's feeds write /u/ before a name.
        author=(entry.get("author") or "").removeprefix("/u/"),
        created_at=moment(entry["date"]),
        comment_count=int(comments) if comments.isdecimal() else None,
    )


def own_words(source: str, body: str) -> str:
    """A body without what services add in their feeds: Reddit the author's name and links, others a link "Comments"."""
    if source == "reddit":
        found = REDDIT_TEXT.search(body)
        return found[0] if found else ""
    return COMMENTS_LINK.sub("", body)


def moment(text: str) -> Any:
    """A date of RSS (RFC 822) as a time; the text itself if it is none, as in Atom.

    feedparser's own times are wrong for some zones. An unknown zone is read as UTC (RFC 5322, 4.3).
    """
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return text


SOURCE = Source(
    name=NAME,
    label="Feeds",
    section=FeedsSection,
    site=None,
    personal_fields=frozenset({"author"}),
    allowance=allowance,
    queries=queries,
    request=request,
    problem=problem,
    decode=decode,
    suffix="xml",
    largest=LARGEST,
    parse=parse,
    advance=advance,
)
