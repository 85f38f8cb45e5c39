"""ingest.item: what a post must be, and one spelling for each address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.item import Item, normalise_url

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
