"""Hacker News threads, through Algolia's search (hn.algolia.com/api)."""

import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx

from ingest.item import Item, SourceName
from ingest.settings import Settings
from ingest.source import Parsed, Payload, Window, day_window, entries_of, get_json, parse_entries

# Both the largest page and all that a query gives, however many hits it reports.
PAGE_SIZE = 1_000


def windows(settings: Settings, day: date) -> list[Window]:
    """One window a tag."""
    return [day_window(tag, day) for tag in settings.hackernews.tags]


async def pages(client: httpx.AsyncClient, window: Window) -> AsyncIterator[Payload]:
    """The only page of a search by date."""
    base = os.environ.get("HACKERNEWS_API_URL", "https://hn.algolia.com/api/v1")
    start, end = int(window.start.timestamp()), int(window.end.timestamp())
    yield await get_json(
        client,
        f"{base}/search_by_date",
        params={
            "tags": window.query,
            "numericFilters": f"created_at_i>={start},created_at_i<{end}",
            "hitsPerPage": PAGE_SIZE,
        },
    )


def parse(payload: Payload) -> Parsed:
    """Read a page of hits."""
    return parse_entries(entries_of(payload, "hits"), to_item, payload.get("nbHits"))


def to_item(hit: Any) -> Item | None:
    """A story as a post that links its thread, not the article; None for hits without a title (comments)."""
    title = hit.get("title")
    if not title:
        return None
    return Item(
        source=SourceName.HACKERNEWS,
        url=f"https://news.ycombinator.com/item?id={int(hit['objectID'])}",
        title=title,
        body=hit.get("story_text"),
        created_at=hit["created_at"],
        comment_count=hit.get("num_comments"),
        vote_count=hit.get("points"),
    )
