"""A PocketBase client that signs in with the settings in the environment and repeats failed requests."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any

from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError
from pocketbase.services.record_service import RecordService
from tenacity import retry, retry_if_exception, stop_after_delay, wait_exponential_jitter

from groundswell.environment import address_fault, login_fault
from sync.errors import SyncError

CREDENTIALS = "POCKETBASE_TOKEN, or POCKETBASE_EMAIL and POCKETBASE_PASSWORD"
# The collections of accounts that may write: those that `python -m sync token` makes, and superusers.
ACCOUNTS = ("sync_clients", "_superusers")
# A request to a server that is away or overloaded is repeated for this long.
PATIENCE_SECONDS = 20
# Records per page, the server's maximum.
PAGE = 1_000
# Pages that are read at once. The server reads on all of its cores, and writes on one.
READERS = 4


@contextmanager
def signed_in(url: str) -> Iterator[PocketBase]:
    """A client with write access to the server at url, for the length of a with block.

    Raises SyncError if the address or the credentials are missing or wrong, or if the server does not answer.
    """
    if fault := address_fault("POCKETBASE_URL", url) or login_fault("POCKETBASE_URL", url):
        raise SyncError(fault)
    client = PocketBase(url, timeout=60.0)
    with closing(client.http_client):
        sign_in(client, is_known=False)
        yield client


def sign_in(client: PocketBase, *, is_known: bool = True) -> None:
    """Authenticate with the credentials in the environment. Raises what signed_in raises.

    is_known: whether the server has answered as a PocketBase does.
    """
    token = os.environ.get("POCKETBASE_TOKEN")
    email, password = os.environ.get("POCKETBASE_EMAIL"), os.environ.get("POCKETBASE_PASSWORD")
    if not is_known and (token or (email and password)):
        require_pocketbase(client)
    if token:
        # The server treats a bad token as no token and gives no error, so the token is refreshed at once.
        client.auth_store.save(token, None)
        authenticate(client, "POCKETBASE_TOKEN", lambda accounts: accounts.auth_refresh())
    elif email and password:
        authenticate(
            client,
            "POCKETBASE_EMAIL and POCKETBASE_PASSWORD",
            lambda accounts: accounts.auth_with_password(email, password),
        )
    else:
        raise SyncError(f"POCKETBASE_URL is set but not the credentials: set {CREDENTIALS}")


def authenticate(client: PocketBase, settings: str, attempt: Callable[[RecordService], Any]) -> None:
    """Try the collections of accounts one after the other. Raises SyncError if all refuse, or if none is there."""
    refused = 0
    for name in ACCOUNTS:
        try:
            attempt(client.collection(name))
        except ClientResponseError as error:
            if error.status not in (400, 401, 403, 404):
                raise request_error(error, client.base_url) from error
            refused = error.status
        else:
            return
    if refused == 404:
        raise SyncError(f"{client.base_url} answered 404: no PocketBase is there")
    raise SyncError(f"PocketBase at {client.base_url} refused {settings}: check them ({refused})")


def require_pocketbase(client: PocketBase) -> None:
    """Raise SyncError unless a PocketBase answers. The client makes nothing of the answers of other programs."""
    try:
        answer = client.send("/api/health", {"method": "GET"})
    except ClientResponseError as error:
        if is_transient(error):
            raise request_error(error, client.base_url) from error
        raise SyncError(f"{client.base_url} answered {error.status}: no PocketBase is there") from error
    if not isinstance(answer, dict) or not str(answer.get("message")).startswith("API is healthy"):
        raise SyncError(f"another program than PocketBase answers at {client.base_url}: correct POCKETBASE_URL")


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later: the server is away or overloaded, or limits requests."""
    return isinstance(error, ClientResponseError) and (error.status in (0, 429) or error.status >= 500)


@retry(
    retry=retry_if_exception(is_transient),
    wait=wait_exponential_jitter(multiplier=0.2, max=3),
    stop=stop_after_delay(PATIENCE_SECONDS),
    reraise=True,
)
def send(client: PocketBase, path: str, request: dict[str, Any]) -> Any:
    """The response to a request, which is repeated for PATIENCE_SECONDS. Raises ClientResponseError.

    Use it only for requests that may be repeated: reads, and batches.
    """
    return client.send(path, request)


def read(client: PocketBase, collection: str, where: str = "", fields: str = "") -> Iterator[dict[str, Any]]:
    """The records of a collection that match a filter. Raises ClientResponseError."""
    # Sorted by @rowid: by any other field the server would sort all records again for each page.
    options = {"filter": where, "fields": fields, "sort": "@rowid", "perPage": PAGE, "skipTotal": 1}

    def page(number: int) -> list[dict[str, Any]]:
        request = {"method": "GET", "params": options | {"page": number}}
        records: list[dict[str, Any]] = send(client, f"/api/collections/{collection}/records", request)["items"]
        return records

    pages = [page(1)]
    yield from pages[-1]
    asked = 1
    with ThreadPoolExecutor(READERS) as readers:
        while len(pages[-1]) == PAGE:
            pages = list(readers.map(page, range(asked + 1, asked + 1 + READERS)))
            asked += READERS
            yield from chain.from_iterable(pages)


def request_error(error: ClientResponseError, url: str) -> SyncError:
    """The error that a failed request means, in one line."""
    if error.status == 0:
        return SyncError(f"PocketBase at {url} can not be reached: is it running? python -m sync serve starts one")
    if error.status == 404:
        return SyncError(f"{url} answered 404: no PocketBase with Groundswell's collections is there")
    return SyncError(f"PocketBase at {url} answered {error.status}: {' '.join(str(error.data).split())[:500]}")
