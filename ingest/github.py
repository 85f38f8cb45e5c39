"""GitHub issues, through the search API (docs.github.com/rest/search/search)."""

import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx

from ingest.item import Item, SourceName
from ingest.settings import Settings
from ingest.source import Parsed, Payload, Window, day_window, entries_of, get_json, parse_entries

PAGE_SIZE = 100
# The search gives no more than this many results for a query, however many it reports.
RESULT_LIMIT = 1_000


def windows(settings: Settings, day: date) -> list[Window]:
    """One window a search query."""
    return [day_window(query, day) for query in settings.github.queries]


async def pages(client: httpx.AsyncClient, window: Window) -> AsyncIterator[Payload]:
    """The pages of a search, oldest issue first."""
    base = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    token = os.environ.get("GITHUB_TOKEN")
    headers = {"Accept": "application/vnd.github+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    day = window.start.date().isoformat()
    for page in range(1, RESULT_LIMIT // PAGE_SIZE + 1):
        payload = await get_json(
            client,
            f"{base}/search/issues",
            headers=headers,
            params={
                "q": f"{window.query} created:{day}..{day}",
                "sort": "created",
                "order": "asc",
                "per_page": PAGE_SIZE,
                "page": page,
            },
        )
        yield payload
        if page * PAGE_SIZE >= payload.get("total_count", 0):
            return


def parse(payload: Payload) -> Parsed:
    """Read a page of search results."""
    return parse_entries(entries_of(payload, "items"), to_item, payload.get("total_count"))


def to_item(issue: Any) -> Item | None:
    """An issue as a post; None for a pull request (old plain issues carry one whose fields are all null)."""
    if (issue.get("pull_request") or {}).get("html_url"):
        return None
    return Item(
        source=SourceName.GITHUB,
        url=issue["html_url"],
        title=issue.get("title"),
        body=issue.get("body"),
        created_at=issue["created_at"],
        comment_count=issue.get("comments"),
        vote_count=(issue.get("reactions") or {}).get("total_count"),
    )
