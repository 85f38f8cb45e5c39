"""Hacker News threads, through Algolia's search (hn.algolia.com/api)."""

import os
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import httpx
from pydantic import AfterValidator

from ingest.errors import IngestError, QueryRefusedError
from ingest.item import Item
from ingest.parsed import Parsed, Payload, entries_of, parse_entries
from ingest.request import ApiRequest
from ingest.response import error_text, general_problem
from ingest.settings import file_of
from ingest.source import Entries, Section, Site, Source, rule
from ingest.window import Window, advance_counted

# The largest page, and also all that a query gives, however many hits it reports (github.com/algolia/hn-search#230).
HIT_LIMIT = 1_000


# What a keyword is searched in: the post's own words, in posts of these tags (one of them: hence the parentheses).
SEARCHED = "title,story_text,comment_text"
SEARCHED_TAGS = "(story,poll,job,comment)"


def keyword(text: str) -> str:
    """Words to search for, as one phrase. Raises ValueError."""
    words = " ".join(text.split())
    if not words or '"' in words:
        raise ValueError("write the words of a phrase, without quotation marks")
    return words


class HackerNewsSection(Section):
    """Algolia's tags, one query each; story includes ask_hn and show_hn. Keywords, one query each."""

    tags: Entries[Literal["story", "ask_hn", "show_hn", "job", "poll", "comment"]]
    keywords: Entries[Annotated[str, AfterValidator(keyword)]]


def allowance() -> int:
    """Requests a minute, of 10,000 an hour."""
    return 100


def queries(section: HackerNewsSection) -> Sequence[str]:
    """Algolia's tags, and the keywords in quotation marks: as a phrase that Algolia takes word for word."""
    return [*section.tags, *(f'"{words}"' for words in section.keywords)]


def request(window: Window, page: str) -> ApiRequest:
    """The only page of a search by date."""
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    # Sorted by date, hits with typing errors would stand among the others.
    phrase = {"query": window.query, "typoTolerance": "false", "restrictSearchableAttributes": SEARCHED}
    is_phrase = window.query.startswith('"')
    return ApiRequest(
        f"{os.environ.get('HACKERNEWS_API_URL') or 'https://hn.algolia.com/api/v1'}/search_by_date",
        (phrase if is_phrase else {})
        | {
            "tags": SEARCHED_TAGS if is_phrase else window.query,
            "numericFilters": f"created_at_i>={start},created_at_i<{end}",
            "hitsPerPage": HIT_LIMIT,
        },
        window=window,
        page=page,
    )


def problem(response: httpx.Response, payload: Payload) -> Exception | None:
    """The error in a response."""
    status, words = response.status_code, error_text(response, payload, "message")
    match status:
        case 400 | 422:
            return QueryRefusedError(
                f"Algolia does not take the query ({status}: {words}): correct it in {file_of('hackernews')}"
            )
        case 401 | 403 | 404:
            return IngestError(f"Algolia refuses ({status}: {words}): check HACKERNEWS_API_URL")
    return general_problem(response, payload, "Algolia", words)


def parse(payload: Payload) -> Parsed:
    """Read a page of hits."""
    return parse_entries(entries_of(payload, "hits"), to_item, payload.get("nbHits"))


def advance(window: Window, page: str, parsed: Parsed, before: Window) -> Sequence[Window]:
    """A window has one page. A window that holds more is cut into slices."""
    return advance_counted(window, parsed.total, before, page_size=HIT_LIMIT, limit=HIT_LIMIT, service="Algolia")


def to_item(hit: Any) -> Item | None:
    """A story or comment as a post that links its thread, not the article; None for an option of a poll."""
    if "pollopt" in (hit.get("_tags") or ()):
        return None
    # Older records have `text` for both.
    body = hit.get("story_text") or hit.get("comment_text") or hit.get("text")
    return Item(
        source="hackernews",
        url=f"https://news.ycombinator.com/item?id={int(hit['objectID'])}",
        title=hit.get("title"),
        body=body,
        author=hit.get("author"),
        created_at=hit["created_at"] if hit.get("created_at") else hit["created_at_i"],
        comment_count=hit.get("num_comments"),
        vote_count=hit.get("points"),
    )


SOURCE = Source(
    name="hackernews",
    label="Hacker News",
    section=HackerNewsSection,
    site=Site(
        "news.ycombinator.com",
        parameters=("id",),
        # The address of a comment within its thread, or alone.
        spellings=(rule(r"/item\?id=\d+#(\d+)", "/item?id={1}"),),
        usual=re.compile(r"/item\?id=\d+", re.ASCII),
    ),
    personal_fields=frozenset({"author", "_tags", "_highlightResult"}),
    allowance=allowance,
    queries=queries,
    request=request,
    problem=problem,
    parse=parse,
    advance=advance,
)
