"""Hacker News threads, through Algolia's search (hn.algolia.com/api)."""

import os
from collections.abc import Sequence
from typing import Any

import httpx

from ingest.errors import IngestError, QueryRefusedError
from ingest.item import Item, SourceName
from ingest.settings import Settings
from ingest.source import (
    Ask,
    Parsed,
    Payload,
    Question,
    Quota,
    Window,
    advance_counted,
    entries_of,
    general_problem,
    parse_entries,
    said,
)

PERSONAL = frozenset({"author", "_tags", "_highlightResult"})
# Both the largest page and all that a query gives, however many hits it reports (github.com/algolia/hn-search#230).
HIT_LIMIT = 1_000


def allowance() -> int:
    """Requests a minute, of 10,000 an hour."""
    return 100


def queries(settings: Settings) -> Sequence[str]:
    """Algolia's tags."""
    return settings.hackernews.tags


async def headers(ask: Ask) -> dict[str, str]:
    """Nothing: the search is open to all."""
    return {}


def question(window: Window, page: str) -> Question:
    """The only page of a search by date."""
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    return Question(
        f"{os.environ.get('HACKERNEWS_API_URL') or 'https://hn.algolia.com/api/v1'}/search_by_date",
        {
            "tags": window.query,
            "numericFilters": f"created_at_i>={start},created_at_i<{end}",
            "hitsPerPage": HIT_LIMIT,
        },
        window=window,
        page=page,
    )


def quotas(response: httpx.Response, payload: Payload) -> list[Quota]:
    """Nothing: Algolia does not say."""
    return []


def problem(response: httpx.Response, payload: Payload) -> Exception | None:
    """What is wrong with a response."""
    status, words = response.status_code, said(response, payload, "message")
    match status:
        case 400 | 422:
            return QueryRefusedError(
                f"Algolia does not take the tag ({status}: {words}): correct it in ingest/sources.yml"
            )
        case 401 | 403 | 404:
            return IngestError(f"Algolia refuses ({status}: {words}): check HACKERNEWS_API_URL")
    return general_problem(response, payload, "Algolia", words)


def parse(payload: Payload) -> Parsed:
    """Read a page of hits."""
    return parse_entries(entries_of(payload, "hits"), to_item, payload.get("nbHits"))


def advance(window: Window, page: str, parsed: Parsed, before: Window) -> list[Window]:
    """One page is all there is of a window; one that holds more is cut into slices."""
    return advance_counted(window, parsed, before, page_size=HIT_LIMIT, limit=HIT_LIMIT, service="Algolia")


def to_item(hit: Any) -> Item | None:
    """A story or a comment as a post that links its thread, not the article.

    None for what has neither title nor text: deleted comments, options of polls.
    """
    title, body = hit.get("title"), hit.get("story_text") or hit.get("comment_text")
    if not title and not body:
        return None
    return Item(
        source=SourceName.HACKERNEWS,
        url=f"https://news.ycombinator.com/item?id={int(hit['objectID'])}",
        title=title,
        body=body,
        author=hit.get("author"),
        created_at=hit["created_at"],
        comment_count=hit.get("num_comments"),
        vote_count=hit.get("points"),
    )
