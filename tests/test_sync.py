"""Publishing to a real PocketBase: parity, nothing sent twice, and what goes wrong."""

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from pocketbase import PocketBase

from sync.client import signed_in
from sync.errors import SyncError
from sync.push import BODY_LIMIT, cut, push_day
from sync.server import check_port
from tests.conftest import DAY, Project, Server, free_address, serve

TODAY = date.fromisoformat(DAY)


@pytest.fixture
def day(built: Project, tmp_path: Path) -> Project:
    """A copy of the built sample day that no server is known to hold."""
    copy = built.copy_to(tmp_path / "sync.duckdb")
    copy.query("update gold.live_issues set synced_at = null")
    return copy


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """An empty PocketBase."""
    with serve(tmp_path / "pb", free_address(), secrets.token_hex()) as server:
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


def records(server: Server, collection: str) -> list[dict[str, Any]]:
    """What anybody can read."""
    answer = httpx.get(f"{server.url}/api/collections/{collection}/records", params={"perPage": 1000, "sort": "id"})
    items: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return items


def push(day: Project, counted: Counted, when: date = TODAY) -> Any:
    with duckdb.connect(str(day.database)) as connection:
        return push_day(connection, counted.client, when)


def waiting(day: Project) -> int:
    return int(day.query("select count(*) from gold.live_issues where synced_at is null")[0][0])


def test_the_board_holds_what_gold_holds(day: Project, server: Server, counted: Counted) -> None:
    pushed = push(day, counted)
    assert (pushed.issues, pushed.evidence, pushed.written, pushed.deleted) == (10, 198, 208, 0)
    assert [len(batch) for batch in counted.batches()] == [200, 8]
    assert waiting(day) == 0
    issues = {record["id"]: record for record in records(server, "issues")}
    for issue_id, title, size, pays, when in day.query(
        "select issue_id, canonical_title, cluster_size, would_pay_signal, cluster_date::text from gold.issues"
    ):
        record = issues.pop(issue_id)
        assert (record["canonical_title"], record["cluster_size"], record["would_pay_signal"]) == (title, size, pays)
        assert record["cluster_date"] == f"{when} 00:00:00.000Z"
        assert sum(record["source_counts"].values()) == size
    assert not issues
    posts = {record["id"]: record for record in records(server, "issue_evidence")}
    for evidence_id, issue_id, url, body in day.query(
        "select evidence_id, issue_id, url, body from gold.issue_evidence"
    ):
        record = posts.pop(evidence_id)
        assert (record["issue"], record["url"], record["body"]) == (issue_id, url, cut(body, BODY_LIMIT))
    assert not posts


def test_an_unchanged_day_sends_nothing(day: Project, counted: Counted) -> None:
    push(day, counted)
    synced = day.query("select * from gold.live_issues order by all")
    counted.sent.clear()
    pushed = push(day, counted)
    assert counted.batches() == []
    assert (pushed.written, pushed.deleted) == (0, 0)
    assert day.query("select * from gold.live_issues order by all") == synced


def test_only_differences_are_sent(day: Project, server: Server, counted: Counted) -> None:
    push(day, counted)
    counted.sent.clear()
    [(gone, kept)] = day.query("select min(issue_id), max(issue_id) from gold.issues")
    day.query(f"delete from gold.issues where issue_id = '{gone}'")
    day.query(f"delete from gold.issue_evidence where issue_id = '{gone}'")
    day.query(f"update gold.issues set canonical_title = 'Renamed' where issue_id = '{kept}'")
    pushed = push(day, counted)
    [batch] = counted.batches()
    assert pushed.written == 1
    assert pushed.deleted == len(batch) - 1 > 1
    # Evidence goes before the issue that it hangs on.
    assert [request["method"] for request in batch] == ["PUT"] + ["DELETE"] * pushed.deleted
    assert batch[-1]["url"].endswith(f"/issues/records/{gone}")
    assert {record["id"] for record in records(server, "issues")} == {
        issue_id for (issue_id,) in day.query("select issue_id from gold.issues")
    }
    assert len(records(server, "issue_evidence")) == 198 - (pushed.deleted - 1)


def test_other_days_are_left_alone(day: Project, server: Server, counted: Counted) -> None:
    push(day, counted)
    pushed = push(day, counted, TODAY + timedelta(days=1))
    assert (pushed.issues, pushed.written, pushed.deleted) == (0, 0, 0)
    assert len(records(server, "issues")) == 10


def test_what_was_acknowledged_stays_recorded(day: Project, server: Server, counted: Counted) -> None:
    def fail_after_the_first_batch(path: str, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        sent = [entry for entry in counted.sent if entry[1] == "/api/batch"]
        return counted.count("/no-such-path" if path == "/api/batch" and sent else path, request)

    counted.client.before_send = fail_after_the_first_batch
    with pytest.raises(SyncError, match="answered 404"):
        push(day, counted)
    # 200 of 208 operations were taken: all issues but the last are whole.
    assert waiting(day) == 1
    counted.client.before_send = counted.count
    counted.sent.clear()
    pushed = push(day, counted)
    assert pushed.written == 8
    assert waiting(day) == 0
    assert len(records(server, "issue_evidence")) == 198


def test_what_the_server_lost_is_pushed_again(day: Project, server: Server, counted: Counted) -> None:
    push(day, counted)
    counted.client.collection("issues").delete(records(server, "issues")[0]["id"])
    assert push(day, counted).written > 1
    assert len(records(server, "issue_evidence")) == 198


def test_the_public_can_not_write(server: Server) -> None:
    for collection in ("issues", "issue_evidence"):
        address = f"{server.url}/api/collections/{collection}/records"
        assert httpx.get(address).status_code == 200
        assert httpx.post(address, json={}).status_code == 403
        assert httpx.patch(f"{address}/x", json={}).status_code in (403, 404)
        assert httpx.delete(f"{address}/x").status_code in (403, 404)
    # Nobody can sign up.
    assert httpx.post(f"{server.url}/api/collections/users/records", json={}).status_code == 404


def sync(day: Project, **settings: str) -> Any:
    return day.run(sys.executable, "-m", "sync", "--date", DAY, **settings)


def test_the_command(day: Project, server: Server) -> None:
    finished = sync(day, **server.settings)
    assert finished.status == 0, finished.output
    assert finished.output.strip() == (
        f"10 issues and 198 posts of {DAY} are live at {server.url}: 208 records written, 0 deleted"
    )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"POCKETBASE_PASSWORD": "wrong-s3cret"}, "refused POCKETBASE_EMAIL and POCKETBASE_PASSWORD: check them"),
        ({"POCKETBASE_TOKEN": "not-a-token-s3cret"}, "refused POCKETBASE_TOKEN: check them"),
        ({"POCKETBASE_PASSWORD": ""}, "set POCKETBASE_TOKEN, or POCKETBASE_EMAIL and POCKETBASE_PASSWORD"),
        ({"POCKETBASE_URL": "http://127.0.0.1:9"}, "PocketBase at http://127.0.0.1:9 can not be reached"),
        ({"POCKETBASE_URL": ""}, "POCKETBASE_URL is not set"),
    ],
)
def test_bad_settings(day: Project, server: Server, changed: dict[str, str], says: str) -> None:
    finished = sync(day, **(server.settings | changed))
    assert finished.status == 1
    assert says in finished.output
    assert len(finished.output.strip().splitlines()) == 1
    assert "s3cret" not in finished.output
    assert waiting(day) == 10


def test_a_build_fails_in_one_line_where_the_server_is_away(day: Project, server: Server) -> None:
    gone = server.settings | {"POCKETBASE_URL": "http://127.0.0.1:9"}
    finished = day.build(DAY, "--select", "live_issues", **gone)
    assert finished.status == 1
    assert "PocketBase at http://127.0.0.1:9 can not be reached: is it running?" in finished.output
    assert "Traceback" not in finished.output
    assert waiting(day) == 10
    healed = day.build(DAY, "--select", "live_issues", **server.settings)
    assert healed.status == 0, healed.output
    assert waiting(day) == 0


def test_a_day_that_was_never_built(project: Project, server: Server) -> None:
    finished = sync(project, **server.settings)
    assert finished.status == 1
    assert "has no gold.issues" in finished.output
    assert "Traceback" not in finished.output


def test_a_port_that_is_taken(server: Server) -> None:
    with pytest.raises(SyncError, match="choose another with --http"):
        check_port(server.url.removeprefix("http://"))


def test_a_token_signs_in(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.settings.items():
        monkeypatch.setenv(name, value)
    with signed_in(server.url) as client:
        monkeypatch.setenv("POCKETBASE_TOKEN", str(client.auth_store.token))
    monkeypatch.delenv("POCKETBASE_PASSWORD")
    with signed_in(server.url) as client:
        assert client.collection("issues").get_list(1, 1).total_items == 0


def test_the_password_is_in_no_process_list(server: Server) -> None:
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert commands
    assert not any(server.settings["POCKETBASE_PASSWORD"].encode() in command for command in commands)


@pytest.mark.parametrize(("text", "shown"), [(None, ""), ("a" * 30, "a" * 30), ("a" * 31, " … [31 characters in all]")])
def test_long_texts_are_cut_with_a_mark(text: str | None, shown: str) -> None:
    assert cut(text, 30).endswith(shown)
    assert len(cut(text, 30)) <= 30
