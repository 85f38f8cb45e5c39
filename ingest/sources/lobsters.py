"""Lobsters stories, newest first (lobste.rs/newest/page/1.json).

What the service gives is taken from its source code (github.com/lobsters/lobsters, August 2026) and from recorded
responses. It has not been seen live.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

import httpx
from pydantic import AfterValidator

from groundswell.http import header_number, server_time
from ingest.errors import IngestError, QueryRefusedError
from ingest.item import Item
from ingest.parsed import Parsed, Payload, entries_of, parse_entries
from ingest.request import ApiRequest
from ingest.response import TransientError, error_text, general_problem
from ingest.settings import file_of
from ingest.source import Entries, Section, Site, Source, rule
from ingest.window import Window

# The most pages that are read of a list: 40 times 25 stories.
PAGE_LIMIT = 40


def tag(name: str) -> str:
    """One tag. Raises ValueError."""
    if not re.fullmatch(r"[\w+-]+", name):
        raise ValueError("one tag an entry, as in devops")
    return name


class LobstersSection(Section):
    """Lists of stories; newest holds all of them. Tags, one query each: stories with a score of 0 and more."""

    lists: Entries[Literal["newest"]]
    tags: Entries[Annotated[str, AfterValidator(tag)]]


def allowance() -> int:
    """Requests a minute. The service refuses the fifth in a second, and the 401st in an hour (rack_attack.rb)."""
    return 4


def queries(section: LobstersSection) -> Sequence[str]:
    """The paths of the lists."""
    return [*section.lists, *(f"t/{name}" for name in section.tags)]


def request(window: Window, page: str) -> ApiRequest:
    """A page of a list. The service can not be asked for a date."""
    address = os.environ.get("LOBSTERS_API_URL") or "https://lobste.rs"
    return ApiRequest(f"{address}/{window.query}/page/{page}.json", window=window, page=page)


def problem(response: httpx.Response, payload: Payload) -> Exception | None:
    """The error in a response."""
    status, words = response.status_code, error_text(response, payload, "error")
    reset = header_number(response.headers.get("ratelimit-reset"))
    if status == 429 and reset is not None:
        # By the service's comment these are seconds to wait, by its code they are Unix time.
        wait = reset - server_time(response).timestamp() if reset > 1e9 else reset
        return TransientError("Lobsters asks for fewer requests (429)", limited=True, wait=max(wait, 1.0))
    match status:
        case 403:
            return IngestError(f"Lobsters refuses (403: {words})")
        case 404:
            return QueryRefusedError(
                f"Lobsters has no such list or tag (404: {words}): correct it in {file_of('lobsters')}"
            )
    return general_problem(response, payload, "Lobsters", words)


def parse(payload: Payload) -> Parsed:
    """Read a page, which is a list of stories."""
    parsed = parse_entries(entries_of(payload), to_item)
    parsed.more = "more" if parsed.fetched else None
    return parsed


def advance(window: Window, page: str, parsed: Parsed, before: Window) -> Sequence[Window]:
    """Go on to older stories until one is older than the window.

    New stories push others to later pages meanwhile. A story that stands on two pages is stored once.
    """
    oldest = min((item.created_at for item in parsed.items), default=None)
    if parsed.more is None or (oldest and oldest < window.start):
        return [window]
    if int(page) == PAGE_LIMIT:
        return [window.truncated(f"only the newest {PAGE_LIMIT} pages are read")]
    return [replace(window, pages_left=(*window.pages_left, str(int(page) + 1)))]


def to_item(story: Any) -> Item:
    """A story as a post that links its discussion, not the article. The description is HTML."""
    number, submitter = story["short_id"], story.get("submitter_user")
    if not isinstance(number, str) or not number.isalnum():
        raise ValueError("short_id: not letters and digits")
    return Item(
        source="lobsters",
        # The address of the comments has a slug that changes with the title.
        url=f"https://lobste.rs/s/{number}",
        title=story["title"],
        body=story.get("description"),
        # Responses from before 2024 describe the submitter in an object.
        author=submitter.get("username") if isinstance(submitter, dict) else submitter,
        created_at=story["created_at"],
        comment_count=story.get("comment_count"),
        vote_count=story.get("score"),
    )


def advice() -> str:
    """What the service asks of programs."""
    return "lobste.rs/robots.txt asks programs that it does not name to stay away: ask its operators first"


SOURCE = Source(
    name="lobsters",
    label="Lobsters",
    section=LobstersSection,
    # A story keeps its number when its title, and with the title the slug, is edited. A comment is a post of its own.
    site=Site(
        "lobste.rs", spellings=(rule(r"(/s/\w+)(?:/[^#]*)?(#c_\w+)", "{1}{2}"), rule(r"(/s/\w+)(?:[/#].*)?", "{1}"))
    ),
    personal_fields=frozenset({"submitter_user"}),
    allowance=allowance,
    queries=queries,
    request=request,
    problem=problem,
    parse=parse,
    advance=advance,
    advice=advice,
)
