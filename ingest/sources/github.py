"""GitHub issues, through the search API (docs.github.com/rest/search/search)."""

import os
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import httpx
from pydantic import AfterValidator

from groundswell.http import header_number, retry_after, server_time
from ingest.errors import IngestError, QueryRefusedError
from ingest.item import Item
from ingest.parsed import Parsed, Payload, entries_of, parse_entries
from ingest.request import ApiRequest, credential
from ingest.response import Quota, TransientError, error_text, general_problem
from ingest.settings import file_of
from ingest.source import Ask, Entries, Section, Site, Source, rule
from ingest.window import SECOND, Window, advance_counted

PAGE_SIZE = 100
# The search gives at most this many results for a query, however many it reports.
RESULT_LIMIT = 1_000
# The path of an issue, a pull request, a discussion or a commit, and the fragment of a comment there.
THREAD = r"/[^/]+/[^/]+/(?:(?:issues|pull|discussions)/\d+|commit/[\da-f]+)"
COMMENT = r"#(?:(?:issue|discussion|commit)comment|pullrequestreview)-\d+|#discussion_r\d+"
TIMED_OUT = "GitHub's search timed out (incomplete_results)"
# A search that times out is repeated in halves, down to this length.
SHORTEST_INCOMPLETE = timedelta(minutes=15)
# GitHub's limits (docs.github.com, "Troubleshooting search queries"); the collector adds the range of time.
QUERY_LENGTH = 256 - len(" created:2026-11-20T00:00:00Z..2026-11-20T23:59:59Z")
OPERATORS = 5


def search_query(query: str) -> str:
    """A query that GitHub accepts, for issues, without dates. Raises ValueError."""
    words = query.split()
    if "is:issue" not in words and "type:issue" not in words:
        raise ValueError("a query must hold is:issue: GitHub refuses others, and pull requests are not collected")
    if any(word.lstrip("-").startswith("created:") for word in words):
        raise ValueError("leave created: out: the collector adds it")
    if len(query) > QUERY_LENGTH:
        raise ValueError(f"longer than {QUERY_LENGTH} characters, which leaves GitHub no room for the dates")
    if sum(word in ("AND", "OR", "NOT") for word in words) > OPERATORS:
        raise ValueError(f"more than {OPERATORS} of AND, OR and NOT, which GitHub refuses")
    return query


def organisation(name: str) -> str:
    """The name of an organisation. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", name):
        raise ValueError("write the name alone, as in duckdb")
    return name.lower()


def repository(name: str) -> str:
    """The full name of a repository. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[\w.-]{1,100}", name):
        raise ValueError("write owner and name, as in dbt-labs/dbt-core")
    return name.lower()


class GitHubSection(Section):
    """All issues of organisations and repositories, and search queries in GitHub's syntax, without dates."""

    queries: Entries[Annotated[str, AfterValidator(search_query)]]
    organisations: Entries[Annotated[str, AfterValidator(organisation)]]
    repositories: Entries[Annotated[str, AfterValidator(repository)]]


def allowance() -> int:
    """Searches a minute (docs.github.com/rest/search/search#rate-limit)."""
    return 30 if credential("GITHUB_TOKEN") else 10


def queries(section: GitHubSection) -> Sequence[str]:
    """The search queries, one for each entry."""
    organisations = [f"is:issue org:{name}" for name in section.organisations]
    return [*section.queries, *organisations, *(f"is:issue repo:{name}" for name in section.repositories)]


async def headers(ask: Ask) -> dict[str, str]:
    """The token, if there is one."""
    token = credential("GITHUB_TOKEN")
    return {"Accept": "application/vnd.github+json"} | ({"Authorization": f"Bearer {token}"} if token else {})


def request(window: Window, page: str) -> ApiRequest:
    """A page of a search, oldest issue first. At GitHub both ends of a range are included."""
    created = f"{window.start:%Y-%m-%dT%H:%M:%SZ}..{window.end - SECOND:%Y-%m-%dT%H:%M:%SZ}"
    return ApiRequest(
        f"{os.environ.get('GITHUB_API_URL') or 'https://api.github.com'}/search/issues",
        {
            "q": f"{window.query} created:{created}",
            "sort": "created",
            "order": "asc",
            "per_page": PAGE_SIZE,
            "page": int(page),
        },
        window=window,
        page=page,
    )


def quotas(response: httpx.Response, payload: Payload) -> list[Quota]:
    """The remaining searches. GitHub counts searches apart from other requests."""
    remaining = header_number(response.headers.get("x-ratelimit-remaining"))
    reset = header_number(response.headers.get("x-ratelimit-reset"))
    if remaining is None or reset is None or response.headers.get("x-ratelimit-resource", "search") != "search":
        return []
    return [
        Quota(
            remaining, reset - server_time(response).timestamp(), "GitHub grants no more searches (x-ratelimit-reset)"
        )
    ]


def problem(response: httpx.Response, payload: Payload) -> Exception | None:
    """The error in a response.

    A rate limit comes as 403 or 429, with or without Retry-After, with requests remaining or not. Only the text tells a
    secondary rate limit from other refusals (docs.github.com/rest/using-the-rest-api).
    """
    status, words = response.status_code, error_text(response, payload, "message")
    spent = response.headers.get("x-ratelimit-remaining") == "0"
    text = words.lower()
    limited = "retry-after" in response.headers or spent or "rate limit" in text or "abuse" in text
    if status == 429 or (status == 403 and limited):
        wait = retry_after(response)
        reset = header_number(response.headers.get("x-ratelimit-reset"))
        if wait is None and spent and reset is not None:
            wait = max(reset - server_time(response).timestamp(), 0.0)
        return TransientError(f"GitHub asks for fewer requests ({status}: {words})", limited=True, wait=wait)
    match status:
        case 401:
            return IngestError(f"GitHub does not accept GITHUB_TOKEN (401: {words}): renew it, or unset it")
        case 403:
            return IngestError(f"GitHub refuses (403: {words}): check what GITHUB_TOKEN may read")
        case 404:
            return IngestError(f"GitHub has no such address (404: {words}): check GITHUB_API_URL")
        case 422:
            return QueryRefusedError(
                f"GitHub does not take the query (422: {words}): correct it in {file_of('github')}"
            )
    return general_problem(response, payload, "GitHub", words)


def parse(payload: Payload) -> Parsed:
    """Read a page of search results."""
    if isinstance(payload, list) and payload:
        # A repository's own list, as recordings have it.
        return parse_entries(payload, to_item)
    parsed = parse_entries(entries_of(payload, "items"), to_item, payload.get("total_count"))
    parsed.incomplete = payload.get("incomplete_results") is True
    return parsed


def advance(window: Window, page: str, parsed: Parsed, before: Window) -> Sequence[Window]:
    """Go on with the next pages, or with slices if the window holds too much or the search timed out."""
    if parsed.incomplete:
        if anew := window.read_anew():
            return [anew]
        halves = window.halves() if window.end - window.start >= 2 * SHORTEST_INCOMPLETE else []
        return halves or [window.truncated(TIMED_OUT)]
    return advance_counted(window, parsed.total, before, page_size=PAGE_SIZE, limit=RESULT_LIMIT, service="GitHub")


def to_item(issue: Any) -> Item | None:
    """An issue as a post; None for a pull request (old plain issues carry one whose fields are all null)."""
    if (issue.get("pull_request") or {}).get("html_url") or re.search(r"/pull/\d", issue["html_url"]):
        return None
    return Item(
        source="github",
        url=issue["html_url"],
        title=issue.get("title"),
        body=issue.get("body"),
        author=(issue.get("user") or {}).get("login"),
        created_at=issue["created_at"],
        comment_count=issue.get("comments"),
        vote_count=(issue.get("reactions") or {}).get("total_count"),
    )


def advice() -> str:
    """Where a token is made."""
    if credential("GITHUB_TOKEN"):
        return ""
    return (
        "GITHUB_TOKEN is not set: 10 searches a minute instead of 30. "
        "A token needs no permission: https://github.com/settings/tokens"
    )


def is_program(author: str) -> bool:
    """Whether a login belongs to an app: GitHub ends their logins with [bot], and gives no person such a login."""
    return author.endswith("[bot]")


SOURCE = Source(
    name="github",
    label="GitHub",
    section=GitHubSection,
    site=Site(
        "github.com",
        spellings=(
            # A comment, an answer in a discussion, a review: posts of their own.
            rule(rf"({THREAD})(?:/[^#]*)?({COMMENT})(?:-.*)?", "{1}{2}"),
            rule(rf"({THREAD})(?:[/#].*)?", "{1}"),
        ),
        usual=re.compile(
            r"/(?!\.)[\w.-]+/(?!\.{1,2}/)[\w.-]+/(?:issues|pull|discussions)/\d+(?:#(?:issue|discussion)comment-\d+)?",
            re.ASCII,
        ),
    ),
    nobody=frozenset({"ghost"}),
    personal_fields=frozenset({"user", "assignee", "assignees", "closed_by", "creator", "login"}),
    secrets=("GITHUB_TOKEN",),
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
