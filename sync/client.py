"""A PocketBase client that is signed in, by the settings in the environment."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from sync.errors import SyncError

CREDENTIALS = "POCKETBASE_TOKEN, or POCKETBASE_EMAIL and POCKETBASE_PASSWORD"


@contextmanager
def signed_in(url: str) -> Iterator[PocketBase]:
    """A superuser's client of the server at url, for the length of a with block.

    Raises SyncError where credentials are missing or refused, or the server is not there.
    """
    client = PocketBase(url, timeout=60.0)
    with closing(client.http_client):
        sign_in(client, url)
        yield client


def sign_in(client: PocketBase, url: str) -> None:
    """Authenticate with what the environment has; errors as in signed_in."""
    superusers = client.collection("_superusers")
    token = os.environ.get("POCKETBASE_TOKEN")
    email, password = os.environ.get("POCKETBASE_EMAIL"), os.environ.get("POCKETBASE_PASSWORD")
    try:
        if token:
            # The server takes a bad token for a guest without a word: ask it outright.
            client.auth_store.save(token, None)
            superusers.auth_refresh()
        elif email and password:
            superusers.auth_with_password(email, password)
        else:
            raise SyncError(f"POCKETBASE_URL is set but not the credentials: set {CREDENTIALS}")
    except ClientResponseError as error:
        if error.status in (400, 401, 403):
            which = "POCKETBASE_TOKEN" if token else "POCKETBASE_EMAIL and POCKETBASE_PASSWORD"
            raise SyncError(f"PocketBase at {url} refused {which}: check them ({error.status})") from error
        raise explained(error, url) from error


def explained(error: ClientResponseError, url: str) -> SyncError:
    """What a failed request means, in one line."""
    if error.status == 0:
        return SyncError(f"PocketBase at {url} can not be reached: is it running? python -m sync serve starts one")
    if error.status == 404:
        return SyncError(f"{url} answered 404: no PocketBase with Groundswell's collections is there")
    return SyncError(f"PocketBase at {url} answered {error.status}: {' '.join(str(error.data).split())[:500]}")
