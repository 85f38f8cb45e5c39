"""Reddit posts, through the OAuth API (www.reddit.com/dev/api#GET_new)."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator

from groundswell.http import header_number
from groundswell.placeholders import is_gone
from ingest.errors import IngestError, QueryRefusedError, StrangeResponseError
from ingest.item import Item
from ingest.parsed import Parsed, Payload, entries_of, parse_entries
from ingest.request import ApiRequest, credential
from ingest.response import Quota, TransientError, error_text, general_problem
from ingest.settings import file_of
from ingest.source import Ask, Entries, Section, Site, Source, rule
from ingest.window import FIRST_PAGE, SECOND, Window

PAGE_SIZE = 100
# A listing ends after about 1,000 posts. Removed posts count, but are not shown.
LISTING_LIMIT = 900
# A listing that ends earlier is taken for all posts of the subreddit; from this length on the window says so.
DOUBTFUL = 500
# The most pages that are read of a listing, however often the service reports another one.
PAGE_LIMIT = 50
# The subreddit in the path of a post, and any place. A profile is a person's name: no address keeps it.
SUBREDDIT = r"/r/(?!u_)[^/]+"
PLACE = r"/(?:r|u|user)/[^/]+"
TOKEN_PATH = "/api/v1/access_token"  # noqa: S105  (an address)


def subreddit(name: str) -> str:
    """The name of a subreddit. Raises ValueError."""
    if not re.fullmatch(r"\w{2,21}", name):
        raise ValueError("write the name alone, without r/: 2 to 21 letters, digits and _")
    return name


class RedditSection(Section):
    """Names of subreddits, without r/."""

    subreddits: Entries[Annotated[str, AfterValidator(subreddit)]]


def allowance() -> int:
    """Requests a minute (github.com/reddit/reddit/wiki/API). The newer figure, 100, is an average over ten minutes."""
    return 60


def queries(section: RedditSection) -> Sequence[str]:
    """The subreddits. Raises IngestError without credentials, because Reddit refuses requests without them."""
    if not (credential("REDDIT_CLIENT_ID") and credential("REDDIT_CLIENT_SECRET")):
        raise IngestError("REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET are not set")
    return section.subreddits


async def headers(ask: Ask) -> dict[str, str]:
    """An application-only token, valid for an hour or more."""
    url = f"{os.environ.get('REDDIT_AUTH_URL') or 'https://www.reddit.com'}{TOKEN_PATH}"
    credentials = httpx.BasicAuth(credential("REDDIT_CLIENT_ID") or "", credential("REDDIT_CLIENT_SECRET") or "")
    request = ApiRequest(url, method="POST", data={"grant_type": "client_credentials"}, auth=credentials)
    return {"Authorization": f"Bearer {await ask(request, read_token)}"}


def read_token(payload: Payload) -> str:
    """The token in a response. Raises IngestError, because Reddit refuses with status 200, or StrangeResponseError."""
    if isinstance(payload, dict) and isinstance(token := payload.get("access_token"), str):
        return token
    if isinstance(payload, dict) and payload.get("error"):
        raise IngestError(f"Reddit refused REDDIT_CLIENT_ID: {payload['error']}")
    raise StrangeResponseError("not a response of this service: no access_token")


def request(window: Window, page: str) -> ApiRequest:
    """A page of a subreddit's newest posts, newest first. A listing can not be asked for a date."""
    return ApiRequest(
        f"{os.environ.get('REDDIT_API_URL') or 'https://oauth.reddit.com'}/r/{window.query}/new",
        {"limit": PAGE_SIZE, "raw_json": 1} | ({"after": page} if page != FIRST_PAGE else {}),
        window=window,
        page=page,
    )


def quotas(response: httpx.Response, payload: Payload) -> list[Quota]:
    """The remaining requests of the current period, from Reddit's headers: a number with a fraction, and seconds."""
    remaining = header_number(response.headers.get("x-ratelimit-remaining"))
    reset = header_number(response.headers.get("x-ratelimit-reset"))
    if remaining is None or reset is None:
        return []
    return [Quota(remaining, reset, "Reddit grants no more requests (x-ratelimit-reset)")]


def problem(response: httpx.Response, payload: Payload) -> Exception | None:
    """The error in a response."""
    status, words = response.status_code, error_text(response, payload, "reason", "message", "error")
    if response.request.url.path.endswith(TOKEN_PATH):
        if status in (400, 401, 403):
            return IngestError(f"Reddit does not accept REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET ({status}: {words})")
    elif status == 401:
        return TransientError("Reddit does not accept its token any more (401)", renew=True)
    elif status in (403, 404) or response.is_redirect:
        return QueryRefusedError(
            f"Reddit does not show the subreddit ({status}: {words}): private, banned, misspelt, or closed to this"
            f" application; correct it in {file_of('reddit')}"
        )
    return general_problem(response, payload, "Reddit", words)


def parse(payload: Payload) -> Parsed:
    """Read a listing; of the two listings of a post's page, the one that holds the post."""
    if isinstance(payload, list) and payload:
        payload = payload[0]
    parsed = parse_entries(entries_of(payload, "data", "children"), to_item)
    after = payload["data"].get("after")
    parsed.more = after if isinstance(after, str) and after else None
    return parsed


def advance(window: Window, page: str, parsed: Parsed, before: Window) -> Sequence[Window]:
    """Go on to older posts until the window's start. If the listing ends before, the rest of the time is truncated."""
    oldest = min((item.created_at for item in parsed.items), default=None)
    if oldest and oldest < window.start:
        return [window]
    if parsed.more and parsed.more != page and window.pages < PAGE_LIMIT:
        return [replace(window, pages_left=(*window.pages_left, parsed.more))]
    if window.fetched < LISTING_LIMIT and not parsed.more:
        note = f"the listing ended after {window.fetched:,} posts, within the day: taken for all there are"
        return [replace(window, status="complete", error=note if window.fetched >= DOUBTFUL else None)]
    reason = f"Reddit lists no more than the newest {window.fetched:,} posts"
    seen_from = oldest + SECOND if oldest else window.end
    if seen_from >= window.end:
        return [window.truncated(reason)]
    return [replace(window, start=seen_from), window.afresh(end=seen_from).truncated(reason)]


def advice() -> str:
    """What a key takes, and what can be had without one."""
    if credential("REDDIT_CLIENT_ID") and credential("REDDIT_CLIENT_SECRET"):
        return ""
    return (
        "Since November 2025 Reddit gives keys only to applications that it has approved, and since 2026 it shows"
        " nothing without a key: https://support.reddithelp.com/hc/en-us/articles/42728983564564-Responsible-Builder-Policy."
        " Posts from archives can be imported with --file; to leave Reddit out, write enabled: false"
    )


def own_text(post: Any) -> str | None:
    """The text of a post, with that of the post it repeats, its pictures' captions and its poll's options."""
    parents = post.get("crosspost_parent_list") or ()
    pictures = (post.get("gallery_data") or {}).get("items") or ()
    options = (post.get("poll_data") or {}).get("options") or ()
    lines = [post.get("selftext"), *(parent.get("selftext") for parent in parents[:1])]
    lines += [picture.get("caption") for picture in pictures]
    lines += [f"- {option['text']}" for option in options if option.get("text")]
    return "\n\n".join(line for line in lines if line) or None


def to_item(child: Any) -> Item | None:
    """A post of a listing; None for a comment, a deleted or removed post, and an advertisement."""
    if child["kind"] != "t3":
        return None
    post = child["data"]
    # A title outlives its deleted text. Reddit's API says so of both.
    if post.get("removed_by_category") or is_gone(post.get("selftext") or "") or is_gone(post.get("title") or ""):
        return None
    if post.get("promoted") or post.get("is_created_from_ads_ui"):
        return None
    if not post["permalink"].startswith("/"):
        raise ValueError("permalink: not a path")
    return Item(
        source="reddit",
        url=f"https://www.reddit.com{post['permalink']}",
        title=post.get("title"),
        body=own_text(post),
        author=post.get("author"),
        created_at=post["created_utc"],
        comment_count=post.get("num_comments"),
        vote_count=post.get("score"),
    )


def is_program(author: str) -> bool:
    """Whether a name belongs to Reddit's own program, which posts what moderators planned."""
    return author.casefold() == "automoderator"


SOURCE = Source(
    name="reddit",
    label="Reddit",
    section=RedditSection,
    site=Site(
        "www.reddit.com",
        aliases=tuple(f"{name}.reddit.com" for name in ("old", "new", "np", "m", "i", "amp", "sh", "ssl")),
        short_hosts={"redd.it": "/comments"},
        spellings=(
            # A comment, then a post; each with all that Reddit writes into its own links, then with its number alone.
            rule(rf"({SUBREDDIT}/comments/\w+/[^/#]+/\w+)(?:[/#].*)?", "{1}/"),
            rule(rf"(?:{PLACE})?/comments/(\w+)/[^/#]+/(\w+)(?:[/#].*)?", "/comments/{1}/_/{2}/"),
            rule(rf"({SUBREDDIT}/comments/\w+/[^/#]+)(?:[/#].*)?", "{1}/"),
            rule(rf"(?:{PLACE})?/(?:comments|gallery|poll|tb)/(\w+)(?:\.json)?(?:[/#].*)?", "/comments/{1}/"),
        ),
        shortest=(
            rule(rf"{SUBREDDIT}/comments/(\w+)/[^/]+/", "/comments/{1}/"),
            rule(rf"{SUBREDDIT}/comments/(\w+)/[^/]+/(\w+)/", "/comments/{1}/_/{2}/"),
        ),
        usual=re.compile(r"/r/(?!u_)\w+/comments/[a-z\d]+/\w+/(?:[a-z\d]+/)?", re.ASCII),
    ),
    personal_fields=frozenset({"author", "author_fullname", "author_flair_text", "approved_by", "banned_by"}),
    secrets=("REDDIT_CLIENT_SECRET",),
    login=("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"),
    allowance=allowance,
    queries=queries,
    headers=headers,
    request=request,
    quotas=quotas,
    problem=problem,
    parse=parse,
    advance=advance,
    advice=advice,
    is_program=is_program,
)
