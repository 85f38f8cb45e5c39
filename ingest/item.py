"""One post, checked and normalised, from any source."""

import hashlib
import hmac
import os
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import urldefrag, urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from url_normalize import url_normalize

from ingest.sources import sites, sources


def normalise_url(url: str) -> str:
    """The same form for every spelling of a post's address.

    Scheme and host become lower case; default port, fragment and dot segments are dropped (RFC 3986, 6.2). The site of
    a source has further rules (ingest.source.Site): https, one host name, and only the query parameters that identify
    a post. At other hosts the whole query stays, because it may tell two posts apart.

    Raises ValueError if the text is not an http or https address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or re.search(r"\s", url.strip()):
        raise ValueError("not an http or https address")
    site = sites().get(parts.hostname.removeprefix("www."))
    if site is None:
        return urldefrag(str(url_normalize(url.strip()))).url
    path = site.stable_path.sub(r"\1", parts.path) if site.stable_path else parts.path
    own = urlunsplit(("https", site.host, path, parts.query, ""))
    return str(url_normalize(own, filter_params=True, param_allowlist=list(site.parameters)))


def clean_text(text: str) -> str:
    """A text without NUL characters and lone surrogates: JSON can hold them, databases can not."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def in_utc(moment: datetime) -> datetime:
    """The time in UTC, without microseconds. A time without a zone is read as UTC."""
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 in UTC") from None
    return aware.replace(microsecond=0)


def from_epoch(moment: object) -> object:
    """A number as Unix time in seconds. pydantic would read a large number as milliseconds."""
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return moment
    try:
        return datetime.fromtimestamp(moment, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"{moment} is no Unix time of the years 1 to 9999") from None


def plausible(moment: datetime) -> datetime:
    """The time, if it is from 1970 to tomorrow; one day allows for wrong clocks. Raises ValueError."""
    if moment.year < 1970:
        raise ValueError(f"{moment:%Y-%m-%d} is before 1970")
    if moment > datetime.now(UTC) + timedelta(days=1):
        raise ValueError(f"{moment:%Y-%m-%d %H:%M} UTC is yet to come by this machine's clock")
    return moment


def hash_author(source: str, name: str | None) -> str | None:
    """HMAC-SHA-256 (64 hex digits) of an author's name, with AUTHOR_SALT as key; None without name or salt.

    Upper and lower case count as the same. Without a key anybody could hash all names. The name of a program is no
    secret: its key is empty, so that its posts count as one voice even without a salt.
    """
    name = (name or "").strip()
    salt = "" if sources()[source].is_program(name) else os.environ.get("AUTHOR_SALT") or None
    if not name or salt is None:
        return None
    return hmac.new(salt.encode(), f"{source}:{name.casefold()}".encode(), hashlib.sha256).hexdigest()


def known_source(name: str) -> str:
    """The name of a source. Raises ValueError if there is no such source."""
    if name not in sources():
        raise ValueError(f"Input should be {' or '.join(repr(known) for known in sources())}")
    return name


def none_if_blank(text: str | None) -> str | None:
    """The text; None if it is only white space."""
    return text if text and text.strip() else None


SourceName = Annotated[str, AfterValidator(known_source)]
Url = Annotated[str, AfterValidator(normalise_url)]
Text = Annotated[
    str | None,
    AfterValidator(none_if_blank),
    BeforeValidator(lambda value: clean_text(value) if isinstance(value, str) else value),
]
Count = Annotated[int | None, Field(ge=-(2**63), lt=2**63)]
Moment = Annotated[datetime, BeforeValidator(from_epoch), AfterValidator(in_utc), AfterValidator(plausible)]


class Item(BaseModel):
    """A post as bronze.raw_items stores it.

    title, body: as the source gives them; the body is markdown or HTML.
    url: normalised.
    author: never stored; only author_hash is.
    created_at: UTC, to the second.

    Other fields are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: SourceName
    url: Url
    title: Text = None
    body: Text = None
    author: Text = Field(default=None, exclude=True, repr=False)
    created_at: Moment
    comment_count: Count = None
    vote_count: Count = None

    @property
    def url_hash(self) -> str:
        """SHA-256 of url, 64 hex digits: the key of the post."""
        return hashlib.sha256(self.url.encode()).hexdigest()

    @property
    def author_hash(self) -> str | None:
        """The salted hash of the author's name; see hash_author."""
        return hash_author(self.source, self.author)

    @property
    def collection_date(self) -> date:
        """The UTC day on which the post was written."""
        return self.created_at.date()
