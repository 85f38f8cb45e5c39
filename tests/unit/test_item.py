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
from ingest.item import Item, any_form, match_url, normalise_url, usual_forms
from ingest.sources import sites, sources

POST = {"source": "github", "url": "https://github.com/a/b/issues/1", "created_at": "2026-11-20T23:59:59Z"}


@pytest.mark.parametrize(
    ("spelling", "normalised"),
    [
        ("HTTPS://GitHub.com:443/Org/Repo/issues/7?utm_source=x#issue-1", "https://github.com/Org/Repo/issues/7"),
        ("http://www.github.com/Org/Repo/issues/7/", "https://github.com/Org/Repo/issues/7"),
        ("https://github.com/a/b/issues/7?x=1#issuecomment-101", "https://github.com/a/b/issues/7#issuecomment-101"),
        ("https://github.com/a/b/pull/7/files#discussion_r5", "https://github.com/a/b/pull/7#discussion_r5"),
        ("https://github.com/a/b/discussions/9#discussioncomment-5",
        "https://github.com/a/b/discussions/9#discussioncomment-5"),
        ("https://github.com/a/b/commit/0a1b2c3#commitcomment-5", "https://github.com/a/b/commit/0a1b2c3#commitcomment-5"),
        ("https://news.ycombinator.com/item?p=2&id=8863", "https://news.ycombinator.com/item?id=8863"),
        ("https://news.ycombinator.com/item?id=1#8863", "https://news.ycombinator.com/item?id=8863"),
        ("https://stackoverflow.com/questions/4/how-do-i/", "https://stackoverflow.com/questions/4"),
        ("https://stackoverflow.com/questions/4?r=SearchResults#tab-top", "https://stackoverflow.com/questions/4"),
        ("https://stackoverflow.com/q/4/123", "https://stackoverflow.com/questions/4"),
        ("https://stackoverflow.com/questions/4/slug#4", "https://stackoverflow.com/questions/4"),
        ("https://stackoverflow.com/questions/4/slug/11?r=1#11", "https://stackoverflow.com/a/11"),
        ("https://stackoverflow.com/questions/4/slug/11", "https://stackoverflow.com/a/11"),
        ("https://stackoverflow.com/a/11/123#11", "https://stackoverflow.com/a/11"),
        ("https://stackoverflow.com/questions/4/slug#comment9_11", "https://stackoverflow.com/posts/comments/9"),
        ("https://old.reddit.com/r/a/comments/x/t?share_id=9", "https://www.reddit.com/r/a/comments/x/t/"),
        ("https://reddit.com/r/a/comments/x/t/y/?context=3", "https://www.reddit.com/r/a/comments/x/t/y/"),
        ("https://redd.it/x", "https://www.reddit.com/comments/x/"),
        ("https://www.reddit.com/comments/x.json", "https://www.reddit.com/comments/x/"),
        ("https://np.reddit.com/r/a/comments/x", "https://www.reddit.com/comments/x/"),
        ("https://www.reddit.com/comments/x/t/", "https://www.reddit.com/comments/x/"),
        ("https://www.reddit.com/comments/x/t/y", "https://www.reddit.com/comments/x/_/y/"),
        # A profile is a name.
        ("https://www.reddit.com/user/ann/comments/x/t/", "https://www.reddit.com/comments/x/"),
        ("https://www.reddit.com/r/u_ann/comments/x/t/y/", "https://www.reddit.com/comments/x/_/y/"),
        ("https://Forum.example.com/viewtopic.php?t=5#p9", "https://forum.example.com/viewtopic.php?t=5#p9"),
        ("https://docs.example.com/changelog#:~:text=new%20API", "https://docs.example.com/changelog"),
        ("https://Board.example.com/#/issues/12?a=b", "https://board.example.com/#/issues/12?a=b"),
        ("https://groups.example.com/forum/#!topic/x/AbC", "https://groups.example.com/forum/#!topic/x/AbC"),
        ("https://docs.example.com/changelog#v1.2+3,\u00fc|%2F", "https://docs.example.com/changelog#v1.2+3,%C3%BC%7C%2F"),
        ("  https://example.com/a/../b  ", "https://example.com/b"),
        ("https://example.com/web/2020/HTTPS://a.b//c/./d", "https://example.com/web/2020/HTTPS://a.b//c/d"),
    ],
)  # fmt: skip
def test_every_spelling_of_an_address_becomes_one(spelling: str, normalised: str) -> None:
    assert normalise_url(spelling) == normalised
    assert normalise_url(normalised) == normalised


POSTS_OF_REDDIT = st.builds(
    "https://www.reddit.com/{}/{}/comments/{}/{}/{}".format,
    st.sampled_from(["r", "user", "R"]),
    st.sampled_from(["a", "u_a", "..", "\u0662"]),
    st.text("abc12", min_size=1, max_size=6),
    st.sampled_from(["t_one", "_", "", "T", "%41", "\u00fc", "."]),
    st.sampled_from(["", "d1f/", "d1f", "?a=1", "/", "..", "./"]),
)
OTHER_POSTS = st.tuples(
    st.sampled_from(["https://github.com", "https://stackoverflow.com", "https://news.ycombinator.com", "https://redd.it"]),
    st.lists(
        st.sampled_from(
            ["/", "a", "..", ".", ".github", "issues", "pull", "discussions", "questions", "item?id=", "7", "08", "#",
            "q",
             "issuecomment-", "discussioncomment-", "%2F", "\u0667", "\n", "comment"]
        ), max_size=12,
    ).map("".join),
).map("".join)  # fmt: skip


USUAL_POSTS = st.sampled_from(sorted({site.host for site in sites().values()})).flatmap(
    lambda host: st.from_regex(sites()[host.removeprefix("www.")].usual or "", fullmatch=True).map(
        lambda place: f"https://{host}{place}"
    )
)


@given(USUAL_POSTS | POSTS_OF_REDDIT | OTHER_POSTS)
def test_a_usual_address_has_the_form_of_any_other(address: str) -> None:
    for spelling in (address, address.replace("https", "http"), address.replace("www.", "old.")):
        if usual := usual_forms(spelling):
            assert usual[0] == any_form(spelling) == any_form(usual[0])
            assert usual[1] == match_url(usual[0])


def test_most_addresses_of_posts_are_usual() -> None:
    for address in (
        "https://github.com/a/.github/issues/1", "https://github.com/a/b/issues/1#issuecomment-1",
        "https://news.ycombinator.com/item?id=1", "https://stackoverflow.com/questions/4",
        "https://www.reddit.com/r/a/comments/x/t_one/", "https://www.reddit.com/r/a/comments/x/t_one/y/",
    ):  # fmt: skip
        assert usual_forms(address) == (address, match_url(address))
    assert usual_forms("http://old.reddit.com/r/a/comments/x/t/") == (
        "https://www.reddit.com/r/a/comments/x/t/",
        "https://www.reddit.com/comments/x/",
    )
    assert usual_forms("https://redd.it/r/a/comments/x/t/") is None


def test_a_post_is_found_by_every_normal_form_of_its_address() -> None:
    for spelling in ("r/a/comments/x/t/", "r/A/comments/x/t", "comments/x", "r/a/comments/x/", "gallery/x"):
        assert match_url(normalise_url(f"https://www.reddit.com/{spelling}")) == "https://www.reddit.com/comments/x/"
    for spelling in ("r/a/comments/x/t/y/", "r/a/comments/x/comment/y", "comments/x/_/y"):
        assert (
            match_url(normalise_url(f"https://www.reddit.com/{spelling}")) == "https://www.reddit.com/comments/x/_/y/"
        )
    for address in ("https://example.com/comments/x/t/", "https://stackoverflow.com/a/1"):
        assert match_url(address) == address


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
        # As pandas, BigQuery, Postgres, Go and feeds write it.
        (1_795_161_600_000, "2026-11-20"),
        (1_795_161_600_000_000_000, "2026-11-20"),
        ("1795161600000", "2026-11-20"),
        ("1795161600", "2026-11-20"),
        ("1795161600.0", "2026-11-20"),
        ("1.7951616e+12", "2026-11-20"),
        ("2026-11-20 08:00:00 UTC", "2026-11-20"),
        ("2026-11-20 08:00:00.123456 UTC", "2026-11-20"),
        ("2026-11-20 23:30:00 -0130", "2026-11-21"),
        ("2026-11-20 23:30:00-01", "2026-11-21"),
        ("2026-11-20 08:00:00 +0000 UTC", "2026-11-20"),
        ("2026-11-20T08:00Z", "2026-11-20"),
        ("2026-11-20", "2026-11-20"),
        ("2026-11-20T23:59:60Z", "2026-11-20"),
        ("Fri, 20 Nov 2026 23:30:00 -0130", "2026-11-21"),
        ("20 Nov 2026 08:00 GMT", "2026-11-20"),
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
        # Seconds, not milliseconds of 1970.
        (1_900_000_000, "2030-03-17 17:46 UTC is yet to come by this machine's clock"),
        (99_999_999_999, "5138-11-16 09:46 UTC is yet to come by this machine's clock"),
        (1_900_000_000_000, "2030-03-17 17:46 UTC is yet to come by this machine's clock"),
        (float("nan"), "nan is no Unix time of the years 1 to 9999"),
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


@pytest.mark.parametrize("moment", [True, False, None, "yesterday", "2026", "20261120T080000"])
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


@pytest.mark.parametrize(
    "text",
    [
        "[deleted]", "[removed]", " [Deleted]\n", "[deleted by user]", "[ Removed by Reddit ]",
        "[ Removed by moderator ]",
        "[ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]", "[dead]",
        "[flagged] [dead]", "[flagged][dupe]", "[delayed]", "<p>[deleted]</p>", "**[removed]**", "\\[deleted\\]",
        "*[removed].*",
        float("nan"), "nan", "NaN", "null", "None", "<NA>", "\\N",
    ],
)  # fmt: skip
def test_a_placeholder_is_no_text(text: object) -> None:
    post = Item.model_validate(POST | {"title": text, "body": text})
    assert (post.title, post.body, post.says_nothing) == (None, None, True)


@pytest.mark.parametrize(
    "text",
    [
        "[deleted] my account, and now?", "Why was my post [removed]?", "[removed by the bank without a word",
        "[Reader] fails",
        "[dead] link in the docs", "[removed] is what Reddit shows instead of my post", "nano", "null pointer", "[ ]",
        "[x]",
    ],
)  # fmt: skip
def test_a_text_about_placeholders_is_a_text(text: str) -> None:
    post = Item.model_validate(POST | {"title": text, "body": text})
    assert (post.title, post.body, post.says_nothing) == (text, text, False)


def test_a_text_keeps_its_white_space() -> None:
    assert Item.model_validate(POST | {"title": " a ", "body": "b\n"}).title == " a "


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (7, 7), ("12", 12), (" 12 ", 12), (3.0, 3), ("3.0", 3), (-2, -2), (float("nan"), None), ("", None), ("nan",
        None),
        ("NaN", None), ("null", None), (" ", None), (None, None), (10**9, 10**9), (-(10**9), -(10**9)),
    ],
)  # fmt: skip
def test_counts(written: object, count: int | None) -> None:
    post = Item.model_validate(POST | {"comment_count": written, "vote_count": written})
    assert (post.comment_count, post.vote_count) == (count, count)


@pytest.mark.parametrize("count", [10**9 + 1, -(10**9) - 1, 2**63 - 1, 10**30, 0.5, "many", float("inf")])
def test_a_count_that_can_not_be_is_refused(count: object) -> None:
    for field in ("comment_count", "vote_count"):
        with pytest.raises(ValidationError) as error:
            Item.model_validate(POST | {field: count})
        assert [problem["loc"] for problem in error.value.errors()] == [(field,)]


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


@pytest.mark.parametrize(
    ("author", "salt"),
    [(name, "pepper") for name in (None, "", " ", "[deleted]", "[removed]", "Ghost", "nan", float("nan"))]
    + [("Ann", "")],
)
def test_without_a_name_or_a_salt_there_is_no_hash(
    monkeypatch: pytest.MonkeyPatch, author: str | float | None, salt: str
) -> None:
    monkeypatch.setenv("AUTHOR_SALT", salt)
    assert Item.model_validate(POST | {"author": author}).author_hash is None


def test_a_name_that_one_service_gives_to_the_gone_is_a_name_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHOR_SALT", "pepper")
    assert item.hash_author("github", "ghost") is None
    assert item.hash_author("hackernews", "ghost")


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
