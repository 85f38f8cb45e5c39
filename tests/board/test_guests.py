"""What guests may ask the board's server for, on the real server, with requests that harm nothing."""

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

import sync.server
from sync.server import settings
from tests.support.project import Server, free_address, serve
from tests.support.rules import PAGE, generated, hook_limits

PROBLEMS = "/api/collections/problems/records"
# Visitors come through a proxy that writes their address.
HEADER = "X-Forwarded-For"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without records, behind a proxy."""
    data = tmp_path_factory.mktemp("guests")
    address = free_address()
    with serve(data, address, secrets.token_hex(), **settings(address, HEADER)) as server:
        yield server


def visitor(board: Server, address: str) -> httpx.Client:
    """A client with an address of its own."""
    return httpx.Client(base_url=board.url, headers={HEADER: address})


def superuser(board: Server) -> httpx.Client:
    """A client that is signed in."""
    identity = {"identity": board.settings["POCKETBASE_EMAIL"], "password": board.settings["POCKETBASE_PASSWORD"]}
    answer = httpx.post(f"{board.url}/api/collections/_superusers/auth-with-password", json=identity)
    return httpx.Client(base_url=board.url, headers={"Authorization": answer.json()["token"]})


REFUSED: list[dict[str, str]] = [
    {"filter": "id != 'a' && " * 280 + "id != 'a'"},
    {"filter": " || ".join(["id != 'a'"] * 201)},
    {"sort": ",".join(["title"] * 9)},
    # There are no relations, and other collections are closed.
    {"filter": "problem_posts_via_problem.title ~ 'a'"},
    {"filter": "problem_posts_via_problem:length > 1"},
    {"filter": "@collection.issues.id = 'a'"},
    {"sort": "problem_posts_via_problem.title"},
]


def test_guests_read_records_and_nothing_that_costs_much(board: Server) -> None:
    with visitor(board, "10.0.0.1") as guest, superuser(board) as known:
        for query in REFUSED:
            assert guest.get(PROBLEMS, params=query).status_code in (400, 403), query
        assert guest.get(PROBLEMS, params={"perPage": 5000}).json()["perPage"] == 1000
        for name, field in (("issue_evidence", "issue"), ("problem_posts", "problem"), ("theme_posts", "theme")):
            posts = f"/api/collections/{name}/records"
            record = {
                "id": "a" * 15,
                field: "b" * 15,
                "url_hash": "c",
                "source": "github",
                "url": "https://example.org",
            }
            record |= {"content_hash": "d", "cluster_date": "2026-11-20", "collection_date": "2026-11-20"}
            assert known.post(posts, json=record).status_code == 200
            for path in (posts, f"{posts}/{'a' * 15}"):
                answer = guest.get(path, params={"expand": field})
                assert answer.status_code == 200
                assert "expand" not in answer.text
            assert guest.get(posts, params={"filter": f"{field}.id != ''"}).status_code == 400
        # What the board asks for.
        for query in (
            {"filter": 'source_counts.reddit > 0 && agreement >= 0.5 && (title ~ "%a.b%" || labeler ~ "%,%")'},
            {"sort": "-is_edited,-demand_score,+voices,id", "perPage": "1000", "fields": "id", "skipTotal": "1"},
            {"filter": " || ".join(f'id = "{number:015}"' for number in range(100))},
        ):
            assert guest.get(PROBLEMS, params=query).status_code == 200, query
        # Guests write nothing, and see no account.
        assert guest.post("/api/batch", json={"requests": [{"method": "DELETE", "url": f"{PROBLEMS}/a"}]}).is_error
        assert guest.post(PROBLEMS, json={"title": "x"}).is_error
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


def client_of(stream: httpx.Response) -> tuple[Iterator[str], str]:
    """The lines of a live connection, which closes it when it is lost, and the connection's id."""
    lines = stream.iter_lines()
    first = next(line for line in lines if line.startswith("data:"))
    return lines, json.loads(first.removeprefix("data:"))["clientId"]


def subscribe(guest: httpx.Client, client: str, *topics: str) -> httpx.Response:
    """Ask for subscriptions of a live connection."""
    return guest.post("/api/realtime", json={"clientId": client, "subscriptions": topics})


def topic(options: object) -> str:
    """A subscription to the problems with options."""
    return f"problems/*?options={quote(json.dumps(options))}"


def test_live_connections_and_their_subscriptions_are_few(board: Server) -> None:
    limit = hook_limits()["connectionsOfAddress"]
    pool = httpx.Limits(max_connections=limit + 10)
    own = topic({"query": {"fields": "id", "filter": f'problem = "{"a" * 15}"'}})
    with (
        httpx.Client(base_url=board.url, headers={HEADER: "10.0.0.5"}, limits=pool) as guest,
        visitor(board, "10.0.0.6") as other,
        superuser(board) as known,
        ExitStack() as opened,
    ):
        streams = [opened.enter_context(guest.stream("GET", "/api/realtime")) for _ in range(limit)]
        assert {stream.status_code for stream in streams} == {200}
        lines, client = client_of(streams[0])
        # As the board subscribes.
        assert subscribe(guest, client, "searches/*", topic({"query": {"fields": "id"}}), own).status_code == 204
        with guest.stream("GET", "/api/realtime") as one_more:
            more_lines, more = client_of(one_more)
            assert subscribe(guest, more, own).status_code == 429
            # The server has ended it.
            assert not [line for line in more_lines if line.startswith("data:")]
        with other.stream("GET", "/api/realtime") as of_another:
            other_lines, another = client_of(of_another)
            assert subscribe(other, another, own).status_code == 204
            del other_lines
        for wrong in (
            topic({"query": {"expand": "problem_posts_via_problem"}}),
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
        # Accounts have no such limits.
        with known.stream("GET", "/api/realtime") as of_account:
            account_lines, account = client_of(of_account)
            assert subscribe(known, account, topic({"query": {"filter": "title ~ 'a'"}})).status_code == 204
            del account_lines
        del lines


def test_every_answer_has_the_headers(board: Server) -> None:
    script = "<script>alert(1)</script>"
    with visitor(board, "10.0.0.7") as guest:
        answers = [guest.get(path) for path in ("/", "/issues.html", "/board.js", "/nothing", PROBLEMS, "/_/")]
        # A browser finds nothing to run in these: they are JSON.
        others = [
            guest.get("/api/nothing"),
            guest.get("/api/health"),
            guest.get(PROBLEMS, params={"filter": script}),
            guest.get(f"{PROBLEMS}/{script}"),
            guest.get(f"/api/collections/{script}/records"),
            guest.get("/api/collections/_superusers/records"),
            guest.get("/api/settings"),
            guest.get("/api/backups"),
            guest.get(f"/api/files/problems/a/{script}"),
            guest.post(PROBLEMS, json={"title": script}),
            guest.post("/api/batch", content=script),
            guest.post("/api/batch", content=b"[" * 33_000_000),
            guest.post("/api/realtime", json={"clientId": script}),
            guest.post("/api/collections/_superusers/auth-with-password", json={"identity": "<script>"}),
            guest.put("/api/nothing"),
            guest.request("PROPFIND", "/"),
            *(guest.get(PROBLEMS, params={"perPage": 1}) for _ in range(320)),
        ]
        assert {answer.status_code for answer in others} == {200, 400, 401, 403, 404, 429}
        for answer in others:
            assert answer.headers["Content-Type"] == "application/json", answer.url
            assert "<script>" not in answer.text, answer.url
        for answer in answers + others:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self';" in policy, answer.url
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # The middleware that writes them would hold a JavaScript runtime for as long as a live connection is open.
    with visitor(board, "10.0.0.8") as guest, guest.stream("GET", "/api/realtime") as stream:
        assert "Content-Security-Policy" not in stream.headers
        assert stream.headers["X-Content-Type-Options"] == "nosniff"


def test_the_dashboard_is_for_this_machine(board: Server, tmp_path: Path) -> None:
    # Behind a proxy, and for other machines, it is served only if somebody asks for it.
    assert httpx.get(f"{board.url}/_/").status_code == 404
    cases: list[tuple[tuple[str, str | None], bool, str]] = [
        (("127.0.0.1:8090", None), False, "on"),
        (("[::1]:8090", None), False, "on"),
        (("0.0.0.0:8090", None), False, "off"),
        ((":8090", None), False, "off"),
        (("192.0.2.1:8090", None), False, "off"),
        (("127.0.0.1:8090", HEADER), False, "off"),
        (("0.0.0.0:8090", None), True, "on"),
    ]
    for (address, header), asked, state in cases:
        assert settings(address, header, dashboard=asked)["GROUNDSWELL_DASHBOARD"] == state, address
    with serve(tmp_path, free_address(), secrets.token_hex()) as server:
        answer = httpx.get(f"{server.url}/_/")
        assert answer.status_code == 200
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_server_of_an_earlier_version_gets_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = shutil.copytree(sync.server.HERE, tmp_path / "sync")
    (earlier / "pb_migrations" / "1765400000_guests.js").unlink()
    posts = "/api/collections/issue_evidence/records"
    with monkeypatch.context() as old:
        old.setattr(sync.server, "HERE", earlier)
        with serve(tmp_path / "pb", free_address(), password := secrets.token_hex()) as server:
            with superuser(server) as known:
                days = {"cluster_date": "2026-11-20", "collection_date": "2026-11-20"}
                issue = {"id": "b" * 15, "canonical_title": "a", "category": "other", "labeler": "extractive", **days}
                issue |= {"impact_level": "low", "content_hash": "c"}
                written = known.post("/api/collections/issues/records", json=issue)
                assert written.status_code == 200, written.text
                post = {"id": "a" * 15, "issue": "b" * 15, "url_hash": "c", "source": "github", "content_hash": "d"}
                written = known.post(posts, json=post | days | {"url": "https://example.org"})
                assert written.status_code == 200, written.text
            assert "expand" in httpx.get(f"{server.url}{posts}", params={"expand": "issue"}).text
    with serve(tmp_path / "pb", free_address(), password) as server:
        [kept] = httpx.get(f"{server.url}{posts}", params={"expand": "issue"}).json()["items"]
        assert kept["issue"] == "b" * 15
        assert "expand" not in kept
        assert PAGE.read_text() == generated(server)


def test_the_list_of_rules_is_that_of_the_server(board: Server) -> None:
    assert PAGE.read_text() == generated(board), "write it anew: python -m tests.support.rules"
