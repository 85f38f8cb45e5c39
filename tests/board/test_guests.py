"""What guests may ask the board's server for, on the real server, with requests that harm nothing."""

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.support.project import Server, free_address, serve
from tests.support.rules import PAGE, generated, hook_limits

PROBLEMS = "/api/collections/problems/records"
# Visitors come through a proxy that writes their address.
HEADER = "X-Forwarded-For"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without records, behind a proxy."""
    data = tmp_path_factory.mktemp("guests")
    with serve(data, free_address(), secrets.token_hex(), GROUNDSWELL_PROXY_HEADER=HEADER) as server:
        yield server


def visitor(board: Server, address: str) -> httpx.Client:
    """A client with an address of its own."""
    return httpx.Client(base_url=board.url, headers={HEADER: address})


def superuser(board: Server) -> httpx.Client:
    """A client that is signed in."""
    identity = {"identity": board.settings["POCKETBASE_EMAIL"], "password": board.settings["POCKETBASE_PASSWORD"]}
    answer = httpx.post(f"{board.url}/api/collections/_superusers/auth-with-password", json=identity)
    return httpx.Client(base_url=board.url, headers={"Authorization": answer.json()["token"]})


REFUSED = [
    ({"expand": "problem_posts_via_problem"}, "expand is not for guests"),
    ({"expand": "problem_posts_via_problem.problem"}, "expand is not for guests"),
    ({"perPage": "501"}, "perPage is more than 500"),
    ({"filter": "id != 'a' && " * 300 + "id != 'a'"}, "more than 3000 characters"),
    ({"filter": " || ".join(["title ~ 'a'"] * 25)}, "more than 24 searches"),
    ({"filter": "problem_posts_via_problem.title ~ 'a'"}, "compare fields of the collection"),
    ({"filter": "problem_posts_via_problem:length > 1"}, "compare fields of the collection"),
    ({"filter": "@collection.issues.id = 'a'"}, "compare fields of the collection"),
    ({"filter": "first_seen < @now"}, "compare fields of the collection"),
    ({"filter": "geoDistance(voices, 1, 2, 3) < 5"}, "compare fields of the collection"),
    ({"filter": 'title = "\\\\" && problem_posts_via_problem.title = " || title = "'}, "two backslashes"),
    ({"sort": "problem_posts_via_problem.title"}, "fields of the collection"),
    ({"sort": "@random"}, "fields of the collection"),
    ({"sort": "title,voices,id,status,trend"}, "more than 4 fields"),
]


def test_guests_read_records_and_nothing_that_costs_much(board: Server) -> None:
    with visitor(board, "10.0.0.1") as guest, superuser(board) as known:
        for query, reason in REFUSED:
            answer = guest.get(PROBLEMS, params=query)
            assert answer.status_code == 400, query
            assert reason in answer.json()["message"]
        assert guest.get("/api/collections/problem_posts/records/abc", params={"expand": "problem"}).status_code == 400
        # What the board asks for. Texts of a filter may hold anything.
        for query in (
            {"filter": 'source_counts.reddit > 0 && agreement >= 0.5 && (title ~ "%a.b @x(\\\\%%" || labeler ~ "%,%")'},
            {"sort": "-is_edited,-demand_score,+voices,id", "perPage": "500", "fields": "id", "skipTotal": "1"},
            {"filter": " || ".join(f'id = "{number:015}"' for number in range(100))},
        ):
            assert guest.get(PROBLEMS, params=query).status_code == 200, query
        # A superuser and the push have no such limits.
        query = {
            "expand": "problem_posts_via_problem",
            "filter": "problem_posts_via_problem.title ~ 'a'",
            "perPage": "1000",
        }
        assert known.get(PROBLEMS, params=query).status_code == 200
        # Guests write nothing, and see no account.
        assert guest.post("/api/batch", json={"requests": []}).status_code == 401
        assert guest.post(PROBLEMS, json={"title": "x"}).status_code in (400, 403)
        for name in ("_superusers", "sync_clients"):
            assert guest.get(f"/api/collections/{name}/records").status_code == 403
        for name in ("_otps", "_mfas", "_externalAuths", "_authOrigins"):
            assert guest.get(f"/api/collections/{name}/records").json()["totalItems"] == 0
        assert guest.get("/api/collections/users/records").status_code == 404


def test_requests_are_counted_by_the_address_that_the_proxy_writes(board: Server) -> None:
    with visitor(board, "10.0.0.2") as guest, visitor(board, "10.0.0.3") as other, superuser(board) as known:
        statuses = [guest.get(PROBLEMS, params={"perPage": 1}).status_code for _ in range(320)]
        # A fixed window may end meanwhile.
        assert statuses.count(429) >= 20
        refused = guest.get(PROBLEMS, params={"perPage": 1})
        assert statuses[-1] == 429 or refused.status_code == 200
        assert other.get(PROBLEMS, params={"perPage": 1}).status_code == 200
        assert {known.get(PROBLEMS, params={"perPage": 1}).status_code for _ in range(320)} == {200}
        # The proxy appends to what the visitor has sent.
        forged = [
            other.get(PROBLEMS, headers={HEADER: f"10.1.{number}.1, 10.0.0.4"}).status_code for number in range(320)
        ]
        assert 429 in forged


def test_a_header_that_no_proxy_writes_is_not_believed(tmp_path: Path) -> None:
    with serve(tmp_path, free_address(), secrets.token_hex(), GROUNDSWELL_PROXY_HEADER=HEADER):
        pass
    # The second start names no header.
    with serve(tmp_path, free_address(), secrets.token_hex()) as server, httpx.Client(base_url=server.url) as guest:
        statuses = [
            guest.get(PROBLEMS, headers={HEADER: f"10.0.1.{number % 250}"}).status_code for number in range(320)
        ]
    assert 429 in statuses


def subscribe(guest: httpx.Client, client: str, *topics: str) -> httpx.Response:
    """Ask for subscriptions of a live connection."""
    return guest.post("/api/realtime", json={"clientId": client, "subscriptions": topics})


def topic(options: object) -> str:
    """A subscription to the problems with options."""
    return f"problems/*?options={quote(json.dumps(options))}"


def test_live_connections_and_their_subscriptions_are_few(board: Server) -> None:
    limit = hook_limits()["connectionsOfAddress"]
    pool = httpx.Limits(max_connections=limit + 10)
    with (
        httpx.Client(base_url=board.url, headers={HEADER: "10.0.0.5"}, limits=pool) as guest,
        visitor(board, "10.0.0.6") as other,
        ExitStack() as opened,
    ):
        streams = [opened.enter_context(guest.stream("GET", "/api/realtime")) for _ in range(limit)]
        assert {stream.status_code for stream in streams} == {200}
        lines = streams[0].iter_lines()
        first = next(line for line in lines if line.startswith("data:"))
        client = json.loads(first.removeprefix("data:"))["clientId"]
        with guest.stream("GET", "/api/realtime") as one_more:
            assert one_more.status_code == 429
        with other.stream("GET", "/api/realtime") as of_another:
            assert of_another.status_code == 200
        # As the board subscribes.
        own = topic({"query": {"fields": "id", "filter": f'problem = "{"a" * 15}"'}})
        assert subscribe(guest, client, "searches/*", topic({"query": {"fields": "id"}}), own).status_code == 204
        for wrong in (
            topic({"query": {"expand": "problem_posts_via_problem"}}),
            topic({"query": {"filter": "problem_posts_via_problem.title ~ 'a'"}}),
            topic({"query": {"filter": "title ~ 'a'"}}),
            topic({"headers": {"a": "b"}}),
            "problems/*?options=%7B",
            "problems/*?options=%7B%7D&options=%7B%7D",
            "problems/*?OPTIONS=%7B%7D",
            "problems",
        ):
            answer = subscribe(guest, client, wrong)
            assert answer.status_code == 400, wrong
            assert "Refused for guests" in answer.json()["message"]
        assert subscribe(guest, client, *(f"problems/{number:015}" for number in range(9))).status_code == 400
    # Closed connections give their places back.
    with visitor(board, "10.0.0.5") as guest, guest.stream("GET", "/api/realtime") as again:
        assert again.status_code == 200


def test_every_answer_has_the_headers(board: Server) -> None:
    with visitor(board, "10.0.0.7") as guest:
        for path in ("/", "/issues.html", "/board.js", "/nothing", "/api/nothing", "/api/health", PROBLEMS,
                     f"{PROBLEMS}?expand=x"):  # fmt: skip
            headers = guest.get(path).headers
            assert "default-src 'none'; script-src 'self';" in headers["Content-Security-Policy"], path
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_dashboard_is_for_this_machine(board: Server, tmp_path: Path) -> None:
    with httpx.Client(base_url=board.url) as here:
        answer = here.get("/_/")
        assert answer.status_code == 200
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        # A proxy on this machine passes visitors on.
        for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"):
            for path in ("/_/", "/_/index.html"):
                assert here.get(path, headers={name: "203.0.113.5"}).status_code == 404
    with serve(tmp_path, free_address(), secrets.token_hex(), GROUNDSWELL_DASHBOARD="1") as server:
        assert httpx.get(f"{server.url}/_/", headers={HEADER: "203.0.113.5"}).status_code == 200


def test_the_list_of_rules_is_that_of_the_server(board: Server) -> None:
    assert PAGE.read_text() == generated(board), "write it anew: python -m tests.support.rules"
