"""Sends operations to PocketBase in batches. The server accepts a batch whole or not at all."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError
from pydantic import ValidationError

from sync.client import send, sign_in
from sync.errors import SyncError
from sync.records import fields_of

# Operations per batch: enough for the server's full speed, few enough that other writers wait less than 0.1 s.
BATCH = 200
# If more records than this are refused, the push ends: something is wrong with all of them.
MAX_REFUSED = 20

Request = dict[str, Any]


class Operation(NamedTuple):
    """One request of a batch: POST creates a record, PUT replaces or creates it, DELETE deletes it.

    root_id: the issue or problem that the record belongs to.
    record: JSON without content_hash; None for DELETE.
    """

    number: int
    method: str
    collection: str
    record_id: str
    root_id: str
    content_hash: str | None
    record: str | None

    @property
    def name(self) -> str:
        """The record's collection and id, for people."""
        return f"{self.collection} {self.record_id}"

    @property
    def parent_id(self) -> str | None:
        """The id of the record that must exist before this one can be written."""
        return self.root_id if self.record and self.record_id != self.root_id else None

    def request(self) -> Request | str:
        """The request in the batch's body; or the reason why the collection would not accept the record."""
        path = f"/api/collections/{self.collection}/records"
        if self.record is None:
            return {"method": "DELETE", "url": f"{path}/{self.record_id}", "body": {}}
        try:
            body = fields_of(self.collection, self.record, self.content_hash or "")
        except ValidationError as error:
            first = error.errors()[0]
            return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        # The response holds only the id.
        return {"method": self.method, "url": f"{path}?fields=id", "body": body}


class TooLargeError(Exception):
    """The batch is too large for the server, or takes longer than the server allows."""


class CredentialsError(Exception):
    """The request was not authenticated, or the account may not write, or the record to delete does not exist."""


@dataclass
class RefusedError(Exception):
    """The server refuses one request of a batch. is_there: the record exists already."""

    index: int
    reason: str
    is_there: bool


@dataclass
class Delivery:
    """Sends batches to one server. refused: the operations that were left out, and the reasons."""

    client: PocketBase
    size: int = BATCH
    refused: dict[Operation, str] = field(default_factory=dict)

    def deliver(self, operations: list[tuple[Operation, Request | str]]) -> None:
        """Send operations with their requests in order. A refused record is left out, and its leaves with it.

        Raises SyncError or ClientResponseError if the server can not be written, or if too many records are refused.
        """
        requests: list[tuple[Operation, Request]] = []
        for operation, request in operations:
            if isinstance(request, str):
                self.refuse(operation, request)
            else:
                requests.append((operation, request))
        while requests:
            # The leaves of a refused root can not be written without it.
            lost = {each.record_id for each in self.refused}
            requests = [(each, body) for each, body in requests if each.parent_id not in lost]
            batch, requests = requests[: self.size], requests[self.size :]
            try:
                self.send(batch)
            except TooLargeError:
                requests = batch + requests
                if len(batch) == 1:
                    self.refuse(batch[0][0], "larger than the server takes")
                    requests = requests[1:]
                self.size = max(1, len(batch) // 2)
            except RefusedError as error:
                operation, request = batch[error.index]
                if error.is_there and request["method"] == "POST":
                    # The record was created, but the response was lost.
                    batch = [(each, body | {"method": "PUT"} if each.record else body) for each, body in batch]
                else:
                    self.refuse(operation, error.reason)
                    del batch[error.index]
                requests = batch + requests

    def send(self, batch: list[tuple[Operation, Request]]) -> None:
        """Send a batch. If it was not authenticated, sign in again once."""
        try:
            self.post(batch)
        except CredentialsError:
            sign_in(self.client)
            self.post_without_the_gone(batch)

    def post_without_the_gone(self, batch: list[tuple[Operation, Request]]) -> None:
        """Send a batch after signing in. A record to delete that is not found is deleted already. Raises SyncError."""
        while batch:
            try:
                return self.post(batch)
            except CredentialsError as error:
                index = int(error.args[0])
                if batch[index][0].method != "DELETE":
                    raise SyncError(
                        f"PocketBase at {self.client.base_url} does not let this account write {batch[index][0].name}:"
                        " python -m sync token makes one that may"
                    ) from None
                batch = batch[:index] + batch[index + 1 :]
        return None

    def post(self, batch: list[tuple[Operation, Request]]) -> None:
        """Send a batch once. Raises TooLargeError, CredentialsError, RefusedError, ClientResponseError."""
        if not batch:
            return
        body = {"requests": [request for _, request in batch]}
        try:
            send(self.client, "/api/batch", {"method": "POST", "body": body})
        except ClientResponseError as error:
            raise fault(error) from error

    def refuse(self, operation: Operation, reason: str) -> None:
        """Note that a record is left out. Raises SyncError after MAX_REFUSED records."""
        self.refused[operation] = reason
        if len(self.refused) > MAX_REFUSED:
            raise SyncError(f"more than {MAX_REFUSED} records were refused: {self.complaint()}")

    def complaint(self) -> str:
        """The refused records and the reasons, in one line."""
        shown = [f"{operation.name} ({reason})" for operation, reason in list(self.refused.items())[:3]]
        more = len(self.refused) - len(shown)
        return "; ".join(shown) + (f"; and {more:,} more" if more else "")


def fault(error: ClientResponseError) -> Exception:
    """The exception of `post` that a failed batch means."""
    answer = error.data if isinstance(error.data, dict) else {}
    rows = answer.get("data", {}).get("requests", {})
    if error.status == 413 or (error.status == 400 and (not rows or "code" in rows)):
        return TooLargeError()
    if error.status in (401, 403):
        return error if "not allowed" in answer.get("message", "") else CredentialsError(0)
    if error.status != 400:
        return error
    index, row = next(iter(rows.items()))
    response = row.get("response", {})
    # The server gives no reason to a request that was not authenticated.
    if response.get("status") in (401, 403, 404) or not response.get("data"):
        return CredentialsError(int(index))
    reasons = [f"{name}: {each.get('message', each)}" for name, each in response["data"].items()]
    is_there = any(each.get("code") == "validation_not_unique" for each in response["data"].values())
    return RefusedError(int(index), " ".join(reasons), is_there)
