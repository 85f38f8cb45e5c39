"""Removes credentials from texts and responses: a service may repeat in a response what it was sent."""

import os
from base64 import b64encode
from urllib.parse import quote, quote_plus

import httpx

from ingest.sources import sources

# Shorter texts are no secrets, and removing them would tear other words apart.
SHORTEST_SECRET = 8
# Headers that describe a compressed body; the body of a redacted response is plain.
ENCODING_HEADERS = ("content-encoding", "content-length", "transfer-encoding")


class Redaction:
    """Knows the credentials of this process: those in the environment, and the tokens that services granted."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()

    def add(self, token: str) -> None:
        """Remove this token as well from now on."""
        self._tokens.add(token)

    def text(self, text: str) -> str:
        """A text in which [redacted] stands for each credential."""
        for secret in self._secrets():
            text = text.replace(secret, "[redacted]")
        return text

    def response(self, response: httpx.Response) -> httpx.Response:
        """A copy of a response without credentials in its headers and body."""
        # httpx has unpacked the body by now.
        headers = [
            (name, self.text(value)) for name, value in response.headers.multi_items() if name not in ENCODING_HEADERS
        ]
        # latin-1 maps every byte to one character and back, whatever the real encoding is.
        content = self.text(response.content.decode("latin-1")).encode("latin-1")
        return httpx.Response(response.status_code, headers=headers, content=content, request=response.request)

    def _secrets(self) -> list[str]:
        """All credentials, as they are and as they stand in addresses and headers."""
        names = [name for source in sources().values() for name in source.secrets]
        known = [os.environ.get(name, "").strip() for name in (*names, "AUTHOR_SALT")] + sorted(self._tokens)
        for source in sources().values():
            if source.login:
                pair = ":".join(os.environ.get(name, "").strip() for name in source.login)
                known.append(b64encode(pair.encode()).decode())
        secrets = [secret for secret in known if len(secret) >= SHORTEST_SECRET]
        return [form for secret in secrets for form in (secret, quote(secret, ""), quote_plus(secret))]
