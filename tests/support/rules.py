"""Writes docs/board-rules.md from a running server: python -m tests.support.rules."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.support.project import ROOT, Server, free_address, serve

PAGE = ROOT / "docs" / "board-rules.md"
WRITERS = '@request.auth.collectionName = "sync_clients"'
RULES = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
# PocketBase does not let anybody change the rules of its own collections.
OWN = "@request.auth.id != '' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId"
WHO = {None: "superusers", "": "anybody", WRITERS: "sync_clients", OWN: "the account that it is about"}

HEAD = """# Who may do what on the board's server

`python -m tests.support.rules` writes this page from a running server, and a test compares both. A superuser may do
everything.

## Collections

"""

LIMITS = """
## Live connections of guests

A guest is a request without an account. The limits on this page do not hold for the accounts of a push, nor for
superusers. Beside them PocketBase's own hold: at most 1,000 records a page, 3,500 characters and 200 comparisons a
filter, and 8 fields to sort by. No field is a relation, so there is nothing to expand.

"""

REQUESTS = """
## Requests of guests

Each row counts by the address of the visitor, and for each collection and kind of request by itself.

"""


def generated(server: Server) -> str:
    """The page, from a server."""
    with httpx.Client(base_url=server.url) as client:
        signed_in = client.post(
            "/api/collections/_superusers/auth-with-password",
            json={
                "identity": server.settings["POCKETBASE_EMAIL"],
                "password": server.settings["POCKETBASE_PASSWORD"],
            },
        ).json()
        client.headers["Authorization"] = signed_in["token"]
        collections = client.get("/api/collections", params={"perPage": 500, "sort": "name"}).json()["items"]
        limits = client.get("/api/settings").json()["rateLimits"]
    rows = [(f"`{each['name']}`", *(WHO.get(each[rule], f"`{each[rule]}`") for rule in RULES)) for each in collections]
    assert limits["enabled"]
    requests = [
        (f"`{rule['label']}`", rule["audience"], rule["maxRequests"], rule["duration"]) for rule in limits["rules"]
    ]
    return "".join(
        (
            HEAD,
            table(("collection", "list", "view", "create", "update", "delete"), rows),
            LIMITS,
            table(
                ("limit in `sync/pb_hooks/guests.js`", "value"),
                [(f"`{name}`", value) for name, value in hook_limits().items()],
            ),
            REQUESTS,
            table(("requests", "of", "at most", "in seconds"), requests),
        )
    )


def hook_limits() -> dict[str, int]:
    """The limits of live connections, from the hooks."""
    source = (ROOT / "sync" / "pb_hooks" / "guests.js").read_text()
    found = re.search(r"const LIMITS = \{(.*?)\n\}", source, re.DOTALL)
    assert found
    return {name: int(value) for name, value in re.findall(r"(?m)^    (\w+): (\d+)", found[1])}


def table(heads: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """A table in markdown."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), free_address(), "a password of a test") as server:
        PAGE.write_text(generated(server))


if __name__ == "__main__":
    main()
