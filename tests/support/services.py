"""The four services on loopback, with their paging, limits, rate limits and moods."""

import html
import math
import random
import re
import threading
import time
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from datetime import time as clock
from email.utils import formatdate
from typing import Any

import numpy as np

from tests.support.loopback import Answer, Request

# What every service gives for one query, however often it is asked.
RESULT_LIMIT = 1_000
PAGE_LIMIT_WITHOUT_KEY = 25
# As good as no limit.
UNLIMITED = 1_000_000
# Faults that only one service has; all others can befall any.
KINDS = ("500", "502-html", "429-seconds", "429-date", "cut", "not-json", "reset", "empty", "incomplete", "backoff")
KINDS_OF = {"incomplete": "github", "backoff": "stackoverflow"}
HTML = {"Content-Type": "text/html; charset=UTF-8"}
ERROR_PAGE = "<html><head><title>Whoa there!</title></head><body><h1>Something went wrong.</h1></body></html>"

THINGS = (
    "The payout export", "My nightly backup", "Our webhook", "Die Müller-Kasse", "The `build` cache", "Stock <sync>",
    "Sign-in & sign-up", "The label printer", "The CSV importer", "A pod's memory", "The tax report", "Le planning 📅",
)  # fmt: skip
TROUBLES = (
    "loses every third row", "takes six hours", "prints 'null' instead of a name", "is empty after the update",
    'says "done" and is not', "charges customers twice", "forgets the time zone", "can not be switched off",
)  # fmt: skip
CLOSINGS = ("Any ideas?", "We pay somebody to do it by hand.", "Is it only me?", "Third time this month.")


@dataclass(frozen=True)
class Post:
    """A post of a service under the query that finds it; body as the service sends it, created_at in epoch seconds."""

    source: str
    query: str
    number: int
    title: str
    body: str | None
    created_at: int
    author: str = "somebody"
    comments: int = 0
    votes: int = 0
    pull_request: bool = False

    @property
    def url(self) -> str:
        """The address under which the post is stored."""
        match self.source:
            case "github":
                kind = "pull" if self.pull_request else "issues"
                return f"https://github.com/org-{self.number % 97}/repo-{self.number % 13}/{kind}/{self.number}"
            case "stackoverflow":
                return f"https://stackoverflow.com/questions/{self.number}"
            case "reddit":
                slug = "_".join(re.findall(r"[a-z0-9]+", self.title.lower()))[:50].strip("_")
                return f"https://www.reddit.com/r/{self.query}/comments/{self.id36}/{slug}/"
        return f"https://news.ycombinator.com/item?id={self.number}"

    @property
    def id36(self) -> str:
        """The number as Reddit writes it."""
        return np.base_repr(self.number, 36).lower()


def make_posts(
    source: str, queries: Sequence[str], day: date, count: int, *, seed: int = 0, hot: int = 0
) -> list[Post]:
    """Posts of a UTC day, more by day than by night, oldest first, evenly over the queries.

    Of them, `hot` are of the first query and of one single second. If there are enough of the others, every
    query has one in the day's first and one in its last second. Numbers rise with time and are never used
    twice for a source, unless for the same day and seed (0 to 99). Some bodies are missing where they may be.
    """
    dice = random.Random(f"{source} {day} {seed}")
    instant = dice.randrange(9 * 3600, 18 * 3600)
    hours = dice.choices(range(24), [1] * 7 + [4] * 14 + [2] * 3, k=count)
    edges = [(second, query) for query in queries for second in (0, 86_399)]
    others = edges if count - hot >= len(edges) else []
    others += [
        (hours[index] * 3600 + dice.randrange(3600), queries[index % len(queries)])
        for index in range(count - hot - len(others))
    ]
    midnight = int(datetime.combine(day, clock.min, UTC).timestamp())
    posts = []
    for index, (second, query) in enumerate(sorted([(instant, queries[0])] * hot + others)):
        number = ((day.toordinal() - 700_000) * 100 + seed) * 1_000_000 + index
        thing, trouble = dice.choice(THINGS), dice.choice(TROUBLES)
        body: str | None = f"{thing} {trouble}, {index} times since {day}.\n\n{dice.choice(CLOSINGS)}"
        if source in ("stackoverflow", "hackernews"):
            first, last = html.escape(body or "").split("\n\n")
            body = f"<p>{first}</p>\n<p>{last}</p>\n" if source == "stackoverflow" else f"{first}<p>{last}"
        if source != "stackoverflow" and query != "comment" and dice.random() < 0.1:
            body = None
        title, author = f"{thing} {trouble} ({index})", f"user{dice.randrange(5_000)}"
        comments, votes = dice.randrange(40), dice.randrange(200)
        posts.append(Post(source, query, number, title, body, midnight + second, author, comments, votes))
    return posts


class Services:
    """Answers as GitHub, Stack Exchange, Reddit and Hacker News would; assign one to Loopback.answer.

    Args:
        posts: What the services hold, in any order.
        limits: Requests that a service takes in any `span` seconds; further ones are refused, and count.
        span: Seconds.
        faults: The share of requests that go wrong, each in one of `kinds`. The n-th time a request is made has
            the same fate in every run with the same seed, whatever comes in between.
        kinds: Which faults; one that a service does not know leaves it alone.
        retry_after: Seconds that an injected 429 or backoff asks for.
        github_status: 403 or 429, with which GitHub refuses.
        github_retry_after: Whether it then says when to come back.
        quota: Requests that Stack Exchange takes at all; by default 300, or 10,000 with a key.
        before: A test's own answer, or None for the usual one.
        latency: Seconds before any answer but the test's own.
        seed: Of the faults.
    """

    def __init__(
        self,
        posts: Iterable[Post] = (),
        *,
        limits: dict[str, int] | None = None,
        span: float = 60,
        faults: float = 0,
        kinds: Sequence[str] = KINDS,
        retry_after: int = 1,
        github_status: int = 403,
        github_retry_after: bool = True,
        quota: int | None = None,
        before: Callable[[Request], Answer | None] | None = None,
        latency: float = 0,
        seed: int = 0,
    ) -> None:
        self.limits, self.span = limits or {}, span
        self.share, self.kinds, self.retry_after, self.seed = faults, kinds, retry_after, seed
        self.github_status, self.github_retry_after = github_status, github_retry_after
        self.quota, self.before, self.latency = quota, before, latency
        self.violations: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.asked: Counter[str] = Counter()
        self.used: Counter[str] = Counter()
        self.tokens: set[str] = set()
        self.issued = 0
        self.posts: defaultdict[tuple[str, str], list[Post]] = defaultdict(list)
        for post in sorted(posts, key=lambda post: (post.created_at, post.number)):
            self.posts[post.source, post.query].append(post)

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        source = source_of(request.path)
        refused, remaining, wait = self.arrive(source, request.at)
        if self.before and (answer := self.before(request)):
            return answer
        headers = self.rate_headers(source, remaining, wait)
        if refused:
            answer = self.refuse(source, math.ceil(wait))
        else:
            try:
                answer = self.spoil(self.fate(source, request), request)
            except (KeyError, ValueError) as error:
                answer = Answer({"message": f"Bad request: {error!r}"}, 400)
        return replace(answer, headers=headers | answer.headers, delay=self.latency)

    def expire_tokens(self) -> None:
        """Make every token that Reddit has given out worthless."""
        with self.lock:
            self.tokens.clear()

    def arrive(self, source: str, at: float) -> tuple[bool, int, float]:
        """Note an arrival: whether it is one too many, how many more are free, and seconds until the next is.

        Arrivals are noted a little out of order, hence the look at every series of limit + 1 that this one is in.
        """
        limit = self.limits.get(source, UNLIMITED)
        with self.lock:
            times = self.times[source]
            place = bisect_right(times, at)
            times.insert(place, at)
            ends = range(max(place, limit), min(place + limit + 1, len(times)))
            refused = any(times[end] < times[end - limit] + self.span for end in ends)
            if refused:
                self.violations[source] += 1
            recent = len(times) - bisect_right(times, times[-1] - self.span)
            wait = times[-min(recent, limit)] + self.span - time.monotonic()
        return refused, max(limit - recent, 0), max(wait, 0)

    def rate_headers(self, source: str, remaining: int, wait: float) -> dict[str, str]:
        """What the two services that tell their limits tell about them."""
        limit = self.limits.get(source, UNLIMITED)
        if source == "github":
            told = {"limit": limit, "remaining": remaining, "used": limit - remaining, "resource": "search"}
            return {f"x-ratelimit-{name}": f"{value}" for name, value in told.items()} | {
                "x-ratelimit-reset": f"{math.ceil(time.time() + wait)}"
            }
        if source == "reddit":
            told = {"used": limit - remaining, "remaining": f"{remaining:.1f}", "reset": math.ceil(wait)}
            return {f"X-Ratelimit-{name.title()}": f"{value}" for name, value in told.items()}
        return {}

    def refuse(self, source: str, wait: int) -> Answer:
        """The answer to a request too many."""
        match source:
            case "github":
                headers = {"retry-after": f"{wait}"} if self.github_retry_after else {}
                kind = "a secondary rate limit" if self.github_retry_after else "the API rate limit"
                return Answer({"message": f"You have exceeded {kind}."}, self.github_status, headers)
            case "stackoverflow":
                return throttled(wait)
            case "reddit":
                return Answer(ERROR_PAGE, 429, HTML | {"retry-after": f"{wait}"})
        return Answer({"message": "Too many requests", "status": 429}, 429)

    def fate(self, source: str, request: Request) -> str:
        """The fault that befalls a request, "" for none."""
        kinds = [kind for kind in self.kinds if KINDS_OF.get(kind, source) == source]
        asked = f"{self.seed} {request.method} {request.path} {sorted(request.query.items())}"
        with self.lock:
            self.asked[asked] += 1
            dice = random.Random(f"{asked} {self.asked[asked]}")
            if not kinds or dice.random() >= self.share:
                return ""
            kind = dice.choice(kinds)
            self.faults[kind] += 1
        return kind

    def spoil(self, kind: str, request: Request) -> Answer:
        """What a fault makes of the answer to a request; "" for no fault."""
        moment = formatdate(time.time() + self.retry_after, usegmt=True)
        plain = {
            "500": Answer({"message": "Server Error"}, 500),
            "502-html": Answer(ERROR_PAGE, 502, HTML),
            "429-seconds": Answer({"message": "Too many requests"}, 429, {"retry-after": f"{self.retry_after}"}),
            "429-date": Answer({"message": "Too many requests"}, 429, {"retry-after": moment}),
            "not-json": Answer(ERROR_PAGE, 200, HTML),
            "reset": Answer("", cut=0),
            "empty": Answer(""),
        }
        if kind in plain:
            return plain[kind]
        answer = self.truth(request)
        match kind:
            case "cut":
                return replace(answer, body=answer.encoded, cut=len(answer.encoded) // 2)
            case "incomplete" if answer.status == 200:
                half = answer.body["items"][: len(answer.body["items"]) // 2]
                return replace(answer, body=answer.body | {"incomplete_results": True, "items": half})
            case "backoff" if answer.status == 200:
                return replace(answer, body=answer.body | {"backoff": self.retry_after})
        return answer

    def truth(self, request: Request) -> Answer:
        """The answer of a service in good health."""
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["search", "issues"]:
                return self.github(request.query)
            case "GET", ["questions"]:
                return self.stack_exchange(request.query)
            case "POST", ["api", "v1", "access_token"]:
                return self.reddit_token(request.headers.get("authorization", ""))
            case "GET", ["r", subreddit, "new"]:
                return self.reddit(subreddit, request.query, request.headers.get("authorization", ""))
            case "GET", ["search_by_date"]:
                return self.hacker_news(request.query)
        return Answer({"message": "Not Found"}, 404)

    def between(self, source: str, query: str, start: int, end: int) -> list[Post]:
        """The posts of a query from start up to, but not at, end (epoch seconds); oldest first."""
        posts = self.posts.get((source, query), [])
        first, last = (bisect_left(posts, edge, key=lambda post: post.created_at) for edge in (start, end))
        return posts[first:last]

    def github(self, query: dict[str, str]) -> Answer:
        """A page of a search."""
        terms = query["q"].split()
        size, page = min(int(query.get("per_page", 30)), 100), int(query.get("page", 1))
        if not {"is:issue", "is:pull-request"} & set(terms):
            return unprocessable("Query must include 'is:issue' or 'is:pull-request'")
        if (page - 1) * size >= RESULT_LIMIT:
            return unprocessable("Only the first 1000 search results are available")
        start, end = 0, 2**40
        for term in terms:
            if term.startswith("created:"):
                first, last = term.removeprefix("created:").split("..")
                start, end = epoch(first), epoch(last) + (86_400 if len(last) == len("2026-11-20") else 1)
        words = " ".join(term for term in terms if not term.startswith("created:"))
        posts = self.between("github", words, start, end)
        found = posts if query.get("order") == "asc" else posts[::-1]
        items = [to_issue(post) for post in found[:RESULT_LIMIT][(page - 1) * size : page * size]]
        return Answer({"total_count": len(posts), "incomplete_results": False, "items": items})

    def stack_exchange(self, query: dict[str, str]) -> Answer:
        """A page of a tag's questions."""
        key = query.get("key", "")
        size, page = int(query.get("pagesize", 30)), int(query.get("page", 1))
        if not 0 <= size <= 100 or page < 1:
            return Answer({"error_id": 400, "error_message": "pagesize", "error_name": "bad_parameter"}, 400)
        quota = self.quota if self.quota is not None else 10_000 if key else 300
        with self.lock:
            self.used[key] += 1
            left = quota - self.used[key]
        if left < 0:
            return throttled(84_268)
        if page > PAGE_LIMIT_WITHOUT_KEY and not key:
            message = "page above 25 requires access token or app key"
            return Answer({"error_id": 403, "error_message": message, "error_name": "access_denied"}, 400)
        start, end = int(query.get("fromdate", 0)), int(query.get("todate", 2**40)) + 1
        posts = self.between("stackoverflow", query["tagged"], start, end)
        found = posts if query.get("order") == "asc" else posts[::-1]
        items = [to_question(post, query.get("filter")) for post in found[(page - 1) * size : page * size]]
        more = page * size < len(found)
        return Answer({"items": items, "has_more": more, "quota_max": quota, "quota_remaining": left})

    def reddit_token(self, authorization: str) -> Answer:
        """A token that the listings take."""
        if not authorization.startswith("Basic "):
            return Answer({"message": "Unauthorized", "error": 401}, 401)
        with self.lock:
            self.issued += 1
            token = f"t0ken-{self.issued}"
            self.tokens.add(token)
        return Answer({"access_token": token, "token_type": "bearer", "expires_in": 3600, "scope": "*"})

    def reddit(self, subreddit: str, query: dict[str, str], authorization: str) -> Answer:
        """A page of a subreddit's newest posts."""
        if authorization.removeprefix("Bearer ") not in self.tokens:
            denied = 'Bearer realm="reddit", error="invalid_token"'
            return Answer({"message": "Unauthorized", "error": 401}, 401, {"www-authenticate": denied})
        listing = self.posts.get(("reddit", subreddit), [])[-RESULT_LIMIT:][::-1]
        start = 0
        if "after" in query:
            names = [f"t3_{post.id36}" for post in listing]
            start = names.index(query["after"]) + 1 if query["after"] in names else len(listing)
        end = start + min(int(query.get("limit", 25)), 100)
        raw = query.get("raw_json") == "1"
        children = [{"kind": "t3", "data": to_submission(post, raw)} for post in listing[start:end]]
        after = f"t3_{listing[end - 1].id36}" if end < len(listing) else None
        return Answer({"kind": "Listing", "data": {"after": after, "dist": len(children), "children": children}})

    def hacker_news(self, query: dict[str, str]) -> Answer:
        """A page of the newest hits."""
        size, page = min(int(query.get("hitsPerPage", 20)), RESULT_LIMIT), int(query.get("page", 0))
        start, end = 0, 2**40
        for condition in filter(None, query.get("numericFilters", "").split(",")):
            parts = re.fullmatch(r"created_at_i(>=?|<=?)(\d+)", condition)
            if not parts:
                raise ValueError(f"numericFilters: {condition}")
            sign, second = parts[1], int(parts[2])
            if sign[0] == ">":
                start = max(start, second + (sign == ">"))
            else:
                end = min(end, second + (sign == "<="))
        if page * size >= RESULT_LIMIT:
            message = f"you can only fetch the {RESULT_LIMIT} hits for this query"
            return Answer({"hits": [], "nbHits": 0, "page": page, "hitsPerPage": size, "message": message})
        posts = self.between("hackernews", query["tags"], start, end)
        found = posts[::-1][:RESULT_LIMIT]
        hits = [to_hit(post) for post in found[page * size : (page + 1) * size]]
        pages = math.ceil(len(found) / size) if size else 0
        return Answer({"hits": hits, "nbHits": len(posts), "page": page, "nbPages": pages, "hitsPerPage": size})


def to_issue(post: Post) -> dict[str, Any]:
    """A post as GitHub's search gives it."""
    pull_request = {"pull_request": {"html_url": post.url}} if post.pull_request else {}
    return {
        "html_url": post.url,
        "id": post.number,
        "number": post.number,
        "title": post.title,
        "user": {"login": post.author, "type": "User"},
        "state": "open",
        "comments": post.comments,
        "created_at": zulu(post.created_at),
        "body": post.body,
        "reactions": {"total_count": post.votes},
    } | pull_request


def to_question(post: Post, shape: str | None) -> dict[str, Any]:
    """A post as Stack Exchange gives it: the title escaped, the body only when asked for."""
    body = {"body": post.body} if shape == "withbody" else {}
    return {
        "tags": [post.query],
        "owner": {"user_type": "registered", "display_name": post.author},
        "answer_count": post.comments,
        "score": post.votes,
        "creation_date": post.created_at,
        "question_id": post.number,
        "link": f"{post.url}/a-slug-that-may-change",
        "title": html.escape(post.title).replace("&#x27;", "&#39;"),
    } | body


def to_submission(post: Post, raw: bool) -> dict[str, Any]:
    """A post as Reddit lists it, with the three characters of HTML escaped unless asked not to."""
    title, body = post.title, post.body or ""
    return {
        "subreddit": post.query,
        "id": post.id36,
        "name": f"t3_{post.id36}",
        "title": title if raw else html.escape(title, quote=False),
        "selftext": body if raw else html.escape(body, quote=False),
        "author": post.author,
        "created_utc": float(post.created_at),
        "num_comments": post.comments,
        "score": post.votes,
        "permalink": post.url.removeprefix("https://www.reddit.com"),
        "removed_by_category": None,
    }


def to_hit(post: Post) -> dict[str, Any]:
    """A post as Algolia gives it: texts that are not there have no key, and comments no title."""
    comment = post.query == "comment"
    text = {} if post.body is None else {"comment_text" if comment else "story_text": post.body}
    return {
        "_tags": [post.query, f"author_{post.author}"],
        "author": post.author,
        "created_at": zulu(post.created_at),
        "created_at_i": post.created_at,
        "num_comments": post.comments,
        "objectID": f"{post.number}",
        "points": post.votes,
        "title": None if comment else post.title,
    } | (text | {"story_title": post.title} if comment else text)


def throttled(wait: int) -> Answer:
    """Stack Exchange's refusal."""
    message = f"too many requests from this IP, more requests available in {wait} seconds"
    return Answer({"error_id": 502, "error_message": message, "error_name": "throttle_violation"}, 400)


def unprocessable(message: str) -> Answer:
    """GitHub's answer to a search that it does not do."""
    return Answer({"message": message, "documentation_url": "https://docs.github.com/rest", "status": "422"}, 422)


def zulu(second: int) -> str:
    """2026-11-20T00:00:00Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


def epoch(moment: str) -> int:
    """The inverse of zulu; a day is its first second."""
    parsed = datetime.fromisoformat(moment)
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())


def source_of(path: str) -> str:
    """The service that a path belongs to, "nobody" for none."""
    if path.startswith(("/r/", "/api/v1/")):
        return "reddit"
    names = {"/search/issues": "github", "/questions": "stackoverflow", "/search_by_date": "hackernews"}
    return names.get(path, "nobody")


def arrivals(requests: Iterable[Request], source: str) -> list[float]:
    """When a service was asked (time.monotonic()), sorted."""
    return sorted(request.at for request in requests if source_of(request.path) == source)


def most_in_span(times: Sequence[float], span: float) -> int:
    """The most of these sorted times in any [t, t + span)."""
    return max((bisect_left(times, start + span) - index for index, start in enumerate(times)), default=0)


def addresses(url: str) -> dict[str, str]:
    """The environment that sends the collector to this address instead of to the services."""
    names = ("GITHUB_API_URL", "STACKEXCHANGE_API_URL", "REDDIT_AUTH_URL", "REDDIT_API_URL", "HACKERNEWS_API_URL")
    return dict.fromkeys(names, url)
