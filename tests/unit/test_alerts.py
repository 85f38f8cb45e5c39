"""Alerts: each one once, to a webhook and a mail server on loopback, through kills and refusals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from groundswell.__main__ import app
from groundswell.news import addresses as sending
from groundswell.news import ledger
from groundswell.news.words import address, plain
from tests.support.loopback import Answer, Loopback, Request
from tests.support.news import Mailbox, mail_server, make_news, messages
from tests.support.project import free_address

pytest.importorskip("apprise", reason="the packages of extra alerts are not installed")

SECRET = "a-s3cret-of-the-webhook"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with four alerts. Nobody is told yet, and no pause is waited out."""
    for name in ("ALERT_URLS", "DIGEST_URLS", "BOARD_URL", "POCKETBASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GROUNDSWELL_DB", str(tmp_path / "news.duckdb"))
    monkeypatch.setenv("ALERT_WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr(sending, "LONGEST_PAUSE_SECONDS", 0)
    return make_news(tmp_path / "news.duckdb")


@pytest.fixture
def taking(loopback: Loopback) -> Loopback:
    """A webhook that takes everything."""
    loopback.answer = lambda _: Answer({})
    return loopback


def run(*arguments: str) -> tuple[int, str]:
    """Run `python -m groundswell alerts`; returns exit status and output."""
    result = CliRunner().invoke(app, ["alerts", *arguments], catch_exceptions=False)
    return result.exit_code, result.output


def told(request: Request) -> list[str]:
    """The alerts that a request to the webhook tells."""
    return [alert["alert_id"] for alert in json.loads(request.body)["data"]["alerts"]]


def test_each_problem_has_one_message_and_each_alert_is_sent_once(
    database: Path, taking: Loopback, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setenv("ALERT_URLS", f"{taking.url}/hook?key=k3y")
    monkeypatch.setenv("BOARD_URL", "https://board.example/")
    assert run()[0] == 0
    assert [told(request) for request in taking.requests] == [["n1", "d1"], ["s1"], ["g1"]]
    assert run()[0] == 0
    assert len(taking.requests) == 3
    with duckdb.connect(str(database)) as connection:
        connection.execute("insert into gold.alerts values ('b1', 'p', null, null, 'back', 'again', '2026-11-21')")
    run()
    assert [told(request) for request in taking.requests[3:]] == [["b1"]]
    data = json.loads(taking.requests[0].body)["data"]
    assert (data["title"], data["url"]) == ("Exports time out", "https://board.example/?problem=p")
    [quote] = data["quotes"]
    assert quote == {
        "text": "my export never ends", "url": "https://example.com/a", "source": "github", "label": "GitHub",
    }  # fmt: skip
    # Keys reach no log and no table.
    assert "k3y" not in caplog.text + str(messages(database))
    assert "webhook 127.0.0.1" in caplog.text


def test_a_webhook_can_verify_who_sent_a_message(
    database: Path, taking: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    from standardwebhooks import Webhook, WebhookVerificationError

    monkeypatch.setenv("ALERT_URLS", taking.url)
    run()
    request = taking.requests[0]
    assert Webhook(SECRET.encode()).verify(request.body, request.headers)["type"] == "groundswell.alert"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET.encode()).verify(request.body.replace("Exports", "Imports"), request.headers)


def test_a_secret_may_be_the_one_that_the_receiver_gives(
    database: Path, taking: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    from standardwebhooks import Webhook

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    monkeypatch.setenv("ALERT_WEBHOOK_SECRET", secret)
    monkeypatch.setenv("ALERT_URLS", taking.url)
    run()
    request = taking.requests[0]
    assert Webhook(secret).verify(request.body, request.headers)["type"] == "groundswell.alert"


def test_mails_arrive_and_hostile_titles_are_words(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = free_address()
    monkeypatch.setenv("ALERT_URLS", f"mailto://{address}/?from=a@example.com&to=b@example.com")
    with mail_server(int(address.partition(":")[2])) as mailbox:
        assert run()[0] == 0
        assert run()[0] == 0
    assert [mail["subject"] for mail in mailbox.mails] == [
        "New problem: Exports time out",
        "Slack in a new problem: @\u200beveryone ‹!channel› [win] (https://evil.example) ʼxʼ",
        "GitHub went silent",
    ]
    ids = [mail["x-groundswell-id"] for mail in mailbox.mails]
    assert len(set(ids)) == 3
    assert all(message.startswith("gs_") for message in ids)
    assert "<b>" not in text_of(mailbox)
    assert "@here" not in text_of(mailbox)


def text_of(mailbox: Mailbox) -> str:
    """The text of all mails."""
    return "\n".join(
        part.get_content() for mail in mailbox.mails for part in mail.walk() if part.get_content_maintype() == "text"
    )


def test_what_was_refused_is_sent_again(database: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_URLS", loopback.url)
    # Busy: repeated twice in a run, and again by the next one. The other messages are sent.
    loopback.answer = lambda request: Answer({}, 503 if "n1" in told(request) else 200)
    assert run()[0] == 1
    assert [row[1:] for row in messages(database)] == [
        ("github", ["g1"], "sent", 1), ("p", ["n1", "d1"], "failed", 1), ("q", ["s1"], "sent", 1)
    ]  # fmt: skip
    assert len(loopback.requests) == 3 + 2
    loopback.answer = lambda _: Answer({}, 400)
    assert run()[0] == 1
    assert len(loopback.requests) == 5 + 1
    loopback.answer = lambda _: Answer({})
    assert run()[0] == 0
    assert messages(database)[1][3:] == ("sent", 3)
    # The same message has the same id each time.
    assert len({request.headers["webhook-id"] for request in loopback.requests if "n1" in told(request)}) == 1


def test_a_mail_server_that_refuses(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = free_address()
    monkeypatch.setenv("ALERT_URLS", f"mailto://{address}/?from=a@example.com&to=b@example.com")
    with mail_server(int(address.partition(":")[2])) as mailbox:
        mailbox.refusal = "451 come back later"
        assert run()[0] == 1
        assert {row[3] for row in messages(database)} == {"failed"}
        mailbox.refusal = ""
        assert run()[0] == 0
    assert len(mailbox.mails) == 3
    assert run()[0] == 0


def test_a_killed_run_loses_nothing_and_repeats_one_message(
    database: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_URLS", loopback.url)
    killed: list[int] = []

    def answer(request: Request) -> Answer:
        """Kill the sender when it has sent its second message, before it can note that."""
        if len(loopback.requests) == 2 and not killed:
            killed.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)
        return Answer({})

    loopback.answer = answer
    with subprocess.Popen([sys.executable, "-m", "groundswell", "alerts"], env=dict(os.environ)) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert [row[3] for row in messages(database)] == ["sent", "sending"]
    assert run()[0] == 0
    assert [row[3] for row in messages(database)] == ["sent"] * 3
    sent = [told(request) for request in loopback.requests]
    assert sent == [["n1", "d1"], ["s1"], ["s1"], ["g1"]]
    ids = [request.headers["webhook-id"] for request in loopback.requests]
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3


def test_what_is_muted_is_not_told(
    database: Path, taking: Loopback, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setenv("ALERT_URLS", taking.url)
    assert run("mute", "github")[0] == 0
    assert run("snooze", "p", "--days", "2")[0] == 0
    assert run("mute", "Slack")[0] == 0
    run()
    assert taking.requests == []
    assert run("list")[0] == 0
    assert "until unmute: github" in caplog.text
    assert "Exports time out" in caplog.text
    with duckdb.connect(str(database)) as connection:
        connection.execute("update bronze.alert_mutes set muted_until = now() - interval 1 day where subject = 'p'")
    assert run("unmute", "Slack")[0] == 0
    run()
    assert [told(request) for request in taking.requests] == [["n1", "d1"], ["s1"]]
    for wrong in (("mute", "gitub"), ("unmute", "Slack")):
        assert run(*wrong)[0] == 1
    assert "did you mean github?" in caplog.text
    assert "is not muted" in caplog.text


def test_many_problems_end_in_a_list(database: Path, taking: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "insert into gold.alerts select 'm' || number, null, 'source' || number, null, 'silent', 'no posts',"
            " date '2026-11-20' from generate_series(1, 20) as numbers (number)"
        )
    monkeypatch.setenv("ALERT_URLS", taking.url)
    run()
    assert len(taking.requests) == 10
    assert len(json.loads(taking.requests[-1].body)["data"]["problems"]) == 23 - 9
    run()
    assert len(taking.requests) == 10


@pytest.mark.parametrize(
    ("urls", "secret", "mistake"),
    [
        ("bogus://k3y@example.com", SECRET, "address 1 in ALERT_URLS (bogus://…) can not be read"),
        ("json://localhost slack://k3y", SECRET, "address 2 in ALERT_URLS (slack://…) can not be read"),
        ("https://example.com/k3y", "", "set ALERT_WEBHOOK_SECRET"),
        (
            "https://example.com/k3y",
            "whsec_k3y!",
            "ALERT_WEBHOOK_SECRET begins with whsec_, and what follows is no base64",
        ),
        ("https://", SECRET, "address 1 in ALERT_URLS is no web address"),
        ("https://k3y@example.com:99999", SECRET, "address 1 in ALERT_URLS is no web address"),
        ("json://localhost https://a/k3y,mailto://b:k3y@c", SECRET, "address 2 in ALERT_URLS is two addresses"),
    ],
)
def test_a_wrong_address_is_one_line_without_its_keys(
    database: Path,
    urls: str,
    secret: str,
    mistake: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("ALERT_URLS", urls)
    monkeypatch.setenv("ALERT_WEBHOOK_SECRET", secret)
    assert run()[0] == 1
    assert mistake in caplog.text
    assert "k3y" not in caplog.text
    with duckdb.connect(str(database)) as connection:
        assert ledger.rows(connection, f"select * from {ledger.MESSAGES}") == []


def test_without_addresses_nothing_is_sent(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert run() == (0, "")
    assert "ALERT_URLS is not set: nothing is sent; 3 messages wait" in caplog.text
    assert run("test")[0] == 1


def test_a_test_message_goes_to_each_address(
    database: Path, taking: Loopback, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setenv("ALERT_URLS", f"{taking.url}/a {taking.url}/b")
    assert run("test")[0] == 0
    assert [request.path for request in taking.requests] == ["/a", "/b"]
    taking.answer = lambda _: Answer({}, 404)
    assert run("test")[0] == 1
    assert "it answered 404" in caplog.text


def test_a_database_without_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "empty.duckdb"
    duckdb.connect(str(path)).close()
    monkeypatch.setenv("GROUNDSWELL_DB", str(path))
    assert run()[0] == 1
    assert "build a day first" in caplog.text


def test_an_address_that_can_not_be_reached_is_left_alone(
    database: Path, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "insert into gold.alerts select 'm' || number, null, 'source' || number, null, 'silent', 'no posts',"
            " date '2026-11-20' from generate_series(1, 5) as numbers (number)"
        )
    monkeypatch.setenv("ALERT_URLS", loopback.url)
    loopback.answer = lambda _: Answer({}, 404)
    assert run()[0] == 1
    assert len(loopback.requests) == 3


def test_addresses_of_posts_are_no_commands() -> None:
    assert address("https://example.com/@everyone/<!channel>") == "https://example.com/%40everyone/%3C!channel%3E"
    assert address("https://medium.com/@ann/a?b=c") == "https://medium.com/@ann/a?b=c"


def test_texts_are_one_line_and_cut() -> None:
    assert plain("a\n\n b  c") == "a b c"
    # No color of a terminal, no title of its window, no text that runs backwards; languages keep their joiners.
    assert plain("\x1b[31mred\x1b]0;x\x07 \x9b2J \u202egpj.exe ab\u200cc") == "[31mred]0;x 2J gpj.exe ab\u200cc"
    assert plain("[a] (b) [c](d)") == "[a] (b) [c] (d)"
    assert len(plain("x" * 1000)) <= 300
