"""Raw responses kept in a folder, and read again: DIR/<source>/NAME.json or .json.gz, with NAME.meta.json beside it.

The body stands as it came; the meta file, which may be missing, tells what was asked, when, and what was made
of the answer. What is not JSON (an error page) ends in .txt.gz and is never read again.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from ingest.errors import IngestError
from ingest.parsed import Payload
from ingest.request import ApiRequest
from ingest.window import FIRST_PAGE, Window

# Outcome of a response whose posts were stored.
USED = "used"
# In the name of a response until its posts are stored. A run that was killed in between leaves it there, and the
# next run asks again.
PROVISIONAL = ".unconfirmed"
# Headers that tell who asked.
PRIVATE = ("set-cookie", "x-oauth-scopes", "x-oauth-client-id", "x-accepted-oauth-scopes")


@dataclass(frozen=True)
class Recording:
    """A recorded response. Without a meta file window and received_at are None."""

    path: Path
    window: Window | None = None
    page: str = FIRST_PAGE
    received_at: datetime | None = None

    @property
    def asked(self) -> tuple[object, ...]:
        """What it is an answer to; of a response without a meta file nobody knows."""
        window = self.window
        return (window.query, window.start, window.end, self.page) if window else (self.path,)

    def payload(self) -> Payload:
        """The JSON in the file, unpacked where it is compressed. Raises IngestError."""
        try:
            body = self.path.read_bytes()
            return json.loads(gzip.decompress(body) if self.path.suffix == ".gz" else body)
        except (OSError, EOFError, ValueError, RecursionError, zlib.error) as error:
            raise IngestError(f"{self.path} can not be read: {error}") from error


def keep(
    folder: Path,
    request: ApiRequest,
    window: Window,
    response: httpx.Response,
    received_at: datetime,
    outcome: str,
) -> Path:
    """Write a response to a question about a window, provisionally; confirm what it returns once its posts are stored.

    Raises IngestError where the folder can not be written.
    """
    is_json = response.content.lstrip()[:1] in (b"{", b"[")
    # No two requests of a source leave in the same microsecond for the same page of the same window.
    words = re.sub(r"\W+", "-", f"{window.query} {window.start:%H%M%S} {request.page}").strip("-")
    name = f"{received_at:%Y%m%dT%H%M%S.%f}Z-{words[:80]}"
    meta = {
        "url": request.address,
        "status": response.status_code,
        "headers": {key: value for key, value in response.headers.items() if key not in PRIVATE},
        "received_at": received_at.isoformat(),
        "outcome": outcome,
        "query": window.query,
        "window_start": window.start.isoformat(),
        "window_end": window.end.isoformat(),
        "reading": window.reading,
        "page": request.page,
    }
    folder_of_source = folder / window.source
    try:
        folder_of_source.mkdir(parents=True, exist_ok=True)
        # The body last, under its name at once: without its meta file it would be taken for a day's.
        (folder_of_source / f"{name}.meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
        unfinished = folder_of_source / f"{name}.part"
        unfinished.write_bytes(gzip.compress(response.content, mtime=0))
        state, kind = PROVISIONAL if outcome == USED else "", "json" if is_json else "txt"
        return unfinished.rename(folder_of_source / f"{name}{state}.{kind}.gz")
    except OSError as error:
        raise IngestError(f"{folder} can not be written: {error}") from error


def confirm(path: Path) -> None:
    """Give a response its final name: its posts are in the database. Raises IngestError."""
    try:
        path.rename(path.with_name(path.name.replace(PROVISIONAL, "")))
    except OSError as error:
        raise IngestError(f"{path} can not be renamed: {error}") from error


def recordings(folder: Path, source: str) -> list[Recording]:
    """The recorded responses of a source that were worth reading, in order of name. Raises IngestError.

    One that was not confirmed is left out where the same was asked again later.
    """
    found = list(read_folder(folder / source, source))
    latest = {recording.asked: recording for recording in found}
    return [
        recording
        for recording in found
        if PROVISIONAL not in recording.path.name or latest[recording.asked] is recording
    ]


def read_folder(folder: Path, source: str) -> Iterator[Recording]:
    """The responses in a folder, in order of name, but for those that were no good. Raises IngestError."""
    for path in sorted((*folder.glob("*.json"), *folder.glob("*.json.gz"))):
        if path.name.endswith(".meta.json"):
            continue
        stem = path.name.removesuffix(".gz").removesuffix(".json").removesuffix(PROVISIONAL)
        meta_file = path.with_name(f"{stem}.meta.json")
        try:
            meta = json.loads(meta_file.read_bytes()) if meta_file.exists() else {}
            recording = read_meta(path, source, meta)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IngestError(f"{meta_file} can not be read: {type(error).__name__}: {error}") from error
        if recording:
            yield recording


def read_meta(path: Path, source: str, meta: dict[str, Any]) -> Recording | None:
    """What a meta file says; None where it says that the response was an error or was asked for again."""
    if meta.get("status", 200) != httpx.codes.OK or meta.get("outcome", USED) != USED:
        return None
    if "window_start" not in meta:
        return Recording(path)
    start, end = (datetime.fromisoformat(meta[key]).astimezone(UTC) for key in ("window_start", "window_end"))
    window = Window(source, meta["query"], start, end, reading=meta["reading"])
    return Recording(path, window, meta["page"], datetime.fromisoformat(meta["received_at"]))
