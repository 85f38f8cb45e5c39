"""Publishing to a real PocketBase: parity, nothing sent twice, kills, and what goes wrong."""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from pocketbase import PocketBase
from pocketbase.errors import ClientResponseError
from pydantic import ValidationError
from tenacity import stop_after_attempt

from groundswell.environment import USUAL_ADDRESS
from sync.check import differences
from sync.client import send, signed_in
from sync.errors import SyncError
from sync.plan import ISSUES, PARTS, PROBLEMS, THEMES, Part
from sync.push import Pushed, clear_emptied_days, push
from sync.records import MODELS
from sync.server import check_port, command, usual_address
from sync.small import publish_small
from sync.sources import publish_sources
from tests.support import forked
from tests.support.loopback import Answer, Loopback
from tests.support.project import DAY, Project, Server, free_address, read_seed, serve_folder

TODAY = date.fromisoformat(DAY)
COLLECTIONS = ("issues", "issue_evidence", "problems", "problem_posts", "themes", "theme_posts")


@pytest.fixture
def day(built: Project, tmp_path: Path) -> Project:
    """A copy of the built sample day that no server is known to hold."""
    copy = built.copy_to(tmp_path)
    copy.query(";".join(f"update {part.ledger} set synced_at = null" for part in PARTS.values()))
    return copy


@pytest.fixture
def server(empty_board: Path) -> Iterator[Server]:
    """An empty PocketBase."""
    with serve_folder(empty_board) as server:
        yield server


@dataclass
class Counted:
    """A client that is signed in, and what it has sent since."""

    client: PocketBase
    sent: list[tuple[str, str, Any]] = field(default_factory=list)

    def count(self, path: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Remember a request on its way."""
        self.sent.append((request["method"], path, request.get("body")))
        return path, request

    def batches(self) -> list[list[dict[str, Any]]]:
        """The requests of each batch that was sent, and a clean slate."""
        sent = [body["requests"] for method, path, body in self.sent if (method, path) == ("POST", "/api/batch")]
        assert all(method == "GET" or path == "/api/batch" for method, path, _ in self.sent)
        self.sent.clear()
        return sent


@pytest.fixture
def counted(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    """A client of the empty server."""
    for name, value in server.settings.items():
        monkeypatch.setenv(name, value)
    with signed_in(server.url) as client:
        counted = Counted(client)
        client.before_send = counted.count
        yield counted


@pytest.fixture
def superuser(server: Server) -> Iterator[httpx.Client]:
    """The administrator of the empty server."""
    with httpx.Client(base_url=server.url) as client:
        credentials = {
            "identity": server.settings["POCKETBASE_EMAIL"],
            "password": server.settings["POCKETBASE_PASSWORD"],
        }
        answer = client.post("/api/collections/_superusers/auth-with-password", json=credentials)
        client.headers["Authorization"] = answer.raise_for_status().json()["token"]
        yield client


def records(server: Server, collection: str) -> list[dict[str, Any]]:
    """What anybody can read."""
    answer = httpx.get(f"{server.url}/api/collections/{collection}/records", params={"perPage": 1000, "sort": "id"})
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


def test_posts_without_titles_are_built_and_published(project: Project, server: Server, tmp_path: Path) -> None:
    """Comments have none."""
    complaints = [
        "The export to PDF crashes every time, and all my work is lost. How can I fix this?",
        "Exporting to PDF keeps crashing for me, too, which is very annoying. I lost an hour of work.",
        "I get a crash whenever I try to export a PDF, and it throws away what I did. Please fix it.",
    ]
    posts = [
        {
            "source": "hackernews",
            "url": f"https://news.ycombinator.com/item?id={number}",
            "title": title,
            "body": body,
            "author": f"author-{number}",
            "created_at": f"{DAY}T12:00:00Z",
        }
        for number, (title, body) in enumerate(zip([None, "", None], complaints, strict=True))
    ]
    file = tmp_path / "comments.jsonl"
    file.write_text("".join(json.dumps(post) + "\n" for post in posts))
    assert project.ingest("--file", str(file)).status == 0
    finished = project.build(variables=", complaint_threshold: 0", data_tests=True, **server.settings)
    assert finished.status == 0, finished.output
    assert project.query("select voices from gold.problems") == [(3,)]
    for collection in ("issue_evidence", "problem_posts"):
        assert [record["title"] for record in records(server, collection)] == [""] * 3
    assert all("crash" in record["canonical_title"] for record in records(server, "issues"))
    assert all("crash" in record["title"] for record in records(server, "problems"))


def push_part(
    day: Project, client: PocketBase, part: Part = ISSUES, when: date = TODAY, everything: bool = True
) -> Pushed:
    with duckdb.connect(str(day.database)) as connection:
        return push(connection, client, part, when, everything)


def push_all(day: Project, client: PocketBase) -> None:
    for part in PARTS.values():
        push_part(day, client, part)


def push_the_rest(day: Project, client: PocketBase) -> None:
    """Push all but the issues."""
    for part in (PROBLEMS, THEMES):
        push_part(day, client, part)


def differing(day: Project, client: PocketBase, when: date = TODAY) -> list[str]:
    with duckdb.connect(str(day.database)) as connection:
        return list(differences(connection, client, when))


def pass_tests(day: Project) -> None:
    """Have the ledgers say that gold, as it is now, has passed its tests."""
    statements = []
    for what, more in (("issue", "cluster_id, cluster_date, "), ("problem", ""), ("theme", "")):
        ledger, view, key = f"gold.live_{what}s", f"gold.{what}_records", f"{what}_id"
        statements += [
            f"delete from {ledger} where {key} in (select record_id from {view})",
            f"update {ledger} set action = 'delete', synced_at = null",
            f"insert into {ledger} by name"
            f" select record_id as {key}, {more}content_hash, 'update' as action from {view}",
        ]
    day.query(";".join(statements))


def waiting(day: Project, part: Part = ISSUES) -> int:
    return int(day.query(f"select count(*) from {part.ledger} where synced_at is null")[0][0])


def count(day: Project, view: str) -> int:
    return int(day.query(f"select count(*) from {view}")[0][0])


# --- Parity ---------------------------------------------------------------------------------------------------------


def test_the_board_holds_what_gold_holds(day: Project, server: Server, counted: Counted) -> None:
    pushed = push_part(day, counted.client)
    assert (pushed.roots, pushed.leaves, pushed.written, pushed.deleted) == (10, 198, 208, 0)
    assert [len(batch) for batch in counted.batches()] == [200, 8]
    problems = push_part(day, counted.client, PROBLEMS)
    assert problems.written == count(day, "gold.problems") + count(day, "gold.problem_post_records") > 0
    themes = push_part(day, counted.client, THEMES)
    assert themes.written == count(day, "gold.themes") + count(day, "gold.theme_posts") > 0
    assert [waiting(day, part) for part in PARTS.values()] == [0, 0, 0]
    assert differing(day, counted.client) == []
    # Not only by our own comparison.
    assert {
        (record["id"], record["canonical_title"], record["cluster_date"]) for record in records(server, "issues")
    } == {
        (issue_id, title, f"{when} 00:00:00.000Z")
        for issue_id, title, when in day.query("select issue_id, canonical_title, cluster_date from gold.issues")
    }
    assert {(record["id"], record["issue"], record["url"]) for record in records(server, "issue_evidence")} == set(
        day.query("select evidence_id, issue_id, url from gold.issue_evidence")
    )
    assert {(record["id"], record["title"], record["voices"]) for record in records(server, "problems")} == set(
        day.query("select problem_id, title, voices from gold.problems")
    )
    voices = {record["id"]: record["daily_voices"][DAY] for record in records(server, "problems")}
    for problem_id, source, heard in day.query(
        "select problem_id, source, count(distinct voice) from gold.problem_posts group by all"
    ):
        assert voices[problem_id][source] == heard


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8124", "127.0.0.1:8124"),
        (" http://localhost:81/ ", "127.0.0.1:81"),
        ("https://board.example", USUAL_ADDRESS),
        ("http://127.0.0.1", USUAL_ADDRESS),
        ("127.0.0.1:81", USUAL_ADDRESS),
        ("", USUAL_ADDRESS),
    ],
)
def test_the_server_listens_where_it_is_pushed_to(url: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCKETBASE_URL", url)
    assert usual_address() == expected


def test_an_unchanged_day_sends_nothing(day: Project, server: Server, counted: Counted) -> None:
    push_all(day, counted.client)
    ledgers = [day.query(f"select * from {part.ledger} order by all") for part in PARTS.values()]
    there = [records(server, collection) for collection in COLLECTIONS]
    counted.sent.clear()
    for part in PARTS.values():
        for everything in (True, False):
            pushed = push_part(day, counted.client, part, everything=everything)
            assert (pushed.written, pushed.deleted) == (0, 0)
    assert counted.batches() == []
    assert [day.query(f"select * from {part.ledger} order by all") for part in PARTS.values()] == ledgers
    assert [records(server, collection) for collection in COLLECTIONS] == there


def test_only_differences_are_sent(day: Project, server: Server, counted: Counted) -> None:
    push_part(day, counted.client)
    counted.sent.clear()
    [(gone, kept)] = day.query("select min(issue_id), max(issue_id) from gold.issues")
    day.query(f"delete from gold.issues where issue_id = '{gone}'")
    day.query(f"delete from gold.issue_evidence where issue_id = '{gone}'")
    day.query(f"update gold.issues set canonical_title = 'Renamed' where issue_id = '{kept}'")
    pass_tests(day)
    pushed = push_part(day, counted.client)
    [batch] = counted.batches()
    assert pushed.written == 1
    assert pushed.deleted == len(batch) - 1 > 1
    # Evidence goes before the issue that it hangs on.
    assert [request["method"] for request in batch] == ["PUT"] + ["DELETE"] * pushed.deleted
    assert batch[-1]["url"].endswith(f"/issues/records/{gone}")
    assert differing(day, counted.client)[0].startswith("problems")  # which were not pushed
    push_the_rest(day, counted.client)
    assert differing(day, counted.client) == []
    assert waiting(day) == 0


def test_a_changed_post_is_sent_with_its_issue(day: Project, counted: Counted) -> None:
    push_part(day, counted.client)
    counted.sent.clear()
    [(evidence_id,)] = day.query("select min(evidence_id) from gold.issue_evidence")
    day.query(f"update gold.issue_evidence set excerpt = 'Edited' where evidence_id = '{evidence_id}'")
    pass_tests(day)
    assert push_part(day, counted.client).written == 2
    [[issue, post]] = counted.batches()
    assert issue["url"].endswith("/issues/records?fields=id")
    assert (post["body"]["id"], post["body"]["excerpt"]) == (evidence_id, "Edited")


def test_other_days_are_left_alone(day: Project, server: Server, counted: Counted) -> None:
    push_part(day, counted.client)
    pushed = push_part(day, counted.client, when=TODAY + timedelta(days=1))
    assert (pushed.roots, pushed.written, pushed.deleted) == (0, 0, 0)
    assert len(records(server, "issues")) == 10


def test_a_day_without_posts_leaves_the_board(day: Project, server: Server, counted: Counted) -> None:
    with duckdb.connect(str(day.database)) as connection:
        push(connection, counted.client, ISSUES, TODAY)
        kept = records(server, "issues")
        # What macro follow_posts leaves of a day whose posts are gone.
        connection.execute("delete from gold.issues")
        connection.execute("update gold.live_issues set action = 'delete', synced_at = null")
        clear_emptied_days(connection, counted.client)
        assert kept
        assert records(server, "issues") == records(server, "issue_evidence") == []
        waiting = "select count(*) from gold.live_issues where synced_at is null"
        assert connection.execute(waiting).fetchall() == [(0,)]
        counted.batches()
        clear_emptied_days(connection, counted.client)
        assert counted.batches() == []


def test_what_the_server_lost_is_pushed_again(day: Project, server: Server, counted: Counted) -> None:
    push_all(day, counted.client)
    # The posts of a deleted record stay.
    counted.client.collection("issues").delete(records(server, "issues")[0]["id"])
    counted.client.collection("problems").delete(records(server, "problems")[0]["id"])
    assert push_part(day, counted.client).written == 1
    assert push_part(day, counted.client, PROBLEMS, everything=False).written == 1
    assert differing(day, counted.client) == []


def test_a_build_asks_about_the_posts_of_touched_problems_only(day: Project, counted: Counted) -> None:
    push_all(day, counted.client)
    [(problem_id,)] = day.query("select min(problem_id) from gold.problems")
    day.query(f"update gold.problems set title = 'Renamed' where problem_id = '{problem_id}'")
    pass_tests(day)
    day.query(f"update gold.live_problems set synced_at = now() where problem_id <> '{problem_id}'")
    asked: list[str] = []

    def note(path: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if "problem_posts" in path:
            asked.append(request["params"]["filter"])
        return path, request

    counted.client.before_send = note
    assert push_part(day, counted.client, PROBLEMS, everything=False).written == 1
    assert asked == [f'problem = "{problem_id}"']


def test_a_problem_that_is_no_more_leaves_the_board(day: Project, counted: Counted) -> None:
    push_all(day, counted.client)
    [(problem_id,)] = day.query("select min(problem_id) from gold.problems")
    day.query(f"delete from gold.problems where problem_id = '{problem_id}'")
    pass_tests(day)
    pushed = push_part(day, counted.client, PROBLEMS, everything=False)
    assert pushed.deleted > 1
    # The posts of its theme name it no longer.
    push_part(day, counted.client, THEMES)
    assert differing(day, counted.client) == []
    assert waiting(day, PROBLEMS) == 0


# --- Kills ----------------------------------------------------------------------------------------------------------


def test_what_was_acknowledged_stays_recorded(day: Project, server: Server, counted: Counted) -> None:
    def fail_after_the_first_batch(path: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        sent = [entry for entry in counted.sent if entry[1] == "/api/batch"]
        return counted.count("/no-such-path" if path == "/api/batch" and sent else path, request)

    counted.client.before_send = fail_after_the_first_batch
    with pytest.raises(SyncError, match="answered 404"):
        push_part(day, counted.client)
    # 200 of 208 operations were taken: all issues but the last are whole.
    assert waiting(day) == 1
    counted.client.before_send = counted.count
    counted.sent.clear()
    assert push_part(day, counted.client).written == 8
    assert waiting(day) == 0
    assert len(records(server, "issue_evidence")) == 198


def test_an_answer_that_is_lost_repeats_the_batch(day: Project, server: Server, counted: Counted) -> None:
    lost: list[int] = []

    def lose_the_first(response: httpx.Response, data: Any, request: dict[str, Any]) -> Any:
        if response.url.path == "/api/batch" and not lost:
            lost.append(response.status_code)
            raise ClientResponseError("the connection broke")
        return data

    counted.client.after_send = lose_the_first
    assert push_part(day, counted.client).written == 208
    assert lost == [200]
    # Created the first time, found there the second, replaced the third.
    assert [batch[0]["method"] for batch in counted.batches()] == ["POST", "POST", "PUT", "POST"]
    push_the_rest(day, counted.client)
    assert differing(day, counted.client) == []


def change_everything(day: Project, turn: int) -> None:
    """Have every issue, post and problem differ from what the server holds; some come and some go."""
    table = "gold.issue_evidence_parked"
    day.query(
        f"""
        update gold.issues set description = 'Turn {turn}';
        update gold.issue_evidence set excerpt = 'Turn {turn}';
        update gold.problems set description = 'Turn {turn}';
        update gold.problem_posts set excerpt = 'Turn {turn}';
        create table if not exists {table} as select * from gold.issue_evidence where false;
        insert into gold.issue_evidence select * from {table};
        create or replace table {table} as from gold.issue_evidence where ascii(evidence_id) % 5 = {turn % 5};
        delete from gold.issue_evidence where evidence_id in (select evidence_id from {table})
        """
    )
    pass_tests(day)


def push_in_a_child(database: str, url: str, settings: dict[str, str], ready: Any) -> None:
    """What the killed process does: a push of everything, in small batches so that there are many moments."""
    os.environ.update(settings)
    sys.modules["sync.push"].BATCH = 10  # type: ignore[attr-defined]
    with duckdb.connect(database) as connection, signed_in(url) as client:
        ready.set()
        for part in PARTS.values():
            push(connection, client, part, TODAY, everything=False)


def test_a_killed_push_ends_in_parity(day: Project, server: Server, counted: Counted) -> None:
    chance = random.Random(7)
    push_all(day, counted.client)
    cut_short = 0
    for turn in range(14):
        change_everything(day, turn)
        ready = forked.context.Event()
        child = forked.start(push_in_a_child, str(day.database), server.url, server.settings, ready)
        assert ready.wait(60)
        child.join(chance.uniform(0, 0.5))
        child.kill()
        child.join()
        cut_short += child.exitcode == -signal.SIGKILL and bool(differing(day, counted.client))
        for part in PARTS.values():
            push_part(day, counted.client, part, everything=False)
        assert differing(day, counted.client) == []
        assert [waiting(day, part) for part in PARTS.values()] == [0, 0, 0]
    # Else the kills came too early or too late to mean anything.
    assert cut_short >= 5


@contextmanager
def killed_after(server: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """Kill the server in the middle of what the block does."""
    killer = threading.Timer(seconds, server.kill)
    killer.start()
    yield
    killer.join()
    server.wait()


def started(address: str, data: Path) -> subprocess.Popen[bytes]:
    """A server that answers; whoever started it ends it."""
    server = subprocess.Popen(command(address, data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    with httpx.Client(timeout=1) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if client.get(f"http://{address}/api/health").is_success:
                    break
            time.sleep(0.01)
    return server


@pytest.fixture
def mortal(empty_board: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """Address and data of servers that are killed; ten operations a batch, so that there are many moments."""
    monkeypatch.setenv("POCKETBASE_EMAIL", "sync@example.com")
    monkeypatch.setenv("POCKETBASE_PASSWORD", (empty_board / "password").read_text())
    monkeypatch.setattr("sync.push.BATCH", 10)
    return free_address(), empty_board / "pb"


def test_a_killed_server_ends_in_parity(
    day: Project, mortal: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send.retry, "stop", stop_after_attempt(1))
    address, data = mortal
    chance = random.Random(8)
    complaints = []
    for turn in range(10):
        server = started(address, data)
        change_everything(day, turn)
        with signed_in(f"http://{address}") as client:
            with killed_after(server, chance.uniform(0, 0.5)):
                try:
                    for part in PARTS.values():
                        push_part(day, client, part, everything=False)
                except SyncError as error:
                    complaints.append(str(error))
            server = started(address, data)
            for part in PARTS.values():
                push_part(day, client, part, everything=False)
            assert differing(day, client) == []
        assert [waiting(day, part) for part in PARTS.values()] == [0, 0, 0]
        server.kill()
        server.wait()
    assert all("can not be reached: is it running?" in complaint for complaint in complaints)
    # Else the kills came too early or too late to mean anything.
    assert len(complaints) >= 4


def test_a_server_that_restarts_is_waited_for(day: Project, mortal: tuple[str, Path]) -> None:
    address, data = mortal
    server = started(address, data)
    with signed_in(f"http://{address}") as client, ThreadPoolExecutor() as others:
        with killed_after(server, 0.1):
            pushing = others.submit(push_part, day, client)
        assert not pushing.done()
        server = started(address, data)
        assert pushing.result(timeout=60).written == 208
        assert differing(day, client)[0].startswith("problems")
    server.kill()
    server.wait()


# --- What the server refuses ----------------------------------------------------------------------------------------


def test_batches_are_halved_where_the_server_takes_less(
    day: Project, superuser: httpx.Client, counted: Counted
) -> None:
    limits = {"batch": {"enabled": True, "maxRequests": 60, "timeout": 30}}
    superuser.patch("/api/settings", json=limits).raise_for_status()
    push_part(day, counted.client)
    assert [len(batch) for batch in counted.batches()] == [200, 100, 50, 50, 50, 50, 8]
    push_the_rest(day, counted.client)
    assert differing(day, counted.client) == []


def test_a_body_that_is_too_large_is_left_out(day: Project, superuser: httpx.Client, counted: Counted) -> None:
    [(evidence_id,)] = day.query("select min(evidence_id) from gold.issue_evidence")
    day.query(f"update gold.issue_evidence set body = repeat('ä', 19500) where evidence_id = '{evidence_id}'")
    pass_tests(day)
    limits = {"batch": {"enabled": True, "maxRequests": 500, "timeout": 30, "maxBodySize": 30_000}}
    superuser.patch("/api/settings", json=limits).raise_for_status()
    with pytest.raises(SyncError, match=rf"issue_evidence {evidence_id} \(larger than the server takes\)"):
        push_part(day, counted.client)
    superuser.patch("/api/settings", json={"batch": {"maxBodySize": 0}}).raise_for_status()
    assert waiting(day) == 1
    assert push_part(day, counted.client).written == 1


def test_a_row_that_the_server_refuses_is_named_and_left_out(
    day: Project, server: Server, superuser: httpx.Client, counted: Counted
) -> None:
    day.query("update gold.issues set description = 'short'")
    [(issue_id,)] = day.query("select min(issue_id) from gold.issues")
    day.query(f"update gold.issues set description = 'much longer' where issue_id = '{issue_id}'")
    pass_tests(day)
    fields = superuser.get("/api/collections/issues").json()["fields"]
    for each in fields:
        if each["name"] == "description":
            each["max"] = 5
    superuser.patch("/api/collections/issues", json={"fields": fields}).raise_for_status()
    with pytest.raises(SyncError, match=rf"refused: issues {issue_id} \(description: Must be no more than 5 char"):
        push_part(day, counted.client)
    # Its posts have nothing to hang on; all others are there.
    assert {record["id"] for record in records(server, "issue_evidence")} == {
        evidence_id
        for (evidence_id,) in day.query(f"select evidence_id from gold.issue_evidence where issue_id <> '{issue_id}'")
    }
    assert day.query("select issue_id from gold.live_issues where synced_at is null") == [(issue_id,)]


def test_a_row_that_is_not_fit_is_never_sent(day: Project, server: Server, counted: Counted) -> None:
    [(evidence_id,)] = day.query("select min(evidence_id) from gold.issue_evidence")
    day.query(f"update gold.issue_evidence set source = '' where evidence_id = '{evidence_id}'")
    pass_tests(day)
    with pytest.raises(SyncError, match=rf"issue_evidence {evidence_id} \(source: "):
        push_part(day, counted.client)
    assert not any(request["body"].get("id") == evidence_id for batch in counted.batches() for request in batch)
    assert len(records(server, "issue_evidence")) == 197
    assert waiting(day) == 1
    assert f"issue_evidence {evidence_id}: not fit to be sent" in differing(day, counted.client)


def test_where_all_is_refused_the_push_gives_up(day: Project, server: Server, counted: Counted) -> None:
    day.query("update gold.issue_evidence set source = ''")
    pass_tests(day)
    with pytest.raises(SyncError, match=r"more than 20 records were refused: .*; and 18 more"):
        push_part(day, counted.client)
    assert waiting(day) == 10


@pytest.mark.parametrize(
    "changed",
    [
        {"cluster_size": "7"},
        {"cluster_size": -1},
        {"category": "nonsense"},
        {"would_pay_signal": 1},
        {"confidence": float("nan")},
        {"cluster_date": "yesterday"},
        {"canonical_title": ""},
        {"canonical_title": "a" * 121},
        {"id": "Not-An-Id"},
        {"surprise": 1},
    ],
)
def test_values_are_checked_since_the_server_coerces(built: Project, changed: dict[str, Any]) -> None:
    [(text,)] = built.query("select record from gold.issue_records limit 1")
    record = json.loads(text) | {"content_hash": "0" * 64}
    MODELS["issues"].model_validate_json(json.dumps(record))
    with pytest.raises(ValidationError):
        MODELS["issues"].model_validate_json(json.dumps(record | changed))


def test_a_server_that_limits_requests_is_asked_again(day: Project, superuser: httpx.Client, counted: Counted) -> None:
    rules = {"rateLimits": {"enabled": True, "rules": [{"label": "/api/", "maxRequests": 1, "duration": 1}]}}
    superuser.patch("/api/settings", json=rules).raise_for_status()
    assert push_part(day, counted.client).written == 208


# --- Who may write --------------------------------------------------------------------------------------------------


def test_the_public_can_not_write(day: Project, server: Server, counted: Counted) -> None:
    push_all(day, counted.client)
    for collection in COLLECTIONS:
        address = f"{server.url}/api/collections/{collection}/records"
        record = records(server, collection)[0]
        assert httpx.post(address, json=record | {"id": "a" * 15}).status_code == 400
        assert httpx.patch(f"{address}/{record['id']}", json={"content_hash": ""}).status_code == 404
        assert httpx.delete(f"{address}/{record['id']}").status_code == 404
    assert differing(day, counted.client) == []
    # Nobody can sign up.
    assert httpx.post(f"{server.url}/api/collections/users/records", json={}).status_code == 404
    account = {"email": "a@b.example", "password": "12345678", "passwordConfirm": "12345678"}
    assert httpx.post(f"{server.url}/api/collections/sync_clients/records", json=account).status_code == 403
    assert httpx.get(f"{server.url}/api/collections/sync_clients/records").status_code == 403


def token(day: Project, server: Server, *arguments: str) -> str:
    """What `python -m sync token` prints."""
    finished = day.run(sys.executable, "-m", "sync", "token", *arguments, **server.settings)
    assert finished.status == 0, finished.output
    assert len(finished.output.splitlines()) == 1
    return finished.output.strip()


def test_a_token_may_write_the_board_and_nothing_else(day: Project, server: Server) -> None:
    made = token(day, server, "--days", "7")
    claims = json.loads(base64.urlsafe_b64decode(made.split(".")[1] + "=="))
    assert claims["exp"] - time.time() == pytest.approx(7 * 86_400, abs=60)
    settings = {"POCKETBASE_URL": server.url, "POCKETBASE_TOKEN": made}
    finished = sync(day, **settings)
    assert finished.status == 0, finished.output
    checked = day.run(sys.executable, "-m", "sync", "--date", DAY, "--check", **settings)
    assert (checked.status, checked.output.strip()) == (
        0,
        f"{server.url} holds the issues of {DAY}, the problems and the themes as gold does",
    )
    with httpx.Client(base_url=server.url, headers={"Authorization": made}) as client:
        assert client.get("/api/collections").status_code == 403
        assert client.patch("/api/settings", json={}).status_code == 403
        assert client.get("/api/collections/_superusers/records").status_code == 403
        assert client.post("/api/collections/sync_clients/records", json={}).status_code == 403
        assert client.delete("/api/collections/issues").status_code == 403
    again = day.run(sys.executable, "-m", "sync", "token", **settings)
    assert again.status == 1
    assert "only a superuser" in again.output


def test_tokens_can_be_revoked(day: Project, server: Server) -> None:
    first, second = token(day, server), token(day, server, "--revoke")
    assert sync(day, POCKETBASE_URL=server.url, POCKETBASE_TOKEN=second).status == 0
    refused = sync(day, POCKETBASE_URL=server.url, POCKETBASE_TOKEN=first)
    assert refused.status == 1
    assert "refused POCKETBASE_TOKEN: check them" in refused.output
    assert first not in refused.output


def test_a_sign_in_that_expires_is_renewed(
    day: Project, server: Server, superuser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {"email": "a@b.example", "password": "12345678", "passwordConfirm": "12345678"}
    made = superuser.post("/api/collections/sync_clients/records", json=account).raise_for_status().json()
    monkeypatch.setenv("POCKETBASE_EMAIL", account["email"])
    monkeypatch.setenv("POCKETBASE_PASSWORD", account["password"])
    with signed_in(server.url) as client:
        first = client.auth_store.token

        def expire(path: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
            if path == "/api/batch" and client.auth_store.token == first:
                # The same password again makes all tokens worthless.
                superuser.patch(f"/api/collections/sync_clients/records/{made['id']}", json=account).raise_for_status()
            return path, request

        client.before_send = expire
        assert push_part(day, client).written == 208
        assert client.auth_store.token != first
        assert differing(day, client)[0].startswith("problems")


def test_an_account_that_may_not_write_is_told_so(
    day: Project, server: Server, superuser: httpx.Client, counted: Counted
) -> None:
    token_alone = {"POCKETBASE_URL": server.url, "POCKETBASE_TOKEN": token(day, server)}
    for rule in ("createRule", "updateRule"):
        superuser.patch("/api/collections/issues", json={rule: None}).raise_for_status()
    finished = sync(day, **token_alone)
    assert finished.status == 1
    assert "does not let this account write issues" in finished.output
    assert len(finished.output.strip().splitlines()) == 1


def test_the_password_is_in_no_process_list(server: Server) -> None:
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert commands
    assert not any(server.settings["POCKETBASE_PASSWORD"].encode() in command for command in commands)


# --- The commands ---------------------------------------------------------------------------------------------------


def sync(day: Project, **settings: str) -> Any:
    return day.run(sys.executable, "-m", "sync", "--date", DAY, **settings)


def test_the_command(day: Project, server: Server) -> None:
    finished = sync(day, **server.settings)
    assert finished.status == 0, finished.output
    issues, problems, themes = finished.output.strip().splitlines()
    assert issues == f"10 issues and 198 posts of {DAY} are live at {server.url}: 208 records written, 0 deleted"
    assert problems.startswith(f"{count(day, 'gold.problems')} problems and ")
    assert themes.startswith(f"{count(day, 'gold.themes')} themes and ")


def test_the_check_finds_every_kind_of_difference(
    day: Project, server: Server, superuser: httpx.Client, counted: Counted
) -> None:
    push_all(day, counted.client)
    tampered, lost = records(server, "issues")[0], records(server, "issue_evidence")[0]
    superuser.patch(f"/api/collections/issues/records/{tampered['id']}", json={"cluster_size": 999})
    superuser.delete(f"/api/collections/issue_evidence/records/{lost['id']}")
    post = records(server, "problem_posts")[0]
    superuser.post(
        "/api/collections/problem_posts/records", json=post | {"id": "a" * 15, "url_hash": "f" * 64}
    ).raise_for_status()
    checked = day.run(sys.executable, "-m", "sync", "--check", "--date", DAY, **server.settings)
    assert checked.status == 1
    assert f"issues {tampered['id']}: differs in cluster_size\n" in checked.output
    assert f"issue_evidence {lost['id']}: missing on the server\n" in checked.output
    assert f"problem_posts {'a' * 15}: on the server, not in gold\n" in checked.output
    assert f"python -m sync --date {DAY} mends them" in checked.output


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"POCKETBASE_PASSWORD": "wrong-s3cret"}, "refused POCKETBASE_EMAIL and POCKETBASE_PASSWORD: check them"),
        ({"POCKETBASE_TOKEN": "not-a-token-s3cret"}, "refused POCKETBASE_TOKEN: check them"),
        ({"POCKETBASE_PASSWORD": ""}, "set POCKETBASE_TOKEN, or POCKETBASE_EMAIL and POCKETBASE_PASSWORD"),
        ({"POCKETBASE_URL": "http://127.0.0.1:9"}, "PocketBase at http://127.0.0.1:9 can not be reached"),
        ({"POCKETBASE_URL": ""}, "POCKETBASE_URL is not set"),
        ({"POCKETBASE_URL": "http://jane:s3cret@127.0.0.1:9"}, "POCKETBASE_URL holds a user or a password"),
        ({"POCKETBASE_URL": "http://s3cret@127.0.0.1:9"}, "POCKETBASE_URL holds a user or a password"),
    ],
)
def test_bad_settings(day: Project, server: Server, changed: dict[str, str], says: str) -> None:
    finished = sync(day, **(server.settings | changed))
    assert finished.status == 1
    assert says in finished.output
    assert len(finished.output.strip().splitlines()) == 1
    assert "s3cret" not in finished.output
    assert waiting(day) == 10


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer("<html>A page</html>"), "another program than PocketBase answers at {}: correct POCKETBASE_URL"),
        (Answer({"token": "a", "record": {}}), "another program than PocketBase answers at {}: correct POCKETBASE_URL"),
        (Answer([]), "another program than PocketBase answers at {}: correct POCKETBASE_URL"),
        (Answer("", 302), "another program than PocketBase answers at {}: correct POCKETBASE_URL"),
        (Answer("No", 403), "{} answered 403: no PocketBase is there"),
        (Answer("No", 404), "{} answered 404: no PocketBase is there"),
    ],
)
def test_another_program_at_the_address_is_told(day: Project, loopback: Loopback, answer: Answer, says: str) -> None:
    loopback.answer = lambda _: answer
    finished = sync(day, POCKETBASE_URL=loopback.url, POCKETBASE_TOKEN="s3cret")
    assert (finished.status, finished.output) == (1, f"ERROR: {says.format(loopback.url)}\n")


def test_a_build_fails_in_one_line_where_the_server_is_away(day: Project, server: Server) -> None:
    gone = server.settings | {"POCKETBASE_URL": "http://127.0.0.1:9"}
    finished = day.build(DAY, "--select", "live_issues", data_tests=True, **gone)
    assert finished.status == 1
    assert "PocketBase at http://127.0.0.1:9 can not be reached: is it running?" in finished.output
    assert "Traceback" not in finished.output
    assert waiting(day) == 10
    healed = day.build(DAY, "--select", "live_issues", data_tests=True, **server.settings)
    assert healed.status == 0, healed.output
    assert waiting(day) == 0


def test_the_ledger_says_what_was_done(day: Project, server: Server) -> None:
    def actions() -> dict[str, int]:
        return dict(day.query("select action, count(*) from gold.live_issues where synced_at is not null group by all"))

    assert sync(day, **server.settings).status == 0
    assert actions() == {"create": 10}
    [(gone, renamed)] = day.query("select min(issue_id), max(issue_id) from gold.issues")
    day.query(f"delete from gold.issues where issue_id = '{gone}'")
    day.query(f"delete from gold.issue_evidence where issue_id = '{gone}'")
    day.query(f"update gold.issues set canonical_title = 'Renamed' where issue_id = '{renamed}'")
    finished = day.build(DAY, "--select", "live_issues", data_tests=True, **server.settings)
    assert finished.status == 0, finished.output
    assert "9 issues and" in finished.output
    assert actions() == {"create": 8, "update": 1, "delete": 1}
    assert len(records(server, "issues")) == 9


def test_a_day_that_was_never_built(project: Project, server: Server) -> None:
    duckdb.connect(str(project.database)).close()
    finished = sync(project, **server.settings)
    assert finished.status == 1
    assert f"{DAY} was never built: python -m groundswell build --date {DAY}" in finished.output
    assert finished.output.endswith("built days: none\n")
    assert "Traceback" not in finished.output


def test_the_names_of_sources_are_those_of_the_seed(day: Project, counted: Counted, server: Server) -> None:
    def publish() -> int:
        with duckdb.connect(str(day.database)) as connection:
            return publish_sources(connection, counted.client)

    seed = sorted((row["name"], row["label"], row["short_name"]) for row in read_seed("sources"))
    assert publish() == len(seed)
    assert publish() == 0
    day.query("update silver.sources set label = 'YC' where name = 'hackernews'")
    day.query("delete from silver.sources where name = 'reddit'")
    assert publish() == 2
    shown = [(row["name"], row["label"], row["short_name"]) for row in records(server, "sources")]
    assert sorted(shown) == [
        (name, "YC" if name == "hackernews" else label, short) for name, label, short in seed if name != "reddit"
    ]


def test_what_the_search_for_problems_found_is_published(day: Project, counted: Counted, server: Server) -> None:
    def publish() -> int:
        with duckdb.connect(str(day.database)) as connection:
            return publish_small(connection, counted.client)

    # The search of the day, four names that are watched, and seven figures of the week.
    assert publish() == 12
    assert publish() == 0
    day.query("update gold.problem_searches set near_pairs = near_pairs + 1")
    assert publish() == 1
    [found] = records(server, "searches")
    [(near_pairs, complaints, groups)] = day.query(
        "select near_pairs, complaints, to_json(nearest_groups) from gold.problem_searches"
    )
    assert (found["search_date"], found["near_pairs"], found["complaints"]) == (
        f"{DAY} 00:00:00.000Z",
        near_pairs,
        complaints,
    )
    assert found["nearest_groups"] == json.loads(groups)
    # A database of an earlier version has none.
    day.query("drop view gold.search_records")
    assert publish() == 0


def test_watched_names_are_published(day: Project, counted: Counted, server: Server) -> None:
    def publish() -> int:
        with duckdb.connect(str(day.database)) as connection:
            return publish_small(connection, counted.client)

    publish()
    shown = {row["name"]: row for row in records(server, "watched_names")}
    [(posts, voices, days)] = day.query(
        "select posts, voices, (select count(distinct collection_date) from silver.documents) as days"
        " from gold.watched_names where name = 'Docker'"
    )
    assert (shown["Docker"]["posts"], shown["Docker"]["voices"], shown["Docker"]["side"]) == (
        posts,
        voices,
        "competitor",
    )
    assert posts > 0
    assert len(shown["Docker"]["days"]) == days
    assert (shown["Nobody Mentions This"]["trend"], shown["Nobody Mentions This"]["first_seen"]) == ("gone", "")
    assert publish() == 0
    day.query("delete from gold.watched_names where name = 'Docker'")
    assert publish() == 1
    assert "Docker" not in {row["name"] for row in records(server, "watched_names")}


def test_a_search_that_does_not_fit_is_not_sent(day: Project, counted: Counted) -> None:
    day.query("update gold.problem_searches set window_days = -1")
    with duckdb.connect(str(day.database)) as connection, pytest.raises(SyncError) as error:
        publish_small(connection, counted.client)
    assert str(error.value).startswith(
        "gold.search_records has a record that does not fit collection searches: window_"
    )
    assert "\n" not in str(error.value)


def test_a_port_that_is_taken(server: Server) -> None:
    with pytest.raises(SyncError, match="choose another with --http"):
        check_port(server.url.removeprefix("http://"))
    for address in ("8090", ":8090", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:99999"):
        with pytest.raises(SyncError, match=f"^{address} can not be listened on "):
            check_port(address)


def test_long_bodies_are_cut_with_a_mark(day: Project) -> None:
    [(evidence_id,)] = day.query("select min(evidence_id) from gold.issue_evidence")
    for length, ending in ((20_000, "aaa"), (20_001, " … [20,001 characters in all]")):
        day.query(f"update gold.issue_evidence set body = repeat('a', {length}) where evidence_id = '{evidence_id}'")
        [(body,)] = day.query(
            f"select record->>'body' from gold.issue_evidence_records where record_id = '{evidence_id}'"
        )
        assert body.endswith(ending)
        assert len(body) <= 20_000
