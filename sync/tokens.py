"""Makes tokens for builds: of an account that may write the board's collections and nothing else."""

import secrets

from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError

from sync.client import request_error
from sync.errors import SyncError

ACCOUNT = "sync@groundswell.invalid"


def make_token(client: PocketBase, days: int, revoke: bool = False) -> str:
    """A token for POCKETBASE_TOKEN that is valid for some days. The client must be a superuser's.

    With revoke, all earlier tokens become invalid. Raises SyncError.
    """
    accounts = client.collection("sync_clients")
    # Nobody needs the password: the account is used through tokens.
    password = secrets.token_urlsafe(32)
    passwords = {"password": password, "passwordConfirm": password}
    try:
        known = accounts.get_list(1, 1, {"filter": f'email = "{ACCOUNT}"'}).items
        if not known:
            known = [accounts.create({"email": ACCOUNT, **passwords})]
        elif revoke:
            # A new password makes the server revoke the account's tokens.
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
