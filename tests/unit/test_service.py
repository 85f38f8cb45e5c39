"""ingest.service: what it makes of each answer, when it asks again, what it writes down, and what it never tells."""

import asyncio
import base64
import gzip
import json
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from email.utils import format_datetime
from itertools import count, pairwise
from pathlib import Path
from threading import Barrier
from typing import Any, Self

import duckdb
import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from groundswell.database import connect
from ingest.allowance import Allowance
from ingest.collect import Run, collect_source
from ingest.errors import IngestError, QueryRefusedError
from ingest.limits import Limits
from ingest.parsed import Parsed, Payload
from ingest.report import Report
from ingest.response import TransientError
from ingest.service import ATTEMPTS, DEADLINE, Service
from ingest.settings import load_settings
from ingest.sources import reddit, sources
from ingest.store import DDL, recent_requests
from ingest.window import Window, day_window
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import ROOT, SETTINGS
from tests.unit.test_allowance import PHASES, TICK, Clock, most_in_a_span, now, virtually

GITHUB, HACKERNEWS, LOBSTERS, REDDIT, STACKOVERFLOW = "github", "hackernews", "lobsters", "reddit", "stackoverflow"
SPAN, PATIENCE = 60.0, 900.0
LIMITS = Limits(SPAN, PATIENCE)
DAY = date(2026, 11, 19)
ADDRESSES = {
    "GITHUB_API_URL": "https://api.github.example",
    "STACKEXCHANGE_API_URL": "https://api.stackexchange.example/2.3",
    "REDDIT_AUTH_URL": "https://www.reddit.example",
    "REDDIT_API_URL": "https://oauth.reddit.example",
    "HACKERNEWS_API_URL": "https://hn.algolia.example/api/v1",
    "LOBSTERS_API_URL": "https://lobste.rs.example",
}
CREDENTIALS = {
    "GITHUB_TOKEN": "ghp_s3cretToken0123456789",
    # Keys of Stack Exchange look like this, and are written otherwise in an address.
    "STACKEXCHANGE_KEY": "s3cretKey*45)nvpm3((",
    "REDDIT_CLIENT_ID": "an-application",
    "REDDIT_CLIENT_SECRET": "s3cret-of_the-application",
}
TOKEN = "s3cret.access-token_of.reddit"
GOOD: dict[str, Any] = {
    GITHUB: {"total_count": 0, "incomplete_results": False, "items": []},
    STACKOVERFLOW: {"items": [], "has_more": False, "quota_max": 300, "quota_remaining": 299},
    REDDIT: {"kind": "Listing", "data": {"after": None, "children": []}},
    HACKERNEWS: {"hits": [], "nbHits": 0},
    LOBSTERS: [],
}
# The modules that look at a wall clock.
WALL_CLOCKS = ("ingest.allowance", "groundswell.clock", "groundswell.http")
HTML = {"content-type": "text/html; charset=UTF-8"}
PAGE = "<html>\n<head><title>Whoa there!</title></head>\n<body>Something went wrong.</body></html>"
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
ABUSE = {"message": "You have triggered an abuse detection mechanism. Please wait a few minutes."}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of a developer, and addresses that nobody has."""
    for name in (*SETTINGS, "INGEST_WINDOW_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ADDRESSES.items():
        monkeypatch.setenv(name, value)
    for name in ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET"):
        monkeypatch.setenv(name, CREDENTIALS[name])


@pytest.fixture
def wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that goes with the loop's time."""
    for module in WALL_CLOCKS:
        monkeypatch.setattr(f"{module}.datetime", Clock)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the bronze tables."""
    with connect(str(tmp_path / "test.duckdb")) as connection:
        connection.execute(DDL)
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, columns: str = "*") -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from bronze.ingest_requests order by request_id").fetchall()


def at(seconds: float, *, fast: float = 0) -> str:
    """The HTTP date so many seconds from now, on a clock that is so many seconds fast."""
    return format_datetime(Clock.now(UTC) + timedelta(seconds=seconds + fast), usegmt=True)


def epoch(seconds: float) -> str:
    return f"{(Clock.now(UTC) + timedelta(seconds=seconds)).timestamp():.0f}"


Reply = Answer | Exception
Script = Callable[[httpx.Request], Reply | Awaitable[Reply]]


def respond(answer: Answer) -> httpx.Response:
    """A response as a server makes it: JSON, with its clock, unless the answer's headers say otherwise."""
    headers = {"content-type": "application/json", "date": at(0)} | answer.headers
    return httpx.Response(answer.status, headers=headers, content=answer.encoded)


@dataclass
class Wire:
    """Stands for the network. Gives the replies in turn, the last one for ever, and notes what was asked, and when.

    Reddit's tokens are given apart, by default one after the other without end.
    """

    replies: Sequence[Reply | Script]
    token: Reply | Script | None = None
    requests: list[httpx.Request] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    tokens: int = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(reddit.TOKEN_PATH):
            self.tokens += 1
            granted = Answer({"access_token": f"{TOKEN}{self.tokens}", "expires_in": 3600})
            script: Reply | Script = self.token or granted
        else:
            script = self.replies[min(len(self.requests), len(self.replies) - 1)]
            self.requests.append(request)
            self.times.append(now())
        coming = script if isinstance(script, Answer | Exception) else script(request)
        reply = coming if isinstance(coming, Answer | Exception) else await coming
        if isinstance(reply, Exception):
            raise reply
        return respond(reply)

    @property
    def waits(self) -> list[float]:
        """Seconds from each request to the next."""
        return [after - before for before, after in pairwise(self.times)]


@asynccontextmanager
async def talk(
    name: str,
    wire: Wire | None,
    connection: duckdb.DuckDBPyConnection,
    *,
    requests: int = 10,
    span: float = SPAN,
    recent: Sequence[float] = (),
    archive: Path | None = None,
    deadline: float = 10,
) -> AsyncIterator[Service]:
    """A conversation over a wire, or over real HTTP."""
    transport = httpx.MockTransport(wire) if wire else None
    async with httpx.AsyncClient(transport=transport, timeout=deadline) as client:
        allowance = Allowance(name, requests, span, PATIENCE, recent)
        yield Service(sources()[name], client, allowance, connection, archive)


def window(name: str) -> Window:
    return day_window(name, "is:issue" if name == GITHUB else "story", DAY)


async def ask(service: Service) -> Parsed:
    """Ask for a day's first page."""
    request = service.source.request(window(service.source.name), "1")
    return (await service.ask(request, service.source.parse)).content


async def refusal(service: Service) -> IngestError:
    """The error that asking ends in."""
    with pytest.raises(IngestError) as caught:
        await ask(service)
    return caught.value


WAITED_OUT: dict[str, tuple[str, Callable[[], Answer], float]] = {
    "github 403 retry-after": (GITHUB, lambda: Answer(SECONDARY, 403, {"retry-after": "30"}), 30),
    "github 429 retry-after": (GITHUB, lambda: Answer(SECONDARY, 429, {"retry-after": "30"}), 30),
    "github 403 date": (GITHUB, lambda: Answer(SECONDARY, 403, {"retry-after": at(40)}), 40),
    "github 429 date of a clock that is fast": (
        GITHUB, lambda: Answer(SECONDARY, 429, {"retry-after": at(40, fast=3600), "date": at(0, fast=3600)}), 40
    ),
    "github 403 none remain": (
        GITHUB,
        lambda: Answer({"message": "no"}, 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": epoch(50)}),
        50,
    ),
    "github 429 none remain": (
        GITHUB,
        lambda: Answer({"message": "no"}, 429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": epoch(50)}),
        50,
    ),
    "github 403 none remain, clock fast": (
        GITHUB,
        lambda: Answer(
            {"message": "no"},
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": epoch(3650), "date": at(0, fast=3600)},
        ),
        50,
    ),
    "github 403 secondary, in words": (GITHUB, lambda: Answer(SECONDARY, 403), SPAN),
    "github 403 secondary, though some remain": (
        GITHUB,
        lambda: Answer(SECONDARY, 403, {"x-ratelimit-remaining": "4000", "x-ratelimit-reset": epoch(3000)}),
        SPAN,
    ),
    "github 403 abuse": (GITHUB, lambda: Answer(ABUSE, 403), SPAN),
    "github 429 without a word": (GITHUB, lambda: Answer("", 429), SPAN),
    "stackoverflow throttled, 400": (STACKOVERFLOW, lambda: Answer(throttled(25), 400), 25),
    "stackoverflow throttled, 502": (STACKOVERFLOW, lambda: Answer(throttled(25), 502), 25),
    "stackoverflow throttled, 200": (STACKOVERFLOW, lambda: Answer(throttled(25)), 25),
    "stackoverflow throttled without a time": (
        STACKOVERFLOW,
        lambda: Answer({"error_id": 502, "error_name": "throttle_violation", "error_message": "slow down"}, 400),
        SPAN,
    ),
    "reddit 429": (REDDIT, lambda: Answer(PAGE, 429, HTML | {"retry-after": "4"}), 4),
    "reddit 429 without a time": (REDDIT, lambda: Answer(PAGE, 429, HTML), SPAN),
    "reddit 429 none remain": (
        REDDIT,
        lambda: Answer(PAGE, 429, HTML | {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "333"}),
        333,
    ),
    "hackernews 429": (HACKERNEWS, lambda: Answer({"message": "Too many requests", "status": 429}, 429), SPAN),
    "hackernews 429 retry-after": (HACKERNEWS, lambda: Answer("", 429, {"retry-after": "7.5"}), 7.5),
    "hackernews 503 retry-after": (HACKERNEWS, lambda: Answer(PAGE, 503, HTML | {"retry-after": "45"}), 45),
    "github 503 retry-after": (GITHUB, lambda: Answer("", 503, {"retry-after": at(45)}), 45),
}  # fmt: skip


def throttled(seconds: int) -> dict[str, Any]:
    message = f"too many requests from this IP, more requests available in {seconds} seconds"
    return {"error_id": 502, "error_name": "throttle_violation", "error_message": message}


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("case", WAITED_OUT)
def test_a_limit_is_waited_out_by_all_and_the_question_asked_again(
    case: str, connection: duckdb.DuckDBPyConnection
) -> None:
    name, limited, seconds = WAITED_OUT[case]

    async def main() -> None:
        wire = Wire([lambda _: limited(), Answer(GOOD[name])])
        async with talk(name, wire, connection) as service:
            # Somebody else comes a second later.
            first, _ = await asyncio.gather(ask(service), ask_after(service, 1))
            assert first.fetched == 0
        assert wire.times == pytest.approx([0, seconds, seconds], abs=3 * TICK)

    virtually(main())
    [(outcome, status)] = [row for row in rows(connection, "outcome, status_code") if row[0] != "used"]
    assert outcome.startswith("TransientError: ")
    assert "asks for fewer requests" in outcome or status == 503


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("wait", ["0", "-5", "a past date"])
def test_a_limit_that_is_over_is_a_fault_like_others(wait: str, connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        retry_after = at(-40) if wait == "a past date" else wait
        wire = Wire([Answer(SECONDARY, 429, {"retry-after": retry_after}), Answer(GOOD[GITHUB])])
        async with talk(GITHUB, wire, connection) as service:
            await ask(service)
        assert len(wire.waits) == 1
        assert 1 - TICK <= wire.waits[0] <= 2 + TICK

    virtually(main())


async def ask_after(service: Service, seconds: float) -> Parsed:
    await asyncio.sleep(seconds)
    return await ask(service)


REFUSED: dict[str, tuple[str, Answer, type[IngestError], str]] = {
    "github 401": (
        GITHUB,
        Answer({"message": "Bad credentials"}, 401),
        IngestError,
        r"GitHub does not accept GITHUB_TOKEN \(401: Bad credentials\): renew it, or unset it",
    ),
    "github 403": (
        GITHUB,
        Answer({"message": "Resource not accessible by personal access token"}, 403),
        IngestError,
        r"GitHub refuses \(403: Resource .*\): check what GITHUB_TOKEN may read",
    ),
    "github 403 though many remain": (
        GITHUB,
        Answer({"message": "no"}, 403, {"x-ratelimit-remaining": "4", "x-ratelimit-reset": "1"}),
        IngestError,
        "check what GITHUB_TOKEN may read",
    ),
    "github 404": (
        GITHUB,
        Answer({"message": "Not Found"}, 404),
        IngestError,
        r"404: Not Found\): check GITHUB_API_URL",
    ),
    "github 422": (
        GITHUB,
        Answer({"message": "Validation Failed", "errors": [{"code": "invalid"}]}, 422),
        QueryRefusedError,
        r"422: Validation Failed\): correct it in .*ingest/sources.yml",
    ),
    "github moved": (
        GITHUB,
        Answer("", 301, {"location": "https://elsewhere.example/"}),
        IngestError,
        "301, a redirect to https://elsewhere.example/: check the service's address",
    ),
    "github 410": (GITHUB, Answer({"message": "Gone\nfor\tgood"}, 410), IngestError, "answered 410: Gone for good"),
    "stackoverflow parameter": (
        STACKOVERFLOW,
        Answer({"error_id": 400, "error_message": "tagged", "error_name": "bad_parameter"}, 400),
        QueryRefusedError,
        r"the tag \(400: bad_parameter: tagged\): correct it in .*ingest/sources.yml",
    ),
    "stackoverflow access": (
        STACKOVERFLOW,
        Answer({"error_id": 403, "error_message": "page above 25 requires a key", "error_name": "access_denied"}, 400),
        IngestError,
        r"403: access_denied: page above 25 requires a key\): check STACKEXCHANGE_KEY",
    ),
    "stackoverflow key": (
        STACKOVERFLOW,
        Answer({"error_id": 400, "error_message": "`key` is not valid", "error_name": "bad_parameter"}, 400),
        IngestError,
        "check STACKEXCHANGE_KEY",
    ),
    "reddit 403": (
        REDDIT,
        Answer({"message": "Forbidden", "error": 403}, 403),
        QueryRefusedError,
        "correct it in .*ingest/sources.yml",
    ),
    "reddit 403 page": (REDDIT, Answer(PAGE, 403, HTML), QueryRefusedError, r"403: an HTML page\): private, banned"),
    "reddit 404": (
        REDDIT,
        Answer({"reason": "banned", "message": "Not Found", "error": 404}, 404),
        QueryRefusedError,
        "404: banned: Not Found: 404",
    ),
    "reddit 302": (
        REDDIT,
        Answer("", 302, {"location": "https://oauth.reddit.example/subreddits/search?q=story"}),
        QueryRefusedError,
        "302: .* misspelt",
    ),
    "reddit 400": (REDDIT, Answer({"message": "Bad Request", "error": 400}, 400), IngestError, "400: Bad Request: 400"),
    "hackernews 400": (
        HACKERNEWS,
        Answer({"message": "invalid numeric filter", "status": 400}, 400),
        QueryRefusedError,
        r"400: invalid numeric filter\): correct it in .*ingest/sources.yml",
    ),
    "hackernews 403": (
        HACKERNEWS,
        Answer({"message": "Invalid Application-ID", "status": 403}, 403),
        IngestError,
        "check HACKERNEWS_API_URL",
    ),
    "hackernews 404": (HACKERNEWS, Answer(PAGE, 404, HTML), IngestError, "check HACKERNEWS_API_URL"),
}  # fmt: skip


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_ends_it_at_once_and_says_what_to_do(case: str, connection: duckdb.DuckDBPyConnection) -> None:
    name, answer, kind, says = REFUSED[case]

    async def main() -> None:
        wire = Wire([answer])
        async with talk(name, wire, connection) as service:
            error = await refusal(service)
            assert type(error) is kind
            assert re.search(says, str(error))
            assert len(str(error).splitlines()) == 1
            assert len(wire.requests) == 1
            assert now() == pytest.approx(0)

    virtually(main())
    [(outcome, status)] = rows(connection, "outcome, status_code")[-1:]
    assert outcome.startswith(f"{kind.__name__}: ")
    assert status == answer.status


FAULTS: dict[str, tuple[Reply, str]] = {
    "no connection": (httpx.ConnectError("All connection attempts failed"), "can not be reached: ConnectError All"),
    "connection lost": (httpx.ReadError(""), "can not be reached: ReadError"),
    "no answer in time": (httpx.ReadTimeout(""), "can not be reached: ReadTimeout"),
    "no protocol": (httpx.RemoteProtocolError("peer closed connection"), "RemoteProtocolError peer closed connection"),
    "not unpacked": (httpx.DecodingError("incorrect header check"), "DecodingError incorrect header check"),
    "408": (Answer("", 408), "answered 408"),
    "500": (Answer({"message": "Server Error"}, 500), "answered 500"),
    "502": (Answer(PAGE, 502, HTML), "answered 502: an HTML page"),
    "503": (Answer("", 503), "answered 503: Service Unavailable"),
    "504": (Answer(PAGE, 504, HTML), "answered 504"),
    "520": (Answer("", 520), "answered 520: no text"),
    "522": (Answer(PAGE, 522, HTML), "answered 522"),
    "cut JSON": (Answer('{"items": [{"title": "a'), r"something that is not JSON \(23 bytes"),
    "HTML with 200": (Answer(PAGE, 200, HTML), "something that is not JSON .*an HTML page"),
    "empty": (Answer(""), r"something that is not JSON \(0 bytes"),
    "not of this service": (Answer({"status": "ok"}), "not a response of this service"),
    "a list": (Answer([]), "not a response of this service"),
    "too deep": (Answer("[" * 100_000), "something that is not JSON"),
    "no text": (Answer(b"\xff\xfe\xfa{"), "something that is not JSON"),
}


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_retried_a_few_times_with_growing_waits(
    fault: str, name: str, connection: duckdb.DuckDBPyConnection
) -> None:
    if fault == "a list" and name == LOBSTERS:
        pytest.skip("an empty list is a good answer")
    reply, says = FAULTS[fault]

    async def main() -> None:
        wire = Wire([reply])
        async with talk(name, wire, connection) as service:
            error = await refusal(service)
            assert type(error) is IngestError
            assert re.search(says, str(error))
            assert str(error).endswith(f", {ATTEMPTS} times in a row")
            assert len(str(error).splitlines()) == 1
        assert len(wire.requests) == ATTEMPTS == 5
        for wait, least in zip(wire.waits, (1, 2, 4, 8), strict=True):
            assert least - TICK <= wait <= least + 1 + 5 * TICK

    virtually(main())
    asked = rows(connection, "outcome, status_code, answered_at >= requested_at")[-ATTEMPTS:]
    status = reply.status if isinstance(reply, Answer) else None
    assert [entry[1:] for entry in asked] == [(status, True)] * ATTEMPTS
    assert all(re.search(says, outcome) for outcome, *_ in asked)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_at_the_second_attempt_is_as_good(fault: str, connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([FAULTS[fault][0], Answer(GOOD[REDDIT])])
        async with talk(REDDIT, wire, connection) as service:
            assert (await ask(service)).fetched == 0
        assert (len(wire.requests), wire.tokens, service.requests) == (2, 1, 3)

    virtually(main())
    assert rows(connection, "outcome, status_code")[-1] == ("used", 200)


def test_waits_differ_by_chance(connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer("", 500)])
        async with talk(HACKERNEWS, wire, connection, requests=100) as service:
            await asyncio.gather(*(refusal(service) for _ in range(8)))
        assert len(set(wire.times)) >= 4 * 8

    virtually(main())


def test_every_retry_takes_a_slot(connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer("", 500)])
        async with talk(HACKERNEWS, wire, connection, requests=3) as service:
            await asyncio.gather(*(refusal(service) for _ in range(4)))
        assert len(wire.times) == 4 * ATTEMPTS
        assert most_in_a_span(wire.times, SPAN) == 3

    virtually(main())


def test_an_answer_that_trickles_for_ever_is_given_up(connection: duckdb.DuckDBPyConnection) -> None:
    async def trickle(_: httpx.Request) -> Answer:
        await asyncio.sleep(10 * DEADLINE)
        return Answer(GOOD[HACKERNEWS])

    async def main() -> None:
        wire = Wire([trickle, Answer(GOOD[HACKERNEWS])])
        async with talk(HACKERNEWS, wire, connection) as service:
            await ask(service)
        assert DEADLINE + 1 <= now() <= DEADLINE + 3

    virtually(main())


LONG = {
    "github": (GITHUB, Answer(SECONDARY, 403, {"retry-after": "1200"})),
    "stackoverflow": (STACKOVERFLOW, Answer(throttled(1200), 400)),
    "reddit": (REDDIT, Answer(PAGE, 429, HTML | {"retry-after": "1200"})),
    "reddit token": (REDDIT, Answer(PAGE, 429, HTML | {"retry-after": "1200"})),
    "hackernews": (HACKERNEWS, Answer("", 429, {"retry-after": "1200"})),
}


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("case", LONG)
def test_a_pause_beyond_patience_is_not_sat_out(case: str, connection: duckdb.DuckDBPyConnection) -> None:
    name, answer = LONG[case]

    async def main() -> None:
        wire = Wire([answer], token=answer if case == "reddit token" else None)
        async with talk(name, wire, connection) as service:
            error = await refusal(service)
            assert type(error) is IngestError
            assert re.search(r"asks for fewer requests .*: resume after 18:20 UTC, with the same command$", str(error))
            assert len(str(error).splitlines()) == 1
            # Not even for the next question. Before a retry there is a wait of up to two seconds.
            assert "resume after 18:20 UTC" in str(await refusal(service))
            assert now() <= 2 + TICK
        assert len(wire.requests) + wire.tokens == (2 if case == "reddit" else 1)

    virtually(main())


@pytest.mark.usefixtures("wall_clock")
def test_backoff_in_a_good_answer_makes_the_next_request_wait(connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer(GOOD[STACKOVERFLOW] | {"backoff": 33}), Answer(GOOD[STACKOVERFLOW])])
        async with talk(STACKOVERFLOW, wire, connection) as service:
            assert (await ask(service)).items == []
            assert now() == pytest.approx(0)
            await asyncio.gather(ask(service), ask(service))
        assert wire.times == pytest.approx([0, 33, 33], abs=2 * TICK)

    virtually(main())


@pytest.mark.usefixtures("wall_clock")
def test_the_last_request_of_a_day_is_kept_and_the_next_one_told_to_wait_for_midnight(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    async def main() -> None:
        question = {"question_id": 1, "link": "https://stackoverflow.com/questions/1", "title": "It broke"}
        question["creation_date"] = 1_795_000_000
        wire = Wire([Answer(GOOD[STACKOVERFLOW] | {"quota_remaining": 0, "items": [question]})])
        async with talk(STACKOVERFLOW, wire, connection) as service:
            assert len((await ask(service)).items) == 1
            error = str(await refusal(service))
            assert "the day's quota of Stack Exchange is spent" in error
            assert "STACKEXCHANGE_KEY raises it to 10,000" in error
            assert error.endswith(": resume after 2026-11-21 00:00 UTC, with the same command")
            assert now() == pytest.approx(0)
        assert len(wire.requests) == 1

    virtually(main())


def test_midnight_is_midnight_though_clocks_go_on(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()

    class RestlessClock(Clock):
        """A wall clock that has gone on a little whenever it is looked at, while the loop's stands still."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(seconds=next(looks) / 1024)

    for module in WALL_CLOCKS:
        monkeypatch.setattr(f"{module}.datetime", RestlessClock)

    async def main() -> None:
        wire = Wire([Answer(GOOD[STACKOVERFLOW] | {"quota_remaining": 0})])
        async with talk(STACKOVERFLOW, wire, connection) as service:
            await ask(service)
            error = str(await refusal(service))
        assert "resume after 2026-11-21 00:00 UTC" in error
        assert next(looks) > 1

    virtually(main())


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize(
    ("name", "headers"),
    [
        (GITHUB, lambda: {"x-ratelimit-remaining": "0", "x-ratelimit-reset": epoch(33)}),
        (REDDIT, lambda: {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "33"}),
    ],
)
def test_none_remaining_in_a_good_answer_makes_the_next_request_wait(
    name: str, headers: Callable[[], dict[str, str]], connection: duckdb.DuckDBPyConnection
) -> None:
    async def main() -> None:
        wire = Wire([lambda _: Answer(GOOD[name], headers=headers()), Answer(GOOD[name])])
        async with talk(name, wire, connection) as service:
            await ask(service)
            await ask(service)
        assert wire.waits == pytest.approx([33], abs=2 * TICK)

    virtually(main())


@pytest.mark.usefixtures("wall_clock")
def test_what_remains_of_other_quotas_of_github_does_not_matter(connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        core = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": epoch(3000), "x-ratelimit-resource": "core"}
        wire = Wire([Answer(GOOD[GITHUB], headers=core)])
        async with talk(GITHUB, wire, connection) as service:
            await ask(service)
            await ask(service)
            assert now() == pytest.approx(0)

    virtually(main())


def test_a_token_that_has_expired_is_renewed_once(connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer({"error": 401}, 401), Answer(GOOD[REDDIT])])
        async with talk(REDDIT, wire, connection) as service:
            await ask(service)
            await ask(service)
        assert wire.tokens == 2
        assert [request.headers["authorization"] for request in wire.requests] == [
            f"Bearer {TOKEN}1", f"Bearer {TOKEN}2", f"Bearer {TOKEN}2",
        ]  # fmt: skip

    virtually(main())


def test_a_token_that_is_never_accepted_ends_the_source(connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer({"error": 401}, 401)])
        async with talk(REDDIT, wire, connection) as service:
            error = await refusal(service)
            assert type(error) is IngestError
            assert str(error).startswith("Reddit does not accept its token any more (401), nor a new one")
        assert (len(wire.requests), wire.tokens) == (2, 2)

    virtually(main())


def test_many_that_find_the_token_expired_renew_it_once(connection: duckdb.DuckDBPyConnection) -> None:
    async def expired(request: httpx.Request) -> Answer:
        await asyncio.sleep(0.5)
        return Answer(GOOD[REDDIT]) if request.headers["authorization"].endswith("2") else Answer({"error": 401}, 401)

    async def main() -> None:
        wire = Wire([expired])
        async with talk(REDDIT, wire, connection, requests=60) as service:
            await asyncio.gather(*(ask(service) for _ in range(20)))
        assert (len(wire.requests), wire.tokens) == (40, 2)

    virtually(main())


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer({"error": "invalid_grant"}), "Reddit refused REDDIT_CLIENT_ID: invalid_grant"),
        (
            Answer({"error": "invalid_grant"}, 401),
            r"Reddit does not accept REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET \(401: invalid_grant\)",
        ),
        (Answer({"error": "unauthorized_client"}), "Reddit refused REDDIT_CLIENT_ID: unauthorized_client"),
        (Answer({"message": "Unauthorized", "error": 401}, 401), r"\(401: Unauthorized: 401\)"),
        (Answer(PAGE, 403, HTML), r"REDDIT_CLIENT_SECRET \(403: an HTML page\)"),
    ],
)
def test_a_refused_token_ends_the_source(answer: Answer, says: str, connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer(GOOD[REDDIT])], token=answer)
        async with talk(REDDIT, wire, connection) as service:
            error = await refusal(service)
            assert type(error) is IngestError
            assert re.search(says, str(error))
            assert len(str(error).splitlines()) == 1
            assert now() == pytest.approx(0)
        assert (len(wire.requests), wire.tokens) == (0, 1)

    virtually(main())


@pytest.mark.parametrize("answer", [Answer("", 503), Answer(PAGE, 200, HTML), Answer({}), httpx.ConnectError("no")])
def test_a_token_that_does_not_come_is_asked_for_again(answer: Reply, connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer(GOOD[REDDIT])], token=answer)
        async with talk(REDDIT, wire, connection) as service:
            assert "times in a row" in str(await refusal(service))
        assert (len(wire.requests), wire.tokens) == (0, ATTEMPTS)

    virtually(main())


def test_requests_for_tokens_count_as_well(connection: duckdb.DuckDBPyConnection) -> None:
    async def main() -> None:
        wire = Wire([Answer({"error": 401}, 401), Answer(GOOD[REDDIT])])
        async with talk(REDDIT, wire, connection, requests=2) as service:
            await ask(service)
            # A token and its refusal; a minute later another and the answer.
            assert service.requests == 4
        assert wire.times == pytest.approx([0, SPAN], abs=3)
        assert wire.waits[0] >= SPAN

    virtually(main())
    assert [url.partition("?")[0] for (url,) in rows(connection, "url")] == [
        "https://www.reddit.example/api/v1/access_token",
        "https://oauth.reddit.example/r/story/new",
    ] * 2


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("name", GOOD)
def test_every_request_is_written_down_before_it_leaves(name: str, connection: duckdb.DuckDBPyConnection) -> None:
    replies: Iterator[Reply] = iter(
        [Answer("", 500), httpx.ReadTimeout("too slow"), Answer({"no": 1}), Answer(GOOD[name])]
    )
    seen = []

    def check(request: httpx.Request) -> Reply:
        *_, (url, *rest) = rows(connection, "url, source, allowance, span_seconds, outcome, status_code, answered_at")
        seen.append((url, rest))
        assert str(request.url).startswith(url)
        assert rest == [name, 10, SPAN, None, None, None]
        return next(replies)

    async def main() -> None:
        async with talk(name, Wire([check]), connection) as service:
            await ask(service)
            assert service.requests == len(rows(connection))

    virtually(main())
    assert len(seen) == 4
    asked = rows(connection, "outcome, status_code, answered_at")[-4:]
    assert [status for _, status, _ in asked] == [500, None, 200, 200]
    outcomes = [outcome for outcome, *_ in asked]
    assert outcomes[0].startswith("TransientError: ")
    assert outcomes[1].endswith("can not be reached: ReadTimeout too slow")
    assert "not a response of this service" in outcomes[2]
    assert outcomes[3] == "used"
    assert None not in [answered_at for *_, answered_at in asked]
    numbers = [number for (number,) in rows(connection, "request_id")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_request_that_is_given_up_stays_written_down(connection: duckdb.DuckDBPyConnection) -> None:
    async def never(_: httpx.Request) -> Reply:
        await asyncio.sleep(60)
        return Answer("")

    async def main() -> None:
        async with talk(HACKERNEWS, Wire([never]), connection) as service:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ask(service), 1)

    virtually(main())
    assert rows(connection, "outcome, status_code, answered_at") == [(None, None, None)]
    # Its age counts by the wall clock, which has hardly gone on.
    assert len(recent_requests(connection, HACKERNEWS, SPAN)) == 1
    assert recent_requests(connection, GITHUB, SPAN) == []


def test_a_request_of_an_earlier_run_counts_from_its_response_on(connection: duckdb.DuckDBPyConnection) -> None:
    # Until then it may not have arrived: a service counts it when it arrives.
    connection.execute(
        "insert into bronze.ingest_requests"
        " (request_id, source, url, allowance, span_seconds, requested_at, answered_at)"
        " select 1, $source, '', 1, $span, moment - to_seconds($span + 1), moment - to_seconds(1)"
        " from (select now() at time zone 'UTC' as moment)",
        {"source": HACKERNEWS, "span": SPAN},
    )
    [age] = recent_requests(connection, HACKERNEWS, SPAN)
    assert 1 <= age < SPAN


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize(("transit", "later"), [(0.0, 1.0), (0.0, 59.9), (0.0, 61.0), (2.0, 3.0), (2.0, 60.5)])
def test_a_second_run_counts_the_requests_of_the_first(
    transit: float, later: float, connection: duckdb.DuckDBPyConnection
) -> None:
    def run(days: int) -> Run:
        return Run(
            [GITHUB], [DAY - timedelta(days=number) for number in reversed(range(days))], load_settings(), LIMITS
        )

    async def main() -> None:
        there: list[float] = []

        async def arrive(seconds: float) -> Answer:
            await asyncio.sleep(seconds)
            there.append(now())
            return Answer(GOOD[GITHUB])

        async def collected(days: int, seconds: float) -> None:
            transport = httpx.MockTransport(Wire([lambda _: arrive(seconds)]))
            async with httpx.AsyncClient(transport=transport) as client:
                report = await collect_source(connection, client, GITHUB, run(days), lambda *_: None)
                assert report.stopped is None

        queries = len(load_settings()["github"].queries)
        await collected(10 // queries, transit)
        assert len(there) == 10
        await asyncio.sleep(later - now())
        await collected(22 // queries, 0)
        assert len(there) == 22
        assert most_in_a_span(there, SPAN) <= 10

    virtually(main())


def texts(connection: duckdb.DuckDBPyConnection, archive: Path) -> Iterator[str]:
    """All that is written down: rows, names of files, and what is in them."""
    yield from (str(row) for row in rows(connection))
    for path in archive.rglob("*"):
        yield path.name
        if path.is_file():
            body = path.read_bytes()
            yield (gzip.decompress(body) if path.suffix == ".gz" else body).decode("utf-8", "replace")


BASIC = base64.b64encode(f"{CREDENTIALS['REDDIT_CLIENT_ID']}:{CREDENTIALS['REDDIT_CLIENT_SECRET']}".encode()).decode()


def gives_away(text: str) -> bool:
    """Whether a text holds a secret, or part of one, also as addresses and headers write it."""
    return "s3cret" in text or BASIC[:20] in text


def echo(request: httpx.Request, status: int, place: str, name: str) -> Answer:
    """All that was asked, in the words of an answer, or in its headers."""
    sent = f"{request.headers.get('authorization')} {request.url.params.get('key')} {request.url}"
    words = sent if place == "words" else "no"
    body: dict[str, Any] = {"message": words, "error_message": words, "reason": words, "error": words, "sent": words}
    if status == 400 and name == STACKOVERFLOW:
        body["error_id"] = 400
    if status == 200:
        body |= GOOD[name]
    headers = {"x-request": sent, "link": f'<{request.url}>; rel="next"'} if place == "headers" else {}
    return Answer(body, status, {"location": str(request.url) if place == "location" else "/"} | headers)


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("place", ["words", "location", "headers"])
@pytest.mark.parametrize("status", [200, 301, 400, 403, 429, 500])
@pytest.mark.parametrize("name", [GITHUB, STACKOVERFLOW, REDDIT])
def test_no_secret_is_told_though_the_service_repeats_it(
    name: str,
    status: int,
    place: str,
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for variable, value in CREDENTIALS.items():
        monkeypatch.setenv(variable, value)
    caplog.set_level("DEBUG", "groundswell.ingest")

    async def main() -> str:
        wire = Wire([lambda request: echo(request, status, place, name)])
        async with talk(name, wire, connection, archive=tmp_path / "kept") as service:
            try:
                await ask(service)
            except IngestError as error:
                return str(error)
        return ""

    told = [virtually(main()), caplog.text, *texts(connection, tmp_path / "kept")]
    assert len(told) > 4
    assert not [text for text in told if gives_away(text)]


@pytest.mark.usefixtures("wall_clock")
@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 500])
def test_no_secret_is_told_though_reddit_repeats_it_instead_of_a_token(
    status: int, connection: duckdb.DuckDBPyConnection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "groundswell.ingest")

    async def main() -> str:
        wire = Wire([Answer({})], token=lambda request: echo(request, status, "words", REDDIT))
        async with talk(REDDIT, wire, connection) as service:
            return str(await refusal(service))

    told = [virtually(main()), caplog.text, str(rows(connection))]
    assert not [text for text in told if gives_away(text)]


@pytest.mark.parametrize("place", range(270, 301, 5))
def test_no_part_of_a_secret_is_told_where_words_are_cut_short(
    place: int, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", CREDENTIALS["GITHUB_TOKEN"])

    async def main() -> str:
        words = "x" * place + CREDENTIALS["GITHUB_TOKEN"]
        async with talk(GITHUB, Wire([Answer({"message": words}, 410)]), connection) as service:
            return str(await refusal(service))

    assert "ghp_s" not in virtually(main())
    assert "ghp_s" not in str(rows(connection))


@pytest.mark.usefixtures("wall_clock")
def test_a_token_that_another_request_has_renewed_is_still_a_secret(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    async def late(request: httpx.Request) -> Answer:
        await asyncio.sleep(20)
        return echo(request, 403, "words", REDDIT)

    async def main() -> str:
        wire = Wire([late, Answer({"error": 401}, 401), Answer(GOOD[REDDIT])])
        async with talk(REDDIT, wire, connection, archive=tmp_path / "kept") as service:
            slow = asyncio.create_task(refusal(service))
            await asyncio.sleep(1)
            await ask(service)
            assert wire.tokens == 2
            return str(await slow)

    told = [virtually(main()), *texts(connection, tmp_path / "kept")]
    assert not [text for text in told if gives_away(text)]


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\u2019"])
def test_a_token_with_a_slip_of_the_pen_is_not_told_either(
    end: str, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, loopback: Loopback
) -> None:
    loopback.answer = lambda _: Answer({"message": "Bad credentials"}, 401)
    monkeypatch.setenv("GITHUB_API_URL", loopback.url)
    monkeypatch.setenv("GITHUB_TOKEN", CREDENTIALS["GITHUB_TOKEN"] + end)

    async def main() -> str:
        async with talk(GITHUB, None, connection, span=0.1) as service:
            return str(await refusal(service))

    message = asyncio.run(main())
    assert not gives_away(message)
    assert not gives_away(str(rows(connection)))
    assert "GITHUB_TOKEN" in message


@pytest.mark.parametrize(
    "address",
    ["api.github.com", "ftp://api.github.com", "http://", "http://[::1", "http://a:port"],
)
def test_an_address_that_is_none_is_named(
    address: str, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", address)

    async def main() -> IngestError:
        async with talk(GITHUB, None, connection) as service:
            return await refusal(service)

    error = asyncio.run(main())
    assert type(error) is IngestError
    assert str(error).startswith(f"{address}/search/issues is no address")
    assert len(str(error).splitlines()) == 1


STRANGE = {
    "retry-after": ["-1", "1e400", "nan", "99999999999999", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", "", "1;2"],
    "x-ratelimit-remaining": ["0", "-3", "0.0", "many", "1e9", "7"],
    "x-ratelimit-reset": ["0", "1795000000", "1795000000000", "1e300", "-1", "now"],
    "date": ["", "yesterday", "Fri, 31 Dec 9999 23:59:59 -0500", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo"],
    "content-type": ["text/html", "application/json; charset=none-such", "a\tb"],
    "location": ["/", "http://[", "x" * 1000],
}
KEYS = (
    "items", "hits", "data", "children", "after", "message", "error", "reason", "error_id", "error_name",
    "error_message", "backoff", "quota_remaining", "total_count", "nbHits", "access_token",
)  # fmt: skip
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from([502, 400, 403])
)
BODIES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
)


@settings(max_examples=25, deadline=None, phases=PHASES)
@given(
    st.sampled_from(list(GOOD)),
    st.sampled_from([200, 204, 301, 302, 304, 400, 401, 403, 404, 408, 409, 418, 422, 429, 451, 500, 503, 520, 599]),
    st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in STRANGE.items()}),
    BODIES | st.binary(max_size=20),
    st.booleans(),
)
@example(GITHUB, 429, {"retry-after": STRANGE["retry-after"][5], "date": STRANGE["date"][2]}, b"", False)
def test_whatever_comes_ends_in_an_answer_or_in_one_line(
    name: str, status: int, headers: dict[str, str], body: Any, as_token: bool
) -> None:
    answer = Answer(body if isinstance(body, bytes) else json.dumps(body), status, headers)

    async def main() -> None:
        with connect(":memory:") as connection:
            connection.execute(DDL)
            async with talk(name, Wire([answer], token=answer if as_token else None), connection) as service:
                for result in await asyncio.gather(ask(service), ask(service), return_exceptions=True):
                    if isinstance(result, BaseException):
                        assert isinstance(result, IngestError)
                        assert len(str(result).splitlines()) == 1
                assert None not in [outcome for (outcome,) in rows(connection, "outcome")]

    virtually(main())


CUTS = {
    "reset before the answer": Answer(GOOD[HACKERNEWS], cut=0),
    "cut in the body": Answer({"hits": [], "nbHits": 0, "more": "x" * 5000}, cut=2000),
    "cut before the body": Answer(GOOD[HACKERNEWS], cut=-len(json.dumps(GOOD[HACKERNEWS]))),
    "too late": Answer(GOOD[HACKERNEWS], delay=0.6),
    "not compressed": Answer("plain", headers={"content-encoding": "gzip"}),
    "empty": Answer(""),
    "an error page": Answer(PAGE, 200, HTML),
}


@pytest.mark.parametrize("fault", CUTS)
def test_what_goes_wrong_on_the_wire_is_asked_for_again(
    fault: str, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, loopback: Loopback
) -> None:
    loopback.answer = lambda _: CUTS[fault] if len(loopback.requests) == 1 else Answer(GOOD[HACKERNEWS])
    monkeypatch.setenv("HACKERNEWS_API_URL", loopback.url)

    async def main() -> None:
        async with talk(HACKERNEWS, None, connection, span=1, deadline=0.3) as service:
            assert (await ask(service)).total == 0

    asyncio.run(main())
    assert len(loopback.requests) == 2
    assert [status for (status,) in rows(connection, "status_code")][1:] == [200]


def test_nobody_there_is_asked_five_times(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HACKERNEWS_API_URL", "http://127.0.0.1:9")

    async def main() -> str:
        async with talk(HACKERNEWS, None, connection, span=0.5) as service:
            return str(await refusal(service))

    says = "http://127.0.0.1:9/search_by_date can not be reached: ConnectError"
    assert asyncio.run(main()).startswith(says)
    assert [outcome.startswith(says) for (outcome,) in rows(connection, "outcome")] == [True] * ATTEMPTS


def test_a_slow_answer_does_not_keep_its_slot(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, loopback: Loopback
) -> None:
    delay, span = 1.0, 1.2
    loopback.answer = lambda _: Answer(GOOD[HACKERNEWS], delay=delay)
    monkeypatch.setenv("HACKERNEWS_API_URL", loopback.url)

    async def main() -> None:
        async with talk(HACKERNEWS, None, connection, requests=1, span=span) as service:
            await asyncio.gather(ask(service), ask(service))

    asyncio.run(main())
    first, second = (request.at for request in loopback.requests)
    # A slot counted from the answer would be free after both, at the earliest.
    assert span <= second - first < delay + span


# The requests that left within a pause, as data test no_request_leaves_within_a_pause finds them.
WITHIN_A_PAUSE = (ROOT / "tests/dbt/no_request_leaves_within_a_pause.sql").read_text()


@pytest.mark.parametrize("kind", ["backoff", "429"])
def test_a_pause_holds_for_all_requests_of_the_service(
    kind: str, connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, loopback: Loopback
) -> None:
    """Requests that are under way when the server asks for a pause come within it. None leaves after it has asked."""
    numbers, told, service_of = count(), list[int](), sources()[STACKOVERFLOW]
    # Six requests are under way at once: the first six answers wait for each other.
    together = Barrier(6)

    def answer(_: Request) -> Answer:
        number = next(numbers)
        if number < together.parties:
            together.wait(timeout=20)
        # Large answers are read in several turns.
        good = GOOD[STACKOVERFLOW] | {"more": "x" * 300_000}
        time.sleep(0.01 * (number % 9))
        if number % 20 != 5:
            return Answer(good)
        told.append(number)
        return Answer(good | {"backoff": 0.5}) if kind == "backoff" else Answer({}, 429, {"retry-after": "0.5"})

    loopback.answer = answer
    monkeypatch.setenv("STACKEXCHANGE_API_URL", loopback.url)

    def store(payload: Payload) -> Parsed:
        time.sleep(0.02)  # blocks the event loop, as storing a page does
        return service_of.parse(payload)

    async def main() -> None:
        async with talk(STACKOVERFLOW, None, connection, requests=30, span=1) as service:
            question = service_of.request(window(STACKOVERFLOW), "1")
            await asyncio.gather(*(service.ask(question, store) for _ in range(45)))

    asyncio.run(main())
    assert len(told) >= 2
    assert not together.broken
    table = WITHIN_A_PAUSE.replace("{{ source('bronze', 'ingest_requests') }}", "bronze.ingest_requests")
    assert not connection.execute(table).fetchall()
    pauses = connection.execute("select count(*) from bronze.ingest_requests where pause_seconds = 0.5").fetchall()
    assert pauses == [(len(told),)]
    assert len(rows(connection)) == len(loopback.requests)


@pytest.mark.usefixtures("wall_clock")
def test_a_second_run_sits_out_the_pause_of_the_first(connection: duckdb.DuckDBPyConnection) -> None:
    def collected(wire: Wire) -> Coroutine[Any, Any, Report]:
        run = Run([STACKOVERFLOW], [DAY], load_settings(), LIMITS)
        client = httpx.AsyncClient(transport=httpx.MockTransport(wire))
        return collect_source(connection, client, STACKOVERFLOW, run, lambda *_: None)

    async def main() -> None:
        # A run that is killed after its first answer.
        first = asyncio.create_task(collected(Wire([Answer(GOOD[STACKOVERFLOW] | {"backoff": 30})])))
        await asyncio.sleep(10)
        first.cancel()
        wire = Wire([Answer(GOOD[STACKOVERFLOW])])
        assert (await collected(wire)).stopped is None
        assert min(wire.times) == pytest.approx(30, abs=0.1)

    virtually(main())


RECORDED = os.environ.get("GROUNDSWELL_PAYLOADS")
# By source, and by status: what a recorded answer is.
JUDGED: dict[tuple[str, int], type[Exception]] = {
    ("github", 403): TransientError,  # all of them are of limits
    ("github", 422): QueryRefusedError,
    ("github", 429): TransientError,
    ("github", 502): TransientError,
    ("stackoverflow", 400): QueryRefusedError,
    ("reddit", 400): IngestError,
    ("reddit", 401): TransientError,
    ("reddit", 403): QueryRefusedError,
    ("reddit", 404): QueryRefusedError,
    ("reddit", 409): IngestError,
    ("reddit", 415): IngestError,
    ("reddit", 429): TransientError,
    **{("reddit", status): TransientError for status in (500, 502, 503, 504, 520, 522)},
}


def recorded(pattern: str) -> Iterator[tuple[str, Path, httpx.Response]]:
    """The recorded responses whose name fits a pattern."""
    for meta_file in sorted(Path(RECORDED or "").glob(f"*/{pattern}.meta.json")):
        meta = json.loads(meta_file.read_text())
        [path] = [path for path in meta_file.parent.glob(f"{meta_file.name.removesuffix('.meta.json')}.*")
                  if path != meta_file]  # fmt: skip
        # A fixture without a status is of the days in which every limit was a 403.
        status = int(str(meta.get("status", 403))[:3])
        values = {name.lower(): value for name, value in meta.get("headers", {}).items()}
        headers = {name: value if isinstance(value, str) else ", ".join(value) for name, value in values.items()}
        # The body is kept as it was after decoding; a template stands for a moment around the answer's.
        for name in ("content-encoding", "content-length", "transfer-encoding"):
            headers.pop(name, None)
        headers = {name: value for name, value in headers.items() if "{{" not in value}
        if "{{" in values.get("x-ratelimit-reset", ""):
            headers["x-ratelimit-reset"] = f"{datetime.now(UTC).timestamp() + 3:.0f}"
        url = httpx.URL("https://service.example/").join(meta.get("url") or "")
        request = httpx.Request(meta.get("method") or "GET", url)
        response = httpx.Response(status, headers=headers, content=path.read_bytes(), request=request)
        yield meta_file.parent.name, path, response


def judged(name: str, response: httpx.Response) -> Exception | None:
    try:
        payload = response.json()
    except ValueError:
        payload = None
    sources()[name].quotas(response, payload)
    return sources()[name].problem_of(response, payload)


@pytest.mark.skipif(not RECORDED, reason="GROUNDSWELL_PAYLOADS names no folder of recorded responses")
def test_recorded_errors_are_what_they_are() -> None:
    seen = 0
    for name, path, response in (*recorded("error_*"), *recorded("perceval_abuse_rate_limit")):
        problem = judged(name, response)
        throttle = "throttle_violation" in path.name
        assert type(problem) is (TransientError if throttle else JUDGED[name, response.status_code]), path
        assert len(str(problem).splitlines()) == 1
        if isinstance(problem, TransientError):
            limited = throttle or response.status_code in (403, 429)
            assert problem.limited == limited, path
            assert problem.renew == (response.status_code == 401), path
            wait = {"throttle_violation_a": 67_194, "throttle_violation_b": 32_322}
            wait |= {"reddit 429": 4}
            told = [seconds for words, seconds in wait.items() if words in f"{path.stem} {name} {response.status_code}"]
            spent = response.headers.get("x-ratelimit-remaining") == "0"
            assert problem.wait == (told[0] if told else pytest.approx(3, abs=2) if spent else None), path
        seen += 1
    assert seen >= 20


@pytest.mark.skipif(not RECORDED, reason="GROUNDSWELL_PAYLOADS names no folder of recorded responses")
def test_recorded_answers_to_requests_for_a_token_are_read() -> None:
    read = []
    for name, path, response in recorded("oauth_*"):
        assert judged(name, response) is None, path
        assert all(quota.remaining > 290 for quota in reddit.quotas(response, None))
        if "error" in response.json():
            with pytest.raises(IngestError, match="Reddit refused REDDIT_CLIENT_ID: invalid_grant"):
                reddit.read_token(response.json())
        else:
            read.append(reddit.read_token(response.json()))
    assert len(read) >= 4
