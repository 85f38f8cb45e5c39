"""Small changes of the code that no other test noticed: each test says what a user would lose."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from pocketbase import PocketBase

from ingest.archive import arrival_of
from ingest.item import Item, hash_author
from ingest.parsed import Parsed
from ingest.sources.reddit import DOUBTFUL, LISTING_LIMIT, PAGE_LIMIT, advance
from ingest.store import Stored, open_store, upsert_items
from ingest.window import SECOND, day_window
from sync.delivery import Delivery, Operation
from sync.plan import ISSUES
from sync.push import mark_synced
from tests.support.loopback import Answer, Loopback, Request
from tests.support.models import load
from tests.support.project import DAY as TODAY
from tests.support.project import ROOT

DAY = date(2026, 11, 20)
# As in the tables: UTC, without a zone.
MOMENT = datetime(2026, 11, 21, 6, tzinfo=UTC).replace(tzinfo=None)

redactions: Any = load("redactions")
# Parts of addresses and keys, and what may stand around them.
PARTS = (
    "jane", "@", ".", "mail.com", "a.b.c.d.e.f.g.h.i.j.k.com", "x" * 110, "-", "_", "%", "+", "'", " ", "\n", "git@",
    "git@github.com:o/r", "icon@2x.png", "/", "ghp_", "b" * 36, "AKIA", "C" * 16, "xoxb-", "12345678", "hf_", "d" * 30,
    "glpat-", "AIza", "e" * 35, "-----BEGIN ", "F" * 40, " PRIVATE KEY-----", "sk_live_", "é", "@@", "=", "password",
    ":", '"',
)  # fmt: skip


def item(title: str = "It broke", author: str | None = None, created_at: str = "2026-11-20T08:00:00Z") -> Item:
    url = "https://www.reddit.com/r/devops/comments/1a/t/"
    return Item.model_validate(
        {"source": "reddit", "url": url, "title": title, "author": author, "created_at": created_at}
    )


@pytest.fixture
def store(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    monkeypatch.setenv("GROUNDSWELL_DB", f"{tmp_path}/store.duckdb")
    monkeypatch.setenv("AUTHOR_SALT", "pepper")
    with open_store() as connection:
        yield connection


def test_two_answers_of_one_second_leave_the_later_text(store: duckdb.DuckDBPyConnection) -> None:
    # Times are cut to the second. Otherwise the board would show a text that its author has corrected.
    for title in ("It broke", "It broke again"):
        upsert_items(store, [item(title)], MOMENT)
    assert store.execute("select title from bronze.raw_items").fetchall() == [("It broke again",)]
    # What an archive holds of an earlier second changes nothing.
    upsert_items(store, [item("It broke")], MOMENT - timedelta(seconds=1))
    assert store.execute("select title from bronze.raw_items").fetchall() == [("It broke again",)]


def test_an_archive_of_a_wrong_clock_has_the_time_of_the_service() -> None:
    # Otherwise what was recorded under a clock a day ahead would replace what was collected since.
    recorded: dict[str, Any] = {"received_at": "2026-11-21T06:00:00.5", "headers": {}}
    for said, time in (
        ("Fri, 20 Nov 2026 06:00:00 GMT", MOMENT - timedelta(days=1)),
        ("Sun, 22 Nov 2026 07:00:00 +0100", MOMENT + timedelta(days=1)),
        # A cache may have kept the response for some minutes.
        ("Sat, 21 Nov 2026 05:50:00 GMT", MOMENT + timedelta(seconds=0.5)),
        ("at six", MOMENT + timedelta(seconds=0.5)),
    ):
        assert arrival_of(recorded | {"headers": {"date": said}}) == time
    assert arrival_of(recorded) == MOMENT + timedelta(seconds=0.5)


def test_a_run_without_a_salt_keeps_who_wrote(
    store: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise one person would be several voices from then on.
    upsert_items(store, [item("It broke", "ann")], MOMENT)
    known = hash_author("reddit", "ann")
    monkeypatch.delenv("AUTHOR_SALT")
    upsert_items(store, [item("It broke again", "ann")], MOMENT)
    assert known is not None
    assert store.execute("select title, author_hash from bronze.raw_items").fetchall() == [("It broke again", known)]


def test_a_time_is_the_same_with_and_without_a_fraction() -> None:
    # Otherwise a post would count as updated whenever another source of the same post rounds its time.
    assert item(created_at="2026-11-20T08:00:00.999999Z").created_at == datetime(2026, 11, 20, 8, tzinfo=UTC)


def test_a_source_is_named_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    # The hash of an author is kept for good. With another spelling of the source everybody would be somebody else.
    monkeypatch.setenv("AUTHOR_SALT", "pepper")
    assert str(hash_author("reddit", "Ann")).startswith("f2ea2e372705")
    with pytest.raises(ValueError, match="Input should be"):
        Item.model_validate({"source": "Reddit", "url": "https://a.b/", "created_at": "2026-11-20T08:00:00Z"})


def test_a_listing_is_read_on_within_the_first_second_of_its_window() -> None:
    # Two posts of one second can stand on two pages: the second one would be lost.
    window = day_window("reddit", "devops", DAY)
    first = Parsed(items=[item(created_at="2026-11-20T00:00:00Z")], more="t3_next")
    [goes_on] = advance(window, "first", first, window)
    assert "t3_next" in goes_on.pages_left
    before = Parsed(items=[item(created_at="2026-11-19T23:59:59Z")], more="t3_next")
    [ends] = advance(window, "first", before, window)
    assert "t3_next" not in ends.pages_left


def test_a_listing_that_ends_says_what_it_lacks() -> None:
    # Otherwise a user takes a day for complete of which Reddit has listed only the end.
    window = day_window("reddit", "devops", DAY)
    six = item(created_at="2026-11-20T06:00:00Z")
    ends, goes_on = Parsed(items=[six]), Parsed(items=[six], more="t3_next")
    few = replace(window, fetched=DOUBTFUL - 1)
    assert advance(few, "first", ends, few) == [replace(few, status="complete", error=None)]
    many = replace(window, fetched=DOUBTFUL)
    note = "the listing ended after 500 posts, within the day: taken for all there are"
    assert advance(many, "first", ends, many) == [replace(many, status="complete", error=note)]
    # Reddit shows no more: because a listing is full, has too many pages, or repeats its page.
    full, last = replace(window, fetched=LISTING_LIMIT), replace(window, fetched=5, pages=PAGE_LIMIT)
    for cut, page, parsed in (
        (full, "first", ends),
        (last, "first", goes_on),
        (replace(last, pages=1), "t3_next", goes_on),
    ):
        reason = f"Reddit lists no more than the newest {cut.fetched} posts"
        since = six.created_at + SECOND
        assert advance(cut, page, parsed, cut) == [
            replace(cut, start=since), window.afresh(end=since).truncated(reason)
        ]  # fmt: skip
    assert advance(full, "first", Parsed(items=[]), full) == [
        full.truncated("Reddit lists no more than the newest 900 posts")
    ]
    late = Parsed(items=[item(created_at="2026-11-20T23:59:59Z")])
    assert advance(full, "first", late, full) == [full.truncated("Reddit lists no more than the newest 900 posts")]


def test_a_run_counts_what_it_has_stored(store: duckdb.DuckDBPyConnection) -> None:
    assert upsert_items(store, [item()], MOMENT) == Stored(1, 0, 0)
    assert upsert_items(store, [item()], MOMENT) == Stored(0, 0, 1)
    assert upsert_items(store, [item("It broke again")], MOMENT) == Stored(0, 1, 0)


def test_the_ledger_notes_what_the_server_has_and_nothing_after_it() -> None:
    # A root that is noted too early would never be completed after a kill; one that is noted too late is sent again.
    with duckdb.connect() as session:
        session.execute(
            "create schema gold; create table completions (root_id text, last bigint);"
            "create table gold.live_issues (issue_id text, cluster_date date, synced_at timestamp);"
            "insert into completions values ('done', 200), ('next', 201);"
            f"insert into gold.live_issues select root_id, date '{DAY}', null from completions"
        )
        plan = SimpleNamespace(part=ISSUES, completions="completions", day=DAY)
        client = PocketBase("http://127.0.0.1:9")
        delivery = Delivery(client)
        client.http_client.close()
        mark_synced(session, plan, 200, delivery)  # type: ignore[arg-type]
        noted = "select issue_id from gold.live_issues where synced_at is not null order by all"
        assert session.execute(noted).fetchall() == [("done",)]
        mark_synced(session, plan, 201, delivery)  # type: ignore[arg-type]
        assert session.execute(noted).fetchall() == [("done",), ("next",)]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_record_that_is_there_is_replaced_once(loopback: Loopback, method: str) -> None:
    # A push whose answer was lost would refuse its own records; a clash of another field would go on for ever.
    def answer(request: Request) -> Answer:
        first = json.loads(request.body)["requests"][0]
        if first["url"].endswith("/first") and first["method"] in ("POST", method):
            taken = {"id": {"code": "validation_not_unique", "message": "Value must be unique."}}
            requests = {"0": {"response": {"status": 400, "data": taken}}}
            return Answer({"status": 400, "message": "Batch failed.", "data": {"requests": requests}}, 400)
        return Answer([])

    loopback.answer = answer
    client = PocketBase(loopback.url)
    delivery = Delivery(client)
    names = ("first", "second")
    operations = [Operation(number, method, "issues", name, name, "h", "{}") for number, name in enumerate(names)]
    operations.append(Operation(2, "DELETE", "issues", "third", "third", None, None))
    delivery.deliver([(each, {"method": each.method, "url": f"/{each.record_id}", "body": {}}) for each in operations])
    client.http_client.close()
    sent = [[(each["method"], each["url"]) for each in json.loads(it.body)["requests"]] for it in loopback.requests]
    if method == "POST":
        assert delivery.refused == {}
        assert sent[1:] == [[("PUT", "/first"), ("PUT", "/second"), ("DELETE", "/third")]]
    else:
        assert [each.record_id for each in delivery.refused] == ["first"]
        assert sent[1:] == [[("PUT", "/second"), ("DELETE", "/third")]]


def test_no_post_alone_keeps_a_day_from_the_board() -> None:
    # One post in which the privacy test found what the redaction had left would keep all others from the board.
    dice = Random(24)
    texts = ["".join(dice.choices(PARTS, k=dice.randrange(2, 9))) for _ in range(20_000)]
    texts += [
        "write to jane@mail.com- thanks",
        "jane@a.b.c.d.e.f.g.h.i.j.k.com",
        f"{'x' * 110}@mail.com",
        "xoxb-12345678",
        "ssh -T git@github.com",
    ]
    test = (ROOT / "tests" / "dbt" / "nothing_private_leaves_documents.sql").read_text().partition("}}")[2]
    test = test.replace("{{ ref('documents') }}", "documents").replace("{{ run_date() }}", f"date '{TODAY}'")
    # A long text is cut at 2,000 characters, a long excerpt at 299.
    rows = f"""
        select
            url_hash, '' as title, if(length(text) > 300, left(text, 299) || '…', text) as excerpt,
            left(text, 2000) as text, text as redacted_title, text as redacted_body, date '{TODAY}' as collection_date,
        from (select unnest($texts) as text, unnest(range(len($texts))) as url_hash)
    """
    with duckdb.connect() as session:
        session.execute(
            f"create table documents as {rows}", {"texts": [redactions.redact(text).text for text in texts]}
        )
        assert session.execute(test).fetchall() == []
        # Names of files that are no addresses while they are whole.
        cut = [f"{'x ' * 994}{'y' * number} icon@2x.png {'z' * 40}" for number in range(12)]
        cut += [f"{'x ' * 143}{'y' * number} icon@2x.png {'z' * 40}" for number in range(12)]
        session.execute(f"create or replace table documents as {rows}", {"texts": cut})
        assert session.execute(test).fetchall() == []
        session.execute(f"create or replace table documents as {rows}", {"texts": texts[-5:]})
        assert len(session.execute(test).fetchall()) >= 5
