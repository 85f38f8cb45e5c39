"""One post, checked and normalised, from any source."""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urldefrag, urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator
from url_normalize import url_normalize

from groundswell.placeholders import is_gone
from ingest.sources import sites, sources
from ingest.times import told

if TYPE_CHECKING:
    from ingest.source import Rule


# An empty segment of a path. url-normalize drops empty segments, though they tell addresses apart (RFC 3986, 3.3).
EMPTY_SEGMENT = "%EE%80%80"
# What a fragment may hold as it is (RFC 3986, 3.5). url-normalize encodes most of it, so that a page which reads its
# fragment (#/issues/12) does not find the entry, and it makes a query of a fragment that begins with "!".
OF_A_FRAGMENT = "%/?:@!$&'()*+,;="


def normalise_url(url: str) -> str:
    """The same form for every spelling of a post's address.

    Scheme and host become lower case; default port and dot segments are dropped (RFC 3986, 6.2). The site of a source
    has further rules (ingest.source.Site): https, one host name, only the query parameters that identify a post, and
    the fragments that identify a comment. At other hosts the whole query and the fragment stay, because they may tell
    two posts apart: the entries of a changelog are often one page. Only a fragment that marks words (#:~:text=) goes.

    Raises ValueError if the text is not an http or https address.
    """
    usual = usual_forms(url)
    return usual[0] if usual else any_form(url)


def usual_forms(url: str) -> tuple[str, str] | None:
    """The normal form and the match_url of an address that its site knows as usual (Site.usual); None for any other."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    name = host.removeprefix("www.")
    site = sites().get(name)
    if (
        site is None
        or site.usual is None
        or (scheme != "https" and scheme != "http")
        or name in site.short_hosts
        or not site.usual.fullmatch(rest, len(host))
    ):
        return None
    normal = url if host == site.host and scheme == "https" else f"https://{site.host}{rest[len(host) :]}"
    return normal, (site.shortest and rewritten(normal, site.host, site.shortest)) or normal


def any_form(url: str) -> str:
    """The normal form of any address. It takes a hundred times as long."""
    text = url.strip()
    parts = urlsplit(text)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or re.search(r"\s", text):
        raise ValueError("not an http or https address")
    host = parts.hostname.removeprefix("www.")
    site = sites().get(host)
    if site is None:
        marked = re.sub("/(?=/)", f"/{EMPTY_SEGMENT}", parts.path)
        address = str(url_normalize(urlunsplit(parts._replace(path=marked, fragment=""))))
        fragment = quote(parts.fragment.partition(":~:")[0], safe=OF_A_FRAGMENT)
        return re.sub(f"(?<=/){EMPTY_SEGMENT}(?=/)", "", address) + (fragment and f"#{fragment}")
    own = urlunsplit(("https", site.host, site.short_hosts.get(host, "") + parts.path, parts.query, parts.fragment))
    address = str(url_normalize(own, filter_params=True, param_allowlist=list(site.parameters)))
    return rewritten(address, site.host, site.spellings) or urldefrag(address).url


def rewritten(address: str, host: str, rules: "Iterable[Rule]") -> str | None:
    """The address after the first rule that matches it; None if none does."""
    start = f"https://{host}"
    for pattern, form in rules:
        if found := pattern.fullmatch(address, len(start)):
            return start + form.format(found[0], *found.groups())
    return None


def match_url(url: str) -> str:
    """The form by which a post with this normalised address is found again; the address itself at most sites.

    Two addresses of a Reddit post, with and without subreddit and title, are in normal form, because nothing but Reddit
    knows the one from the other. Both have the same match_url.
    """
    site = sites().get(url.removeprefix("https://").partition("/")[0].removeprefix("www."))
    return (site and site.shortest and rewritten(url, site.host, site.shortest)) or url


def clean_text(text: str) -> str:
    """A text without NUL characters and lone surrogates: JSON can hold them, databases can not."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def in_utc(moment: datetime) -> datetime:
    """The time in UTC, without microseconds. A time without a zone is read as UTC."""
    try:
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 in UTC") from None
    return aware.replace(microsecond=0)


# A time as most services write it. pydantic reads it as it is.
USUAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\dZ", re.ASCII)
# A time as databases and programs write it besides ISO 8601: 2026-11-20 08:00:00 UTC, 2026-11-20 08:00:00.5 +0000 UTC,
# 2026-11-20 08:00:00+00. The groups: day and hour, seconds, fraction, offset.
WRITTEN_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(?::(\d\d)([.,]\d+)?)? ?(?:(Z|UTC|GMT)|([+-]\d\d)(?::?(\d\d))?(?: UTC)?)?",
    re.IGNORECASE | re.ASCII,
)
# Fri, 20 Nov 2026 08:00:00 GMT, as mail and feeds have it.
MAIL_TIME = re.compile(r"(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d(?::\d\d)? (?:GMT|UTC|[+-]\d{4})", re.ASCII)
# What some programs put around a time in JSON.
INNER_TIMES = ("$date", "$numberLong", "value")
# Unix time of before 1980 is none: smaller numbers are years, days of a spreadsheet, days as 20261120, or nothing.
FIRST_SECONDS = 315_532_800
# Spreadsheets count the days since 1899-12-30. These are the days from 1970 to 2100.
SPREADSHEET_DAYS = (25_569, 73_415)
SPREADSHEET_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
# Unix time in seconds reaches this in the year 5138. Larger numbers are milliseconds, then microseconds, nanoseconds.
LARGEST_SECONDS = 1e11


def from_epoch(moment: object) -> object:
    """A number, or a text that is a number, as Unix time: in seconds, or in the unit that pandas and others write.

    A small number is a day of a spreadsheet, or a day as 20261120. Other values stay as they are. Raises ValueError for
    a number that is no time.
    """
    if isinstance(moment, dict) and len(moment) == 1:
        # MongoDB, where old times are {"$date": {"$numberLong": "…"}}, and BigQuery's client.
        [(name, inner)] = moment.items()
        return from_epoch(inner) if name in INNER_TIMES else moment
    if isinstance(moment, str) and re.fullmatch(r"\s*-?(?:\d{5,}(?:\.\d+)?|\d\.\d+e\+?\d+)\s*", moment, re.ASCII):
        moment = int(moment) if moment.strip().isdecimal() else float(moment)
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        return moment
    if 0 <= moment < FIRST_SECONDS:
        return from_days(moment)
    seconds: float = moment
    for _ in range(3):
        if abs(seconds) >= LARGEST_SECONDS:
            seconds /= 1_000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError(f"{moment} is no Unix time of the years 1 to 9999") from None


def from_days(number: float) -> datetime:
    """A day of a spreadsheet, with its time as a fraction, or a day as 20261120. Raises ValueError."""
    first, end = SPREADSHEET_DAYS
    if first <= number < end:
        return SPREADSHEET_EPOCH + timedelta(seconds=round(number * 86_400))
    with suppress(ValueError):
        if number == int(number):
            return datetime.strptime(f"{int(number):08}", "%Y%m%d").replace(tzinfo=UTC)
    raise ValueError(f"{number} is no time: neither Unix time of 1980 or later, nor a day of a spreadsheet")


def from_written(moment: object) -> object:
    """A time in one of the spellings of WRITTEN_TIME, MAIL_TIME and ingest.times. Other values stay as they are.

    Raises ValueError for a time of which nobody can tell whether the day or the month stands first.
    """
    if not isinstance(moment, str):
        return moment
    text = moment.strip()
    if USUAL_TIME.fullmatch(text):
        return text
    if text.isdecimal():
        # Unix time has more digits. pydantic would take a year for seconds of 1970.
        raise ValueError(f"{text[:4]} is no time")
    if MAIL_TIME.fullmatch(text):
        return parsedate_to_datetime(text)
    if not (found := WRITTEN_TIME.fullmatch(text)):
        return told(text)
    minute, seconds, fraction, _, hours, minutes = found.groups()
    # A leap second is part of the second before it.
    second = min(int(seconds or 0), 59) if seconds != "60" or minute.endswith("59") else 60
    offset = f"{hours}:{minutes or '00'}" if hours else "+00:00"
    return f"{minute}:{second:02}{(fraction or '')[:7].replace(',', '.')}{offset}"


def plausible(moment: datetime) -> datetime:
    """The time, if it is from 1970 to tomorrow; one day allows for wrong clocks. Raises ValueError."""
    if moment.year < 1970:
        raise ValueError(f"{moment:%Y-%m-%d} is before 1970")
    if moment > datetime.now(UTC) + timedelta(days=1):
        raise ValueError(f"{moment:%Y-%m-%d %H:%M} UTC is yet to come by this machine's clock")
    return moment


def moment_of(value: object, read: Callable[[object], datetime]) -> datetime:
    """A time in any spelling; `read` is pydantic's reader. Raises ValueError."""
    if type(value) is str and USUAL_TIME.fullmatch(value):
        with suppress(ValueError):
            return plausible(datetime.fromisoformat(value))
    return plausible(in_utc(read(from_written(from_epoch(value)))))


def hash_author(source: str, name: str | None) -> str | None:
    """HMAC-SHA-256 (64 hex digits) of an author's name, with AUTHOR_SALT as key; None without name or salt.

    Upper and lower case count as the same. Without a key anybody could hash all names. The name of a program is no
    secret: its key is empty, so that its posts count as one voice even without a salt.
    """
    return hash_authors([source], [name])[0]


def hash_authors(of_sources: Iterable[str], names: Iterable[str | None]) -> list[str | None]:
    """hash_author for each of many names, each beside its source."""
    salt = os.environ.get("AUTHOR_SALT") or None
    authors = [*zip(of_sources, names, strict=True)]
    # Whoever writes much stands there often.
    hashes = {author: salted(salt, *author) for author in set(authors)}
    return [hashes[author] for author in authors]


def salted(salt: str | None, source: str, name: str | None) -> str | None:
    """hash_author with this salt."""
    if not isinstance(said := none_if_gone(name), str):
        return None
    name = said.strip()
    known, folded = sources()[source], name.casefold()
    if known.is_program(name):
        salt = ""
    if salt is None or folded in known.nobody:
        return None
    inner, outer = keyed(salt)
    inner, outer = inner.copy(), outer.copy()
    inner.update(f"{source}:{folded}".encode())
    outer.update(inner.digest())
    return outer.hexdigest()


@cache
def keyed(salt: str) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The two hashes of HMAC-SHA-256 (RFC 2104, 2) after the key, before the text.

    With copies of them a text takes a third of the time that the standard library's hmac needs for it.
    """
    key = salt.encode()
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    return inner, outer


def salt_fingerprint() -> str | None:
    """By what a later run tells whether AUTHOR_SALT is still the same; None without a salt. It gives no hash away."""
    salt = os.environ.get("AUTHOR_SALT") or None
    return salt and hmac.digest(salt.encode(), b"fingerprint of the salt", "sha256").hex()[:16]


def known_source(name: str) -> str:
    """The name of a source. Raises ValueError if there is no such source."""
    if name not in sources():
        raise ValueError(f"Input should be {known_names()}")
    return name


# Cached, because each line of a file may have a source that is not known.
@cache
def known_names() -> str:
    """The names of the sources, for messages."""
    return " or ".join(map(repr, sources()))


# What programs write for a value that is missing. A text that says only this says nothing.
MISSING = frozenset({"", "nan", "null", "none", "<na>", "\\n"})
LONGEST_MISSING = 20
# No post has more comments or votes, up or down. Sums of counts stay far below the database's largest number.
LARGEST_COUNT = 1_000_000_000


def is_missing(text: str) -> bool:
    """Whether a text only says that there is none."""
    return len(text) < LONGEST_MISSING and text.strip().casefold() in MISSING


def none_if_missing(value: object) -> object:
    """None for a value that programs write where there is none: NaN, "nan", "null", "". Other values stay."""
    if isinstance(value, float) and value != value:
        return None
    return None if isinstance(value, str) and is_missing(value) else value


# 1,203 · 1 203 · 1'203 · 1.203.004 · 1.2k. A count has no fraction, so a comma before three digits separates thousands:
# 0,500 is no count, and nobody can tell what 1,203k is. One point alone may stand before a fraction: programs write
# 2.000 for 2.
GROUPED = re.compile(
    r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+|(?:[ \u00a0\u202f]\d{3})+|(?:['\u2019]\d{3})+|(?:\.\d{3}){2,})", re.ASCII
)
ROUNDED = re.compile(r"([+-]?\d{1,6}(?:\.\d{1,3}|,\d{1,2})?) ?([km])", re.ASCII | re.IGNORECASE)
LONGEST_COUNT = 16


# What MongoDB puts around a number in JSON.
INNER_COUNTS = ("$numberInt", "$numberLong", "$numberDouble")


def number_if_count(value: object) -> object:
    """The number in a count as people and spreadsheets write it; None for a missing one. Other values stay."""
    if isinstance(value, dict) and len(value) == 1 and (name := next(iter(value))) in INNER_COUNTS:
        return number_if_count(value[name])
    value = none_if_missing(value)
    if not isinstance(value, str) or len(text := value.strip()) > LONGEST_COUNT:
        return value
    if GROUPED.fullmatch(text):
        return re.sub(r"[^\d-]", "", text)
    if rounded := ROUNDED.fullmatch(text):
        number, unit = rounded.groups()
        return round(float(number.replace(",", ".")) * (1_000 if unit in "kK" else 1_000_000))
    return value


def none_if_gone(value: object) -> object:
    """A text that can be stored; None if it says nothing or is a placeholder. Other values stay as they are."""
    if not isinstance(value, str):
        return none_if_missing(value)
    text = value if value.isascii() and "\x00" not in value else clean_text(value)
    # Most texts are long, and no placeholder begins with a letter.
    if len(text) >= LONGEST_MISSING and text[0].isalnum():
        return text
    return None if is_missing(text) or text.isspace() or is_gone(text) else text


SourceName = Annotated[str, AfterValidator(known_source)]
Url = Annotated[str, AfterValidator(normalise_url)]
Text = Annotated[str | None, BeforeValidator(none_if_gone)]
Count = Annotated[int | None, Field(ge=-LARGEST_COUNT, le=LARGEST_COUNT), BeforeValidator(number_if_count)]
Moment = Annotated[datetime, WrapValidator(moment_of)]


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
    def says_nothing(self) -> bool:
        """Whether the post has neither title nor body, because it is deleted, removed or an empty answer."""
        return self.title is None and self.body is None

    @cached_property
    def match_url(self) -> str:
        """The form of url by which the post is found again; see match_url."""
        return match_url(self.url)

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
