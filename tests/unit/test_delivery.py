"""sync.delivery: what a push sends, and what it makes of answers, against a server that says what a test chooses."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from sync.delivery import MAX_REFUSED, CredentialsError, Delivery, Operation, RefusedError, TooLargeError, fault
from sync.errors import SyncError
from tests.support.loopback import Answer, Loopback, Request

HASH = "a" * 64
COUNTS = ("position", "this_week", "last_week", "days_this_week", "days_last_week")
FIGURE = {"id": "f" * 15, "figure": "posts", "as_of_date": "2026-11-20"} | dict.fromkeys(COUNTS, 1)


@pytest.fixture
def client(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[PocketBase]:
    """A client of the loopback server, with a token that it takes."""
    monkeypatch.setenv("POCKETBASE_TOKEN", "token")
    client = PocketBase(loopback.url)
    with closing(client.http_client):
        yield client


def operation(number: int, method: str = "PUT", root: int | None = None) -> tuple[Operation, dict[str, Any]]:
    """An operation on the record with this number, a leaf of the root; without a root it is one."""
    name = f"record {number}"
    parent = name if root is None else f"record {root}"
    record = None if method == "DELETE" else "{}"
    request = {"method": method, "url": f"/{number}", "body": {}}
    return Operation(number, method, "issues", name, parent, "h", record), request


def batches(loopback: Loopback) -> list[list[int]]:
    """The numbers of the records of each batch that was sent."""
    bodies = [json.loads(each.body) for each in loopback.requests if (each.method, each.path) == ("POST", "/api/batch")]
    return [[int(request["url"].removeprefix("/")) for request in body["requests"]] for body in bodies]


def refusal(index: int, response: dict[str, Any]) -> Answer:
    """The server's answer to a batch of which it refuses one request."""
    rows = {str(index): {"code": "batch_request_failed", "response": response}}
    return Answer({"status": 400, "message": "Batch transaction failed.", "data": {"requests": rows}}, 400)


@pytest.mark.parametrize(
    ("status", "answer", "exception"),
    [
        # What the server answers after its time limit, as seen.
        (400, {"data": {}, "message": "Batch transaction failed.", "status": 400}, TooLargeError),
        (400, {"data": {"requests": {"code": "validation_length_out_of_range"}}}, TooLargeError),
        (413, {"data": {}, "message": "Request entity too large.", "status": 413}, TooLargeError),
        (403, {"data": {}, "message": "Batch requests are not allowed.", "status": 403}, ClientResponseError),
        (401, {"data": {}, "message": "The request requires valid record authorization token."}, CredentialsError),
        (403, {"data": {}, "message": "Only superusers can perform this action."}, CredentialsError),
        (403, {}, CredentialsError),
        (404, {"data": {}, "message": "The requested resource wasn't found."}, ClientResponseError),
        (400, {}, TooLargeError),
        (500, {"data": {"requests": {"0": {}}}}, ClientResponseError),
        (0, "no JSON", ClientResponseError),
    ],
)
def test_what_an_answer_means(status: int, answer: Any, exception: type[Exception]) -> None:
    assert type(fault(ClientResponseError(status=status, data=answer))) is exception


def test_what_an_answer_says_of_one_request() -> None:
    def meaning(response: dict[str, Any]) -> Exception:
        return fault(ClientResponseError(status=400, data={"data": {"requests": {"3": {"response": response}}}}))

    # Without a valid token the server says 404 to a change, and gives no reason.
    answers: list[dict[str, Any]] = [{"status": status, "data": {"id": {}}} for status in (401, 403, 404)]
    for response in (*answers, {"status": 400}):
        found = meaning(response)
        assert (type(found), found.args) == (CredentialsError, (3,))
    # Nor is a row or an answer without reasons the fault of a record.
    rows: list[dict[str, Any]] = [{}, {"response": {}}]
    for row in rows:
        assert fault(ClientResponseError(status=400, data={"data": {"requests": {"0": row}}})).args == (0,)
    assert fault(ClientResponseError(status=401, data={})).args == (0,)
    taken = meaning({"status": 400, "data": {"id": {"code": "validation_not_unique", "message": "Not unique."}}})
    assert taken == RefusedError(3, "id: Not unique.", is_there=True)
    wrong = {"title": {"code": "validation_required", "message": "Blank."}, "url": {"code": "validation_is_url"}}
    assert meaning({"status": 400, "data": wrong}) == RefusedError(
        3, "title: Blank. url: {'code': 'validation_is_url'}", is_there=False
    )


def test_an_operation_is_one_request() -> None:
    path = "/api/collections/week_figures/records"
    name = "f" * 15
    known = Operation(1, "PUT", "week_figures", name, name, HASH, json.dumps(FIGURE))
    body = FIGURE | {"content_hash": HASH, "as_of_date": "2026-11-20 00:00:00.000Z"}
    assert known.request() == {"method": "PUT", "url": f"{path}?fields=id", "body": body}
    gone = Operation(2, "DELETE", "week_figures", "gone", "gone", None, None)
    assert gone.request() == {"method": "DELETE", "url": f"{path}/gone", "body": {}}
    # PocketBase would store a wrong value as another one.
    wrong = known._replace(record=json.dumps(FIGURE | {"last_week": -1}))
    assert wrong.request() == "last_week: Input should be greater than or equal to 0"
    # Only a leaf that is written needs its root.
    leaf = known._replace(root_id="root")
    assert [each.parent_id for each in (known, leaf, gone._replace(root_id="root"))] == [None, "root", None]


def test_a_batch_that_is_too_large_is_halved_and_nothing_is_lost(loopback: Loopback, client: PocketBase) -> None:
    def answer(request: Request) -> Answer:
        urls = [each["url"] for each in json.loads(request.body)["requests"]]
        return Answer({}, 413) if len(urls) > 3 or "/4" in urls else Answer([])

    loopback.answer = answer
    delivery = Delivery(client, size=8)
    delivery.deliver([operation(number) for number in range(8)])
    assert batches(loopback) == [[*range(8)], [0, 1, 2, 3], [0, 1], [2, 3], [4, 5], [4], [5], [6], [7]]
    assert delivery.complaint() == "issues record 4 (larger than the server takes)"
    assert len(delivery.refused) == 1


def test_leaves_of_a_refused_root_are_not_sent(loopback: Loopback, client: PocketBase) -> None:
    def answer(request: Request) -> Answer:
        urls = [each["url"] for each in json.loads(request.body)["requests"]]
        long = {"code": "validation_max_text_constraint", "message": "Too long."}
        return refusal(urls.index("/1"), {"status": 400, "data": {"title": long}}) if "/1" in urls else Answer([])

    loopback.answer = answer
    delivery = Delivery(client)
    # Gold's own check refuses the first one. What hangs on it, or on the second, is left out; a leaf may still go.
    unfit = (operation(0)[0], "title: too long")
    leaves = [operation(2, root=0), operation(3, root=1), operation(4, "DELETE", root=1), operation(5, root=9)]
    delivery.deliver([unfit, operation(1), *leaves])
    assert batches(loopback) == [[1, 3, 4, 5], [4, 5]]
    assert delivery.complaint() == "issues record 0 (title: too long); issues record 1 (title: Too long.)"


def test_a_push_ends_where_all_is_refused(client: PocketBase) -> None:
    delivery = Delivery(client)
    for number in range(MAX_REFUSED):
        delivery.refuse(operation(number)[0], "wrong")
    with pytest.raises(SyncError) as raised:
        delivery.refuse(operation(MAX_REFUSED)[0], "wrong")
    shown = "; ".join(f"issues record {number} (wrong)" for number in range(3))
    assert str(raised.value) == f"more than 20 records were refused: {shown}; and 18 more"


def test_a_token_that_has_ended_is_renewed_once(loopback: Loopback, client: PocketBase) -> None:
    signed: list[str] = []
    there = {"/0", "/2"}

    def answer(request: Request) -> Answer:
        if request.path != "/api/batch":
            signed.append(request.path)
            return Answer({"token": "new", "record": {"id": "a", "collectionId": "c", "collectionName": "clients"}})
        requests = json.loads(request.body)["requests"]
        gone = [i for i, each in enumerate(requests) if each["method"] == "DELETE" and each["url"] not in there]
        if not signed or gone:
            return refusal(gone[0] if signed else 0, {"status": 404, "data": {}})
        return Answer([])

    loopback.answer = answer
    # Another push has deleted two of the records.
    delivery = Delivery(client)
    delivery.deliver([operation(0), operation(1, "DELETE"), operation(2, "DELETE"), operation(3, "DELETE")])
    assert signed == ["/api/collections/sync_clients/auth-refresh"]
    assert batches(loopback) == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 2, 3], [0, 2]]
    assert delivery.refused == {}


def test_an_account_that_may_not_write_is_told_so(loopback: Loopback, client: PocketBase) -> None:
    token = {"token": "new", "record": {"id": "a", "collectionId": "c", "collectionName": "clients"}}
    loopback.answer = lambda request: (
        refusal(1, {"status": 403, "data": {}}) if request.path == "/api/batch" else Answer(token)
    )
    with pytest.raises(SyncError, match=r"does not let this account write issues record 1: python -m sync token makes"):
        Delivery(client).deliver([operation(0, "DELETE"), operation(1)])
    # Nothing to send is no request.
    sent = len(loopback.requests)
    Delivery(client).deliver([])
    assert len(loopback.requests) == sent
