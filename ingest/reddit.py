"""Reddit posts, through the OAuth API (www.reddit.com/dev/api#GET_new)."""

import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import httpx

from ingest.errors import IngestError
from ingest.item import Item, SourceName
from ingest.settings import Settings
from ingest.source import Parsed, Payload, Window, day_window, entries_of, get_json, parse_entries, send_json

PAGE_SIZE = 100


def windows(settings: Settings, day: date) -> list[Window]:
    """One window a subreddit. Raises IngestError without credentials: Reddit gives nothing to strangers."""
    if not (os.environ.get("REDDIT_CLIENT_ID") and os.environ.get("REDDIT_CLIENT_SECRET")):
        raise IngestError("REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET are not set")
    return [day_window(subreddit, day) for subreddit in settings.reddit.subreddits]


async def pages(client: httpx.AsyncClient, window: Window) -> AsyncIterator[Payload]:
    """The pages of a subreddit's newest posts, newest first, back to the window's start.

    A listing ends after about 1,000 posts and can not be asked for a date.
    """
    base = os.environ.get("REDDIT_API_URL", "https://oauth.reddit.com")
    headers = {"Authorization": f"Bearer {await access_token(client)}"}
    after: str | None = None
    while True:
        payload = await get_json(
            client,
            f"{base}/r/{window.query}/new",
            headers=headers,
            params={"limit": PAGE_SIZE, "raw_json": 1} | ({"after": after} if after else {}),
        )
        yield payload
        after = payload["data"].get("after")
        times = [child["data"]["created_utc"] for child in payload["data"]["children"] if child.get("kind") == "t3"]
        if not after or (times and min(times) < window.start.timestamp()):
            return


async def access_token(client: httpx.AsyncClient) -> str:
    """An application-only token, good for an hour. Raises IngestError: Reddit refuses with status 200."""
    base = os.environ.get("REDDIT_AUTH_URL", "https://www.reddit.com")
    url = f"{base}/api/v1/access_token"
    answer = await send_json(
        client,
        "POST",
        url,
        data={"grant_type": "client_credentials"},
        auth=httpx.BasicAuth(os.environ["REDDIT_CLIENT_ID"], os.environ["REDDIT_CLIENT_SECRET"]),
    )
    if "access_token" not in answer:
        raise IngestError(f"{url} refused REDDIT_CLIENT_ID: {answer.get('error', 'no access_token in the answer')}")
    return str(answer["access_token"])


def parse(payload: Payload) -> Parsed:
    """Read a listing."""
    return parse_entries(entries_of(payload, "data", "children"), to_item)


def to_item(child: Any) -> Item | None:
    """A post of a listing; None for what is no post (a comment) or was deleted or removed."""
    if child["kind"] != "t3":
        return None
    post = child["data"]
    if post.get("removed_by_category") or post.get("selftext") in ("[deleted]", "[removed]"):
        return None
    return Item(
        source=SourceName.REDDIT,
        url=f"https://www.reddit.com{post['permalink']}",
        title=post.get("title"),
        body=post.get("selftext"),
        created_at=post["created_utc"],
        comment_count=post.get("num_comments"),
        vote_count=post.get("score"),
    )
