"""Makes the tokens with which a build publishes: of an account that may write the board's collections and no more."""

import secrets

from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from sync.client import request_error
from sync.errors import SyncError

ACCOUNT = "sync@groundswell.invalid"


def make_token(client: PocketBase, days: int, revoke: bool = False) -> str:
    """A token for POCKETBASE_TOKEN, good for so many days; client is a superuser's.

    With revoke, all tokens that were made before become worthless. Raises SyncError.
    """
    accounts = client.collection("sync_clients")
    # Nobody knows it: the account is used by its tokens.
    password = secrets.token_urlsafe(32)
    passwords = {"password": password, "passwordConfirm": password}
    try:
        known = accounts.get_list(1, 1, {"filter": f'email = "{ACCOUNT}"'}).items
        if not known:
            known = [accounts.create({"email": ACCOUNT, **passwords})]
        elif revoke:
            # A new password is what makes a server forget tokens.
            accounts.update(known[0].id, passwords)
        answer = client.send(
            f"/api/collections/sync_clients/impersonate/{known[0].id}",
            {"method": "POST", "body": {"duration": days * 86_400}},
        )
    except ClientResponseError as error:
        if error.status in (401, 403):
            raise SyncError(f"only a superuser of {client.base_url} makes tokens: set its credentials") from error
        raise request_error(error, client.base_url) from error
    return str(answer["token"])
