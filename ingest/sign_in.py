"""The headers that authenticate requests to one service, renewed when they expire."""

import asyncio
from typing import Any

from ingest.redaction import Redaction
from ingest.source import Ask, Source


class SignIn:
    """Gets a source's headers once, for all requests that are under way."""

    def __init__(self, source: Source[Any], redaction: Redaction) -> None:
        self._source = source
        self._redaction = redaction
        self._headers: dict[str, str] | None = None
        self._lock = asyncio.Lock()

    async def headers(self, ask: Ask) -> dict[str, str]:
        """The headers; ask sends the request for a token if the source needs one."""
        async with self._lock:
            if self._headers is None:
                self._headers = await self._source.headers(ask)
                self._redaction.add(self._headers.get("Authorization", "").removeprefix("Bearer "))
            return self._headers

    def forget(self, expired: dict[str, str]) -> None:
        """Drop expired headers, unless another request has renewed them already."""
        if self._headers is expired:
            self._headers = None
