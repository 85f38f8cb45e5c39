"""Stores raw responses in a folder and reads them again: DIR/<source>/NAME.json or .json.gz, and NAME.meta.json.

Feeds are XML: NAME.xml or .xml.gz. The body is stored as it came. The meta file, which may be missing, holds the
request, its time and the outcome. A body that is no JSON and no feed, such as an error page, ends in .txt.gz and is
never read again.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from groundswell.http import http_date
from ingest.errors import IngestError
from ingest.parsed import Payload
from ingest.request import ApiRequest
from ingest.sources import sources
from ingest.window import FIRST_PAGE, Window

# The outcome of a response whose posts were stored.
USED = "used"
# Part of a response's file name until its posts are stored. If the run is killed before, the name stays, and the next
# run repeats the request.
PROVISIONAL = ".unconfirmed"
# A clock that differs more from that of the service was wrong. A response from a cache may be some minutes old.
LARGEST_DIFFERENCE = timedelta(minutes=15)
# Headers that identify the client.
PRIVATE = ("set-cookie", "x-oauth-scopes", "x-oauth-client-id", "x-accepted-oauth-scopes")


@dataclass(frozen=True)
class Recording:
    """A recorded response. window and received_at are None if it has no meta file."""

    source: str
    path: Path
    window: Window | None = None
    page: str = FIRST_PAGE
    received_at: datetime | None = None

    @property
    def asked(self) -> tuple[object, ...]:
        """The request that it answers; without a meta file, only its own path."""
        window = self.window
        return (window.query, window.start, window.end, self.page) if window else (self.path,)

    def payload(self) -> Payload:
        """The content of the file, unpacked if the file is compressed. Raises IngestError."""
        try:
            body = self.path.read_bytes()
            return sources()[self.source].decode(gzip.decompress(body) if self.path.suffix == ".gz" else body)
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
    """Write a response under a provisional name; returns its path. confirm() follows once the posts are stored.

    Raises IngestError if the folder can not be written.
    """
    suffix = sources()[window.source].suffix
    is_readable = response.content.lstrip()[:1] in (b"{", b"[") if suffix == "json" else outcome == USED
    # The name is unique: a source never gets two responses for one page of one window in the same microsecond.
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
        # The body is written last and renamed in one step: a body without its meta file would count as a whole day.
        (folder_of_source / f"{name}.meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
        unfinished = folder_of_source / f"{name}.part"
        unfinished.write_bytes(gzip.compress(response.content, mtime=0))
        state, kind = PROVISIONAL if outcome == USED else "", suffix if is_readable else "txt"
        return unfinished.rename(folder_of_source / f"{name}{state}.{kind}.gz")
    except OSError as error:
        raise IngestError(f"{folder} can not be written: {error}") from error


def confirm(path: Path) -> None:
    """Give a response its final name, because its posts are in the database. Raises IngestError."""
    try:
        path.rename(path.with_name(path.name.replace(PROVISIONAL, "")))
    except OSError as error:
        raise IngestError(f"{path} can not be renamed: {error}") from error


def recordings(folder: Path, source: str) -> list[Recording]:
    """The recorded responses of a source that can be read, in order of name. Raises IngestError.

    An unconfirmed response is left out if a later one answers the same request.
    """
    found = list(read_folder(folder / source, source))
    latest = {recording.asked: recording for recording in found}
    return [
        recording
        for recording in found
        if PROVISIONAL not in recording.path.name or latest[recording.asked] is recording
    ]


def read_folder(folder: Path, source: str) -> Iterator[Recording]:
    """The responses in a folder, in order of name, without errors. Raises IngestError."""
    suffix = sources()[source].suffix
    for path in sorted((*folder.glob(f"*.{suffix}"), *folder.glob(f"*.{suffix}.gz"))):
        if path.name.endswith(".meta.json"):
            continue
        stem = path.name.removesuffix(".gz").removesuffix(f".{suffix}").removesuffix(PROVISIONAL)
        meta_file = path.with_name(f"{stem}.meta.json")
        try:
            meta = json.loads(meta_file.read_bytes()) if meta_file.exists() else {}
            recording = read_meta(path, source, meta)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IngestError(f"{meta_file} can not be read: {type(error).__name__}: {error}") from error
        if recording:
            yield recording


def read_meta(path: Path, source: str, meta: dict[str, Any]) -> Recording | None:
    """The recording that a meta file describes; None if the response was an error or was requested again."""
    if meta.get("status", 200) != httpx.codes.OK or meta.get("outcome", USED) != USED:
        return None
    if "window_start" not in meta:
        return Recording(source, path)
    start, end = (datetime.fromisoformat(meta[key]).astimezone(UTC) for key in ("window_start", "window_end"))
    window = Window(source, meta["query"], start, end, reading=meta["reading"])
    return Recording(source, path, window, meta["page"], arrival_of(meta))


def arrival_of(meta: dict[str, Any]) -> datetime:
    """When the response came, as UTC without a zone: by the clock of the service if that of the machine was wrong."""
    received_at = datetime.fromisoformat(meta["received_at"])
    headers = meta.get("headers")
    said = http_date(str(headers.get("date"))) if isinstance(headers, dict) else None
    if said is None or abs(said.replace(tzinfo=None) - received_at) <= LARGEST_DIFFERENCE:
        return received_at
    return said.replace(tzinfo=None)
