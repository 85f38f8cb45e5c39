"""ingest.item: what a post must be, and one spelling for each address."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest import item
from ingest.item import Item, normalise_url
from ingest.sources import sources

POST = {"source": "github", "url": "https://github.com/a/b/issues/1", "created_at": "2026-11-20T23:59:59Z"}


@pytest.mark.parametrize(
    ("spelling", "normalised"),
    [
        (
            "HTTPS://GitHub.com:443/Org/Repo/issues/7?utm_source=x#issuecomment-1",
            "https://github.com/Org/Repo/issues/7",
        ),
        ("http://www.github.com/Org/Repo/issues/7", "https://github.com/Org/Repo/issues/7"),
        ("https://news.ycombinator.com/item?p=2&id=8863", "https://news.ycombinator.com/item?id=8863"),
        ("https://stackoverflow.com/questions/4/how-do-i", "https://stackoverflow.com/questions/4"),
        ("https://stackoverflow.com/questions/4?r=SearchResults", "https://stackoverflow.com/questions/4"),
        ("https://old.reddit.com/r/a/comments/x/t/?share_id=9", "https://www.reddit.com/r/a/comments/x/t/"),
        ("https://reddit.com/r/a/comments/x/t/", "https://www.reddit.com/r/a/comments/x/t/"),
        ("https://forum.example.com/viewtopic.php?t=5#p9", "https://forum.example.com/viewtopic.php?t=5"),
        ("  https://example.com/a/../b  ", "https://example.com/b"),
    ],
)
def test_every_spelling_of_an_address_becomes_one(spelling: str, normalised: str) -> None:
    assert normalise_url(spelling) == normalised
    assert normalise_url(normalised) == normalised


def test_a_query_that_may_tell_posts_apart_is_kept_on_unknown_hosts() -> None:
    assert normalise_url("https://forum.example.com/t?id=1") != normalise_url("https://forum.example.com/t?id=2")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "not a url", "", "https://", "ftp://a/b", "https://a b/"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="not an http or https address"):
        Item.model_validate(POST | {"url": url})
    with pytest.raises(ValueError, match=r"^not an http or https address$"):
        normalise_url(url)


@given(st.text() | st.sampled_from(["[::1", "ex\u00ad.com", "xn--", "a:99999999", "%zz/%", "..", "\u2024"]))
def test_any_address_is_normalised_or_refused(text: str) -> None:
    try:
        normalised = normalise_url(f"https://{text}")
    except ValueError:
        return
    assert normalised.startswith("https://")


@given(st.text() | st.none(), st.text() | st.none())
def test_any_text_can_be_stored(title: str | None, body: str | None) -> None:
    item = Item.model_validate(POST | {"title": title, "body": body})
    for text in (item.title, item.body):
        assert text is None or ("\x00" not in text and text.strip() and text.encode())


def test_lone_surrogates_and_nul_are_replaced() -> None:
    assert Item.model_validate(POST | {"title": "a\ud800b\x00c"}).title == "a?bc"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-20T23:59:59Z", "2026-11-20"),
        ("2026-11-20T23:59:59-02:00", "2026-11-21"),
        ("2026-11-20T00:30:00+02:00", "2026-11-19"),
        ("2026-11-20 08:00:00", "2026-11-20"),
        (1_795_219_199.9, "2026-11-20"),
        (0, "1970-01-01"),
    ],
)
def test_the_day_is_utc(written: str | float, day: str) -> None:
    assert Item.model_validate(POST | {"created_at": written}).collection_date.isoformat() == day


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock is nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-20T23:59:59.999Z", datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-20T23:59:59-02:00", datetime(2026, 11, 21, 1, 59, 59, tzinfo=UTC)),
        # A time without a zone is in UTC, whatever the zone of the machine.
        ("2026-11-20 23:00:00", datetime(2026, 11, 20, 23, tzinfo=UTC)),
        (1_795_219_199.9, datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)),
        (1_795_219_199, datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_stored_in_utc_to_the_second(written: str | float, moment: datetime) -> None:
    created_at = Item.model_validate(POST | {"created_at": written}).created_at
    assert created_at == moment
    assert created_at.utcoffset() == timedelta(0)


class Noon(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: object = None) -> "Noon":
        assert tz is UTC
        return cls(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1970-01-01T00:00:00Z", None),
        ("1969-12-31T23:59:59Z", "1969-12-31 is before 1970"),
        # A wrong clock may be a day ahead.
        ("2026-11-21T12:00:00Z", None),
        ("2026-11-21T12:00:01Z", "2026-11-21 12:00 UTC is yet to come by this machine's clock"),
        ("9999-12-31T23:59:59-05:00", "outside the years 1 to 9999 in UTC"),
        (1e300, "1e+300 is no Unix time of the years 1 to 9999"),
        # Not read as milliseconds.
        (1_795_219_199_000, "1795219199000 is no Unix time of the years 1 to 9999"),
    ],
)
def test_a_time_that_can_not_be_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, written: str | float, message: str | None
) -> None:
    monkeypatch.setattr(item, "datetime", Noon)
    if message is None:
        assert Item.model_validate(POST | {"created_at": written})
        return
    with pytest.raises(ValidationError) as error:
        Item.model_validate(POST | {"created_at": written})
    assert [problem["msg"] for problem in error.value.errors()] == [f"Value error, {message}"]


@pytest.mark.parametrize("moment", [True, False, None, "yesterday"])
def test_only_numbers_are_unix_times(moment: object) -> None:
    assert item.from_epoch(moment) is moment


def test_an_unknown_source_is_told_the_known_ones() -> None:
    with pytest.raises(ValidationError) as error:
        Item.model_validate(POST | {"source": "twitter"})
    [problem] = error.value.errors()
    assert problem["msg"] == f"Value error, Input should be {' or '.join(map(repr, sources()))}"
    assert "'github' or 'hackernews'" in problem["msg"]


@pytest.mark.parametrize("text", ["", " ", "\n\t", None])
def test_a_text_of_white_space_is_none(text: str | None) -> None:
    post = Item.model_validate(POST | {"title": text, "body": text, "author": text})
    assert (post.title, post.body, post.author) == (None, None, None)


def test_a_text_keeps_its_white_space() -> None:
    assert Item.model_validate(POST | {"title": " a ", "body": "b\n"}).title == " a "


@pytest.mark.parametrize(
    ("count", "holds"), [(-(2**63), True), (2**63 - 1, True), (-(2**63) - 1, False), (2**63, False)]
)
def test_a_count_fits_into_the_database(count: int, holds: bool) -> None:
    for field in ("comment_count", "vote_count"):
        if holds:
            assert Item.model_validate(POST | {field: count}).model_dump()[field] == count
        else:
            with pytest.raises(ValidationError):
                Item.model_validate(POST | {field: count})


def test_the_key_of_a_post_is_the_hash_of_its_normalised_address() -> None:
    post = Item.model_validate(POST | {"url": "http://www.GitHub.com/a/b/issues/1#top"})
    assert post.url_hash == hashlib.sha256(b"https://github.com/a/b/issues/1").hexdigest()
    assert post.collection_date == date(2026, 11, 20)


def test_a_post_does_not_show_or_store_its_author_and_ignores_other_fields() -> None:
    post = Item.model_validate(POST | {"author": "Zaphod", "colour": "blue"})
    assert "Zaphod" not in repr(post)
    assert not {"author", "colour"} & set(post.model_dump())
    with pytest.raises(ValidationError):
        post.title = "another"


@pytest.mark.parametrize(
    ("author", "salt", "key", "message"),
    [
        ("Ann", "pepper", b"pepper", b"github:ann"),
        (" ANN ", "pepper", b"pepper", b"github:ann"),
        ("STRASSE", "pepper", b"pepper", b"github:strasse"),
        ("stra\u00dfe", "pepper", b"pepper", b"github:strasse"),
        ("dependabot[bot]", "pepper", b"", b"github:dependabot[bot]"),
    ],
)
def test_an_author_is_hashed_by_source_and_name_without_case(
    monkeypatch: pytest.MonkeyPatch, author: str, salt: str, key: bytes, message: bytes
) -> None:
    monkeypatch.setenv("AUTHOR_SALT", salt)
    expected = hmac.new(key, message, hashlib.sha256).hexdigest()
    assert item.hash_author("github", author) == expected
    assert Item.model_validate(POST | {"author": author}).author_hash == expected


@pytest.mark.parametrize(("author", "salt"), [(None, "pepper"), ("", "pepper"), (" ", "pepper"), ("Ann", "")])
def test_without_a_name_or_a_salt_there_is_no_hash(
    monkeypatch: pytest.MonkeyPatch, author: str | None, salt: str
) -> None:
    monkeypatch.setenv("AUTHOR_SALT", salt)
    assert item.hash_author("github", author) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "twitter"),
        ("created_at", "yesterday"),
        ("created_at", None),
        ("created_at", "9999-12-31T23:59:59-05:00"),
        ("created_at", 1e300),
        ("title", 7),
        ("comment_count", "many"),
        ("vote_count", 10**30),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as error:
        Item.model_validate(POST | {field: value})
    assert [problem["loc"] for problem in error.value.errors()] == [(field,)]


def test_a_program_is_one_author_without_a_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHOR_SALT", raising=False)
    program, person = (Item.model_validate(POST | {"author": name}) for name in ("Sentry-IO[bot]", "bot"))
    assert person.author_hash is None
    without = program.author_hash
    assert without
    monkeypatch.setenv("AUTHOR_SALT", "pepper")
    assert program.author_hash == without
    assert person.author_hash not in (None, without)
    # Elsewhere anybody may call himself so.
    monkeypatch.delenv("AUTHOR_SALT")
    assert program.model_copy(update={"source": "reddit"}).author_hash is None
