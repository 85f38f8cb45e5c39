"""Stack Overflow questions, through the Stack Exchange API 2.3 (api.stackexchange.com/docs/questions)."""

import html
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator

from groundswell.http import server_time
from ingest.errors import IngestError, QueryRefusedError
from ingest.item import Item
from ingest.parsed import Parsed, Payload, entries_of, parse_entries
from ingest.request import ApiRequest, credential
from ingest.response import Quota, TransientError, error_text, general_problem
from ingest.settings import file_of
from ingest.source import Entries, Section, Site, Source, rule
from ingest.window import FIRST_PAGE, SECOND, Window

PAGE_SIZE = 100
# Without a key the service refuses pages past this one (error_id 403).
PAGE_LIMIT_WITHOUT_KEY = 25
QUOTA_WITHOUT_KEY = 300
THROTTLED = 502


def tag(name: str) -> str:
    """One tag. Raises ValueError for several tags, which the service would join with "and"."""
    if not re.fullmatch(r"[\w#.+-]+", name):
        raise ValueError("one tag an entry, without white space or ;")
    return name.lower()


class StackOverflowSection(Section):
    """Tags: a question with any of them is collected."""

    tags: Entries[Annotated[str, AfterValidator(tag)]]


def allowance() -> int:
    """Requests a minute; more than 30 a second get an address blocked (api.stackexchange.com/docs/throttle)."""
    return 30


def queries(section: StackOverflowSection) -> Sequence[str]:
    """The tags. One request can not ask for any of several tags: it would mean all of them."""
    return section.tags


def position(window: Window, page: str) -> tuple[int, int]:
    """The start of a page: a second (Unix time), and the number of the page from there on, as in 1795132800/2.

    If pages were counted from the window's start, every question that is deleted meanwhile would hide another one.
    """
    if page == FIRST_PAGE:
        return int(window.start.timestamp()), 1
    second, _, number = page.partition("/")
    return int(second), int(number)


def request(window: Window, page: str) -> ApiRequest:
    """A page of a tag's questions, oldest first. At Stack Exchange both ends of a range are included."""
    since, number = position(window, page)
    key = credential("STACKEXCHANGE_KEY")
    return ApiRequest(
        f"{os.environ.get('STACKEXCHANGE_API_URL') or 'https://api.stackexchange.com/2.3'}/questions",
        {
            "site": "stackoverflow",
            "tagged": window.query,
            "fromdate": since,
            "todate": int(window.end.timestamp()) - 1,
            "sort": "creation",
            "order": "asc",
            "filter": "withbody",
            "pagesize": PAGE_SIZE,
            "page": number,
        },
        secrets={"key": key} if key else {},
        window=window,
        page=page,
    )


def quotas(response: httpx.Response, payload: Payload) -> list[Quota]:
    """The pause that a response may ask for, and the remaining quota of the day, which ends at midnight UTC."""
    found = []
    if isinstance(payload, dict):
        now = server_time(response)
        midnight = datetime.combine(now.date() + timedelta(days=1), time.min, UTC)
        if isinstance(backoff := payload.get("backoff"), int | float):
            found.append(Quota(0, backoff, "Stack Exchange asks for a pause (backoff)"))
        if isinstance(remaining := payload.get("quota_remaining"), int | float):
            spent = (
                "the day's quota of Stack Exchange is spent (quota_remaining); STACKEXCHANGE_KEY raises it to 10,000"
            )
            found.append(Quota(remaining, (midnight - now).total_seconds(), spent))
    return found


def problem(response: httpx.Response, payload: Payload) -> Exception | None:
    """The error in a response. Most errors have status 400 and the real code in error_id."""
    words = error_text(response, payload, "error_name", "error_message")
    code = payload.get("error_id") if isinstance(payload, dict) else None
    if code == THROTTLED:
        seconds = re.search(r"in (\d+) seconds?", words)
        wait = float(seconds.group(1)) if seconds else None
        return TransientError(f"Stack Exchange asks for fewer requests ({words})", limited=True, wait=wait)
    if code is None:
        return general_problem(response, payload, "Stack Exchange", words)
    if code in (401, 402, 403, 405, 406) or "key" in words:
        return IngestError(f"Stack Exchange refuses ({code}: {words}): check STACKEXCHANGE_KEY")
    if code in (500, 503):
        return TransientError(f"Stack Exchange answered {code}: {words}")
    return QueryRefusedError(
        f"Stack Exchange does not take the tag ({code}: {words}): correct it in {file_of('stackoverflow')}"
    )


def parse(payload: Payload) -> Parsed:
    """Read a page of questions."""
    parsed = parse_entries(entries_of(payload, "items"), to_item, payload.get("total"))
    parsed.more = "more" if payload.get("has_more") is True else None
    # The daily quota in the response is larger if a key was sent.
    quota = payload.get("quota_max")
    has_key = isinstance(quota, int) and quota > QUOTA_WITHOUT_KEY
    parsed.last_page = None if has_key else PAGE_LIMIT_WITHOUT_KEY
    return parsed


def advance(window: Window, page: str, parsed: Parsed, before: Window) -> Sequence[Window]:
    """Go on from the second of the last question. Within one second, go on by pages as far as the service allows.

    A second with more questions than that becomes a truncated window of its own, between two others.
    """
    if parsed.more is None or not parsed.fetched:
        return [window]
    since, number = position(window, page)
    latest = max((int(item.created_at.timestamp()) for item in parsed.items), default=since)
    if latest > since:
        return [replace(window, pages_left=(*window.pages_left, f"{latest}/1"))]
    if parsed.last_page is None or number < parsed.last_page:
        return [replace(window, pages_left=(*window.pages_left, f"{since}/{number + 1}"))]
    second = datetime.fromtimestamp(since, UTC)
    count = number * PAGE_SIZE
    full = replace(window.afresh(second, second + SECOND), pages=number, fetched=count, stored=count)
    reason = f"Stack Exchange gives {count:,} questions of this second without STACKEXCHANGE_KEY"
    parts = [full.truncated(reason)]
    if window.start < second:
        earlier = replace(window, end=second, pages=window.pages - number, fetched=window.fetched - count)
        parts.insert(0, replace(earlier, stored=max(window.stored - count, 0)))
    if second + SECOND < window.end:
        parts.append(window.afresh(start=second + SECOND))
    return parts


def advice() -> str:
    """Where a key is made."""
    if credential("STACKEXCHANGE_KEY"):
        return ""
    return (
        "STACKEXCHANGE_KEY is not set: 300 requests a day instead of 10,000. "
        "A key is the result of registering an application: https://stackapps.com/apps/oauth/register"
    )


def to_item(question: Any) -> Item:
    """A question as a post. The API escapes titles and names for HTML. Bodies are HTML."""
    title, owner = question.get("title"), question.get("owner") or {}
    return Item(
        source="stackoverflow",
        # The link in the response has a slug that changes with the title; old responses have no link.
        url=f"https://stackoverflow.com/questions/{int(question['question_id'])}",
        title=html.unescape(title) if isinstance(title, str) else title,
        # Other filters of the API give markdown.
        body=question.get("body") or question.get("body_markdown"),
        # A display name is not unique and can change. The number is unique, but deleted accounts have none.
        author=str(owner.get("user_id") or owner.get("display_name") or ""),
        created_at=question["creation_date"],
        comment_count=question.get("answer_count"),
        vote_count=question.get("score"),
    )


SOURCE = Source(
    name="stackoverflow",
    label="Stack Overflow",
    section=StackOverflowSection,
    site=Site(
        "stackoverflow.com",
        spellings=(
            rule(r"/(?:questions|q|a)/\d+(?:/[^#]*)?#comment(\d+)_\d+", "/posts/comments/{1}"),
            # An answer: below its question, by its own number.
            rule(r"/(?:questions|q)/(\d+)(?:/[^#]*)?#(?:answer-)?(?!\1$)(\d+)", "/a/{2}"),
            rule(r"/questions/(\d+)/[^/#]+/(?!\1\b)(\d+)(?:[/#].*)?", "/a/{2}"),
            rule(r"/a/(\d+)(?:[/#].*)?", "/a/{1}"),
            # A question keeps its number when its title, and with the title the slug, is edited.
            rule(r"/(?:questions|q)/(\d+)(?:[/#].*)?", "/questions/{1}"),
        ),
        usual=re.compile(r"/(?:questions|a)/\d+", re.ASCII),
    ),
    personal_fields=frozenset({"owner", "last_editor", "posted_by_collectives"}),
    secrets=("STACKEXCHANGE_KEY",),
    allowance=allowance,
    queries=queries,
    request=request,
    quotas=quotas,
    problem=problem,
    parse=parse,
    advance=advance,
    advice=advice,
)
