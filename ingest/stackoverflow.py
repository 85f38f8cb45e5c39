"""Stack Overflow questions, through the Stack Exchange API 2.3 (api.stackexchange.com/docs/questions)."""

import html
import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx

from ingest.item import Item, SourceName
from ingest.settings import Settings
from ingest.source import Parsed, Payload, Window, day_window, entries_of, get_json, parse_entries

PAGE_SIZE = 100
# Pages past this one are refused without a key.
PAGE_LIMIT_WITHOUT_KEY = 25


def windows(settings: Settings, day: date) -> list[Window]:
    """One window a tag: several tags in one request would mean all of them at once."""
    return [day_window(tag, day) for tag in settings.stackoverflow.tags]


async def pages(client: httpx.AsyncClient, window: Window) -> AsyncIterator[Payload]:
    """The pages of a tag's questions, oldest first."""
    base = os.environ.get("STACKEXCHANGE_API_URL", "https://api.stackexchange.com/2.3")
    key = os.environ.get("STACKEXCHANGE_KEY")
    page, more = 1, True
    while more and (key or page <= PAGE_LIMIT_WITHOUT_KEY):
        payload = await get_json(
            client,
            f"{base}/questions",
            params={
                "site": "stackoverflow",
                "tagged": window.query,
                "fromdate": int(window.start.timestamp()),
                # Inclusive at the service, exclusive here.
                "todate": int(window.end.timestamp()) - 1,
                "sort": "creation",
                "order": "asc",
                "filter": "withbody",
                "pagesize": PAGE_SIZE,
                "page": page,
            }
            | ({"key": key} if key else {}),
        )
        yield payload
        page, more = page + 1, payload.get("has_more", False)


def parse(payload: Payload) -> Parsed:
    """Read a page of questions."""
    return parse_entries(entries_of(payload, "items"), to_item, payload.get("total"))


def to_item(question: Any) -> Item:
    """A question as a post. The API escapes titles for HTML; bodies are HTML."""
    title = question.get("title")
    return Item(
        source=SourceName.STACKOVERFLOW,
        url=question["link"],
        title=html.unescape(title) if isinstance(title, str) else title,
        body=question.get("body"),
        created_at=question["creation_date"],
        comment_count=question.get("answer_count"),
        vote_count=question.get("score"),
    )
