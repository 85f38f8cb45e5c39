"""A request to a service's API, and the credentials that it carries."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from ingest.errors import IngestError
from ingest.window import FIRST_PAGE, Window


@dataclass(frozen=True)
class ApiRequest:
    """A request: params say what is asked for; secrets and auth are credentials, which are never logged or archived.

    window and page say what the response is for. A request for a token has no window.
    """

    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    data: Mapping[str, str] | None = None
    auth: httpx.BasicAuth | None = None
    window: Window | None = None
    page: str = FIRST_PAGE

    @property
    def address(self) -> str:
        """The address without credentials."""
        return str(httpx.URL(self.url, params=self.params) if self.params else httpx.URL(self.url))


def credential(name: str) -> str | None:
    """A credential from the environment, stripped of white space; None if it is not set.

    Raises IngestError if it has characters that no credential has.
    """
    key = (os.environ.get(name) or "").strip()
    if not key.isascii() or not key.isprintable():
        raise IngestError(f"{name} holds characters that no key has: copy it anew")
    return key or None
