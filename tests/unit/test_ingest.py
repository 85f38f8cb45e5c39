"""python -m ingest: the sample day, files, the services on loopback, and what goes wrong."""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest

from groundswell.database import DatabaseError, connect
from ingest.errors import IngestError
from ingest.parsed import parse_entries
from ingest.settings import load_settings
from ingest.sources import github, hackernews, reddit, sources, stackoverflow
from ingest.store import open_store
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import DAY, ROOT, SAMPLE, Finished, Project

POST = {
    "source": "hackernews",
    "url": "https://news.ycombinator.com/item?id=1",
    "title": "It broke",
    "body": None,
    "created_at": f"{DAY}T08:00:00Z",
}


def payloads(source: str) -> list[Any]:
    return [json.loads(path.read_text()) for path in sorted((SAMPLE / source).glob("*.json"))]


def test_the_sample_day_is_taken_in_twice_and_stays_the_same(project: Project) -> None:
    first = project.ingest("--date", DAY, "--replay", str(SAMPLE))
    assert first.status == 0, first.output
    once = project.contents()
    second = project.ingest("--date", DAY, "--replay", str(SAMPLE))
    assert second.status == 0, second.output
    windows = "bronze.ingest_windows"  # finished_at is newer
    assert {name: rows for name, rows in project.contents().items() if name != windows} == {
        name: rows for name, rows in once.items() if name != windows
    }
    assert dict(project.query("select source, count(*) from bronze.raw_items group by all")) == {
        "github": 48, "stackoverflow": 48, "reddit": 52, "hackernews": 50,
    }  # fmt: skip
    assert project.query("select distinct collection_date::text from bronze.raw_items") == [(DAY,)]
    assert project.query("select count(*), count(distinct status), min(status) from bronze.ingest_windows") == [
        (9, 1, "complete")
    ]


@pytest.mark.parametrize("day", ["2026-11-12", "2026-11-17"])
def test_every_bundled_day_holds_posts_of_that_day_from_all_sources(project: Project, day: str) -> None:
    finished = project.ingest("--date", day, "--sample")
    assert finished.status == 0, finished.output
    days = "select collection_date::text, count(*), count(distinct source) from bronze.raw_items group by all"
    assert project.query(days) == [(day, 80, 4)]
    assert project.query("select count(*) from bronze.rejected_items") == [(0,)]


def test_a_folder_of_days_is_replayed_by_day(project: Project) -> None:
    finished = project.ingest("--from", "2026-11-12", "--to", DAY, "--replay", str(SAMPLE.parent))
    assert finished.status == 0, finished.output
    days = "select collection_date::text, count(*) from bronze.raw_items group by all order by all"
    assert project.query(days) == [("2026-11-12", 80), ("2026-11-17", 80), (DAY, 198)]
    once = project.contents()["bronze.raw_items"]
    assert project.ingest("--date", DAY, "--replay", str(SAMPLE)).status == 0
    assert project.contents()["bronze.raw_items"] == once


def test_what_is_no_post_is_skipped(project: Project) -> None:
    project.ingest("--date", DAY, "--replay", str(SAMPLE))
    assert not project.query("select url from bronze.raw_items where url like '%/pull/%'")
    assert not project.query("select url from bronze.raw_items where body in ('[deleted]', '[removed]')")
    # An old plain issue carries a pull_request object whose fields are null.
    assert any(
        "pull_request" in issue and github.to_item(issue) for page in payloads("github") for issue in page["items"]
    )


def test_titles_are_decoded_and_bodies_are_left_as_they_are() -> None:
    questions = [item for page in payloads("stackoverflow") for item in stackoverflow.parse(page).items]
    assert any('"' in (question.title or "") for question in questions)
    assert not any("&quot;" in (question.title or "") for question in questions)
    assert any("&lt;" in (question.body or "") for question in questions)


def test_hacker_news_links_the_thread() -> None:
    stories = [item for page in payloads("hackernews") for item in hackernews.parse(page).items]
    assert all(story.url.startswith("https://news.ycombinator.com/item?id=") for story in stories)


T3 = {
    "permalink": "/r/x/comments/a/t/",
    "title": "Title",
    "selftext": "",
    "author": "u",
    "created_utc": 1_795_161_600.0,
}


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"selftext": "Text"}, "Text"),
        ({"selftext": None}, None),
        ({"crosspost_parent_list": [{"title": "Parent", "selftext": "Of the parent"}]}, "Of the parent"),
        ({"selftext": "Mine", "crosspost_parent_list": [{"selftext": "Of the parent"}]}, "Mine\n\nOf the parent"),
        ({"crosspost_parent_list": [{"selftext": "[removed]"}]}, None),
        (
            {"gallery_data": {"items": [{"caption": "It melted"}, {"media_id": "m"}, {"caption": "Twice"}]}},
            "It melted\n\nTwice",
        ),
        ({"gallery_data": None, "poll_data": {"options": [{"text": "Too slow"}, {}]}}, "- Too slow"),
    ],
)
def test_a_post_of_reddit_has_the_text_that_it_shows(changes: dict[str, Any], body: str | None) -> None:
    post = reddit.to_item({"kind": "t3", "data": T3 | changes})
    assert post
    assert (post.title, post.body, post.created_at.isoformat()) == ("Title", body, "2026-11-20T08:00:00+00:00")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "[ Removed by Reddit ]"}, {"title": "[deleted by user]"}, {"selftext": "[deleted]"},
        {"promoted": True}, {"removed_by_category": "moderator"}, {"is_created_from_ads_ui": True, "promoted": None},
    ],
)  # fmt: skip
def test_a_post_of_reddit_that_is_gone_or_paid_for_is_none(changes: dict[str, Any]) -> None:
    assert reddit.to_item({"kind": "t3", "data": T3 | changes}) is None


def test_responses_of_other_addresses_of_a_service_are_read() -> None:
    page = [{"kind": "Listing", "data": {"children": [{"kind": "t3", "data": T3}]}}, {"kind": "Listing", "data": {}}]
    assert [post.title for post in reddit.parse(page).items] == ["Title"]
    issue = {"html_url": "https://github.com/a/b/issues/1", "title": "T", "created_at": f"{DAY}T23:59:60Z"}
    pull = issue | {"html_url": "https://github.com/a/b/pull/2"}
    assert github.to_item(issue | {"html_url": "https://github.com/a/pull/issues/2"})
    parsed = github.parse([issue, pull, issue | {"pull_request": {"html_url": "x"}}])
    assert [str(post.created_at) for post in parsed.items] == [f"{DAY} 23:59:59+00:00"]
    assert parsed.skipped == 2


def test_a_hit_is_read_as_old_and_new_records_have_it() -> None:
    hit = {"objectID": "1", "created_at": f"{DAY}T08:00:00.000Z", "created_at_i": 1_795_161_600, "author": "u"}
    hits = [
        hit | {"title": "Only a time", "created_at": None},
        hit | {"title": "A text", "text": "It fails"},
        hit | {"title": None, "comment_text": "A comment"},
        hit | {"title": "[flagged]"},
        hit | {"title": "[dead]", "story_text": "[dead]"},
        hit | {"title": "Delayed", "comment_text": "[delayed]"},
        hit | {"title": None, "story_text": "An option", "_tags": ["pollopt"]},
    ]
    parsed = hackernews.parse({"hits": hits})
    assert [(post.title, post.body) for post in parsed.items] == [
        ("Only a time", None), ("A text", "It fails"), (None, "A comment"), ("Delayed", None),
    ]  # fmt: skip
    assert {post.created_at.hour for post in parsed.items} == {8}
    assert (parsed.skipped, parsed.rejected) == (3, [])


def test_what_reddits_own_program_posts_is_one_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    def voice(author: str) -> str | None:
        post = reddit.to_item({"kind": "t3", "data": T3 | {"author": author}})
        assert post
        return post.author_hash

    monkeypatch.delenv("AUTHOR_SALT", raising=False)
    assert voice("AutoModerator")
    assert voice("u") is None
    monkeypatch.setenv("AUTHOR_SALT", "pepper")
    assert voice("u")
    assert voice("[deleted]") is None


def test_a_question_may_have_its_text_in_markdown() -> None:
    question = {
        "question_id": "3",
        "title": "a &lt; b",
        "body_markdown": "It **fails**",
        "creation_date": 1_795_161_600,
    }
    post = stackoverflow.to_item(question | {"owner": None})
    assert (post.url, post.title, post.body) == ("https://stackoverflow.com/questions/3", "a < b", "It **fails**")


def test_a_broken_entry_does_not_sink_its_page() -> None:
    page = payloads("reddit")[0]
    whole = reddit.parse(page)
    page["data"]["children"] += [{"kind": "t3", "data": {"title": "no address"}}, None, "text"]
    broken = reddit.parse(page)
    assert broken.items == whole.items
    assert len(broken.rejected) == 3


@pytest.mark.parametrize("payload", [{}, [], None, {"items": None}, {"error_id": 502, "error_message": "throttled"}])
def test_a_strange_response_is_refused(payload: Any) -> None:
    for source in (github, stackoverflow, reddit, hackernews):
        with pytest.raises(IngestError, match="not a response"):
            source.parse(payload)


def test_a_broken_recording_is_named_and_the_others_are_kept(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "replay" / "hackernews"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text('{"hits": [')
    (folder / "b.json").write_text((SAMPLE / "hackernews" / "search_by_date_story.json").read_text())
    finished = project.ingest("--date", DAY, "--replay", str(tmp_path / "replay"))
    assert finished.status == 1
    assert "a.json can not be read" in finished.output
    assert project.query("select count(*) > 10 from bronze.raw_items") == [(True,)]
    assert project.query("select query, status from bronze.ingest_windows order by query") == [
        ("a.json", "failed"), ("b.json", "complete"),
    ]  # fmt: skip


def test_a_file_of_posts(project: Project, tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    later = POST | {"url": "https://news.ycombinator.com/item?id=2", "created_at": "2026-11-21T00:00:00Z"}
    lines = [
        json.dumps(POST),
        "{not json",
        "",
        json.dumps(POST | {"source": "twitter"}),
        json.dumps({key: value for key, value in POST.items() if key != "url"}),
        '"a text"',
        "[" * 100_000,
        json.dumps(later | {"title": "half a pair: \ud800"}),
    ]
    posts.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    finished = project.ingest("--file", str(posts))
    assert finished.status == 1
    assert f"{posts}:2: not JSON: " in finished.output
    assert f"{posts}:4: source: Input should be 'feeds' or 'github'" in finished.output
    assert f"{posts}:5: url: it is missing" in finished.output
    assert f"{posts}:6: not an object with fields" in finished.output
    assert f"{posts}:7: not JSON: " in finished.output
    assert f"{posts}:9: not JSON: " in finished.output
    assert project.query("select title from bronze.raw_items where url like '%2'") == [("half a pair: ?",)]
    assert "Traceback" not in finished.output
    assert project.query("select collection_date::text from bronze.raw_items order by all") == [(DAY,), ("2026-11-21",)]

    posts.write_text(json.dumps(POST | {"comment_count": 3}) + "\n")
    changed = project.ingest("--file", str(posts), "--date", DAY)
    assert changed.status == 0, changed.output
    assert project.query("select comment_count from bronze.raw_items order by url") == [(3,), (None,)]


def test_another_salt_would_make_one_author_two(project: Project, tmp_path: Path) -> None:
    def take_in(number: int, salt: str, *options: str) -> Finished:
        post = POST | {"url": f"https://news.ycombinator.com/item?id={number}", "author": "ann"}
        file = tmp_path / "post.json"
        file.write_text(json.dumps(post))
        return project.ingest("--file", str(file), *options, AUTHOR_SALT=salt)

    stored = "select count(*), count(distinct author_hash), count(author_hash) from bronze.raw_items"
    assert [take_in(1, "salt-0ne").status, take_in(2, "salt-0ne").status] == [0, 0]
    refused = take_in(3, "salt-tw0")
    assert refused.status == 1
    assert [line for line in refused.output.splitlines() if line.strip()] == [refused.output.strip()]
    assert "AUTHOR_SALT is not the one that" in refused.output
    assert "salt-" not in refused.output
    assert project.query(stored) == [(2, 1, 2)]
    # Erasing by name would find nothing with the wrong salt.
    assert (
        "AUTHOR_SALT is not"
        in project.ingest("forget", "--author", "ann", "--source", "hackernews", AUTHOR_SALT="salt-tw0").output
    )
    # Without a salt no author is hashed.
    unset = take_in(3, "")
    assert unset.status == 0
    assert "AUTHOR_SALT is not set, and was since" in unset.output
    assert project.query(stored) == [(3, 1, 2)]
    assert take_in(4, "salt-tw0", "--new-salt").status == 0
    assert take_in(5, "salt-tw0").status == 0
    assert project.query(stored) == [(5, 2, 4)]
    assert b"salt-tw0" not in project.database.read_bytes()


def test_a_clock_that_was_ahead_does_not_keep_an_old_text(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "post.json"
    for title in ("It broke", "It broke again"):
        file.write_text(json.dumps(POST | {"title": title}))
        assert project.ingest("--file", str(file)).status == 0
        with duckdb.connect(str(project.database)) as connection:
            connection.execute("update bronze.raw_items set collected_at = collected_at + interval 1 hour")
    assert project.query("select title from bronze.raw_items") == [("It broke again",)]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--date", "2026-13-40"], 2, "'2026-13-40' is not a day: write it as 2026-11-20"),
        (["--date", "tomorrow"], 2, "'tomorrow' is not a day"),
        (["--sample"], 2, "with --date: 2026-11-12"),
        (["--date", DAY, "--source", "twitter"], 2, "'twitter' is not one of"),
        (["--file", "no-such.jsonl"], 1, "no-such.jsonl is no file"),
        (["--date", "2026-11-19", "--sample"], 2, "2026-11-12, 2026-11-17, 2026-11-20"),
        (["--from", "2026-11-12", "--to", DAY, "--sample"], 2, "one of these days"),
        (["--date", DAY, "--replay", "tests"], 1, "tests holds no recorded responses"),
        (["--file", "a.jsonl", "--replay", "tests"], 2, "--file goes with none of"),
        (
            ["--date", DAY, "b.jsonl"],
            2,
            "b.jsonl is no command (collect, check, forget); names of files go with --file F",
        ),
        (["--file", "a.csv", "--columns", "headline=title"], 2, "'headline=title' is not FIELD=COLUMN"),
        (["--date", DAY, "--from", DAY], 2, "--date goes with neither"),
        (["--from", DAY], 2, "--from and --to go together"),
        (["--from", DAY, "--to", "2026-11-19"], 2, "--to 2026-11-19 is before"),
        (["--date", DAY, "--replay", "tests", "--refresh"], 2, "not with --file or --replay"),
        (["--date", "2199-01-01"], 2, "2199-01-01 has not begun"),
    ],
)
def test_bad_arguments(project: Project, arguments: list[str], status: int, says: str) -> None:
    finished = project.ingest(*arguments)
    assert finished.status == status
    assert says in finished.output
    assert "Traceback" not in finished.output


def test_a_database_in_no_folder_or_of_another_program_is_named_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_DB", str(tmp_path / "typo" / "groundswell.duckdb"))
    with pytest.raises(DatabaseError, match=r"can not be opened: the folder .*typo does not exist$"):
        connect()
    monkeypatch.setenv("GROUNDSWELL_DB", str(tmp_path / "other.duckdb"))
    with duckdb.connect(str(tmp_path / "other.duckdb")) as other:
        other.execute("create schema bronze; create table bronze.raw_items (payload json)")
    with pytest.raises(DatabaseError, match="is the database of another program"), open_store():
        pass
    with duckdb.connect(str(tmp_path / "other.duckdb")) as other:
        assert other.execute("select table_name from duckdb_tables()").fetchall() == [("raw_items",)]


def test_an_import_says_of_which_days_its_posts_are_and_what_became_of_them(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    posts = [
        {
            "source": "github",
            "url": f"https://github.com/a/b/issues/{day}",
            "title": "t",
            "created_at": f"2026-11-{day}",
        }
        for day in (20, 18, 19, 11)
    ]
    file.write_text("\n".join(map(json.dumps, posts)))
    imported = Project(tmp_path / "groundswell.duckdb").ingest("--file", str(file))
    assert imported.status == 0, imported.output
    assert imported.output.endswith("\nThe posts are of 2026-11-11, 2026-11-18 to 2026-11-20\n")
    # The table has no column that says nothing of a file.
    [names] = [line.split() for line in imported.output.splitlines() if "fetched" in line]
    assert names == ["file", "fetched", "new", "updated", "known", "skipped", "other", "day", "rejected"]


def test_a_locked_database(project: Project) -> None:
    with project.held() as pid:
        finished = project.ingest("--date", DAY, "--replay", str(SAMPLE))
    assert finished.status == 1
    assert f"process {pid} is using it" in finished.output
    assert len(finished.output.strip().splitlines()) == 1


def test_what_is_no_database(project: Project) -> None:
    project.database.write_text("hello")
    finished = project.ingest("--date", DAY, "--replay", str(SAMPLE))
    assert finished.status == 1
    assert len(finished.output.strip().splitlines()) == 1


def services(request: Request) -> Answer:
    """The four services with the sample day, two pages of GitHub's and Stack Overflow's."""
    match request.path:
        case "/search/issues":
            first, second = payloads("github")
            # 100 a page: the first page must look full for the second to be asked for.
            return Answer((first if request.query["page"] == "1" else second) | {"total_count": 101})
        case "/questions":
            first, second = payloads("stackoverflow")
            return Answer(first if request.query["page"] == "1" else second)
        case "/search_by_date":
            return Answer(payloads("hackernews")[1])
        case "/api/v1/access_token":
            return Answer({"access_token": "t0ken", "expires_in": 3600})
        case "/r/devops/new":
            return Answer(payloads("reddit")[0])
        case path if path.startswith("/r/"):
            return Answer({"kind": "Listing", "data": {"after": None, "children": []}})
    return Answer({}, 404)


def addresses(loopback: Loopback) -> dict[str, str]:
    names = ("GITHUB_API_URL", "STACKEXCHANGE_API_URL", "REDDIT_AUTH_URL", "REDDIT_API_URL", "HACKERNEWS_API_URL")
    return dict.fromkeys(names, loopback.url)


def test_a_day_is_collected_from_all_services(project: Project, loopback: Loopback) -> None:
    loopback.answer = services
    keys = {
        "GITHUB_TOKEN": "gh-s3cret",
        "STACKEXCHANGE_KEY": "se-s3cret",
        "REDDIT_CLIENT_ID": "id",
        "REDDIT_CLIENT_SECRET": "r-s3cret",
    }
    finished = project.ingest("--date", DAY, **addresses(loopback), **keys)
    assert dict(project.query("select source, count(*) > 10 from bronze.raw_items group by all")) == {
        "github": True, "stackoverflow": True, "reddit": True, "hackernews": True,
    }  # fmt: skip
    # GitHub gave 52 of the 101 it reported: said and recorded.
    assert finished.status == 0
    assert "WARNING: github: is:issue comments:>3, 2026-11-20: the service gave 52 of the 101 posts" in finished.output
    assert project.query("select distinct status, error from bronze.ingest_windows where source = 'github'") == [
        ("complete", "the service gave 52 of the 101 posts it reported")
    ]
    assert "s3cret" not in finished.output

    asked = {
        path: [request for request in loopback.requests if request.path == path]
        for path in ("/search/issues", "/questions")
    }
    assert {request.query["q"].split()[-1] for request in asked["/search/issues"]} == {
        f"created:{DAY}T00:00:00Z..{DAY}T23:59:59Z"
    }
    assert {request.headers["authorization"] for request in asked["/search/issues"]} == {"Bearer gh-s3cret"}
    # Several tags mean any of them: one series of requests a tag.
    assert {request.query["tagged"] for request in asked["/questions"]} == set(load_settings()["stackoverflow"].tags)
    assert all(request.headers["user-agent"].startswith("python:groundswell") for request in loopback.requests)


def test_a_source_that_refuses_stops_alone(project: Project, loopback: Loopback) -> None:
    def refuse_stack_overflow(request: Request) -> Answer:
        if request.path == "/questions":
            return Answer({"error_id": 403, "error_name": "access_denied", "error_message": "no"}, 400)
        return services(request)

    loopback.answer = refuse_stack_overflow
    finished = project.ingest(
        "--date", DAY, "--source", "stackoverflow", "--source", "hackernews", **addresses(loopback)
    )
    assert finished.status == 1
    tags = len(load_settings()["stackoverflow"].tags)
    refused = "Stack Exchange refuses (403: access_denied: no): check STACKEXCHANGE_KEY"
    assert f"ERROR: stackoverflow ended with {tags} windows to go: {refused}" in finished.output
    assert "Traceback" not in finished.output
    # What was under way at the same time, and nothing after that.
    assert len([request for request in loopback.requests if request.path == "/questions"]) <= tags
    assert project.query("select distinct source from bronze.raw_items") == [("hackernews",)]
    assert project.query("select distinct status from bronze.ingest_windows where source = 'stackoverflow'") == [
        ("failed",)
    ]


@pytest.mark.parametrize("total", [None, "many", {}, -1])
def test_a_total_that_is_no_number(project: Project, loopback: Loopback, total: Any) -> None:
    loopback.answer = lambda _: Answer({"items": [], "total_count": total})
    finished = project.ingest("--date", DAY, "--source", "github", **addresses(loopback))
    assert "Traceback" not in finished.output


@pytest.mark.parametrize("body", ["<html>503</html>", '{"hits": [', "[" * 100_000])
def test_an_answer_that_is_no_json(project: Project, loopback: Loopback, body: str) -> None:
    loopback.answer = lambda _: Answer(body)
    finished = project.ingest("--date", DAY, "--source", "hackernews", **addresses(loopback))
    assert finished.status == 1
    assert "something that is not JSON" in finished.output


def test_nobody_answers(project: Project) -> None:
    finished = project.ingest("--date", DAY, "--source", "github", GITHUB_API_URL="http://127.0.0.1:9")
    assert finished.status == 1
    assert "can not be reached" in finished.output
    assert "Traceback" not in finished.output


def test_reddit_is_off_without_credentials(project: Project, loopback: Loopback) -> None:
    missing = "REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET are not set"
    loopback.answer = services
    finished = project.ingest("--date", DAY, **addresses(loopback))
    assert finished.status == 0
    assert f"WARNING: reddit is off: {missing}" in finished.output
    assert not [request for request in loopback.requests if request.path.startswith(("/r/", "/api/"))]
    # Whoever asks for it by name is told so by the exit code, too.
    asked = project.ingest("--date", DAY, "--source", "reddit", **addresses(loopback))
    assert asked.status == 1
    assert f"ERROR: reddit: asked for with --source, but {missing}" in asked.output


def test_reddit_refuses_with_status_200(project: Project, loopback: Loopback) -> None:
    loopback.answer = lambda _: Answer({"error": "invalid_grant"})
    keys = {"REDDIT_CLIENT_ID": "id", "REDDIT_CLIENT_SECRET": "s3cret"}
    finished = project.ingest("--date", DAY, "--source", "reddit", **addresses(loopback), **keys)
    assert finished.status == 1
    assert "refused REDDIT_CLIENT_ID: invalid_grant" in finished.output


def test_a_person_says_in_plain_words_what_to_collect(project: Project, loopback: Loopback, tmp_path: Path) -> None:
    settings = tmp_path / "mine.yml"
    settings.write_text(
        "github: {repositories: [dbt-labs/dbt-core], organisations: [DuckDB]}\n"
        "hackernews: {keywords: [login   loop]}\n"
        "stackoverflow: {tags: [python], enabled: false}\n"
        "reddit:\n"
    )
    here = addresses(loopback) | {"INGEST_SOURCES": str(settings)}
    loopback.answer = services
    finished = project.ingest("--date", DAY, **here)
    assert finished.status == 0, finished.output
    day = f"created:{DAY}T00:00:00Z..{DAY}T23:59:59Z"
    searches = {request.query["q"] for request in loopback.requests if request.path == "/search/issues"}
    assert searches == {f"is:issue repo:dbt-labs/dbt-core {day}", f"is:issue org:duckdb {day}"}
    [phrase] = [request.query for request in loopback.requests if request.path == "/search_by_date"]
    assert phrase["query"] == '"login loop"'
    assert (phrase["tags"], phrase["typoTolerance"]) == ("(story,poll,job,comment)", "false")
    # What the settings leave out is not mentioned; whoever asks for it by name is told why.
    assert "stackoverflow" not in finished.output
    assert "reddit" not in finished.output
    asked = project.ingest("--date", DAY, "--source", "stackoverflow", "--source", "reddit", **here)
    assert asked.status == 1
    assert f"ERROR: stackoverflow: asked for with --source, but stackoverflow.enabled is false in {settings}" in (
        asked.output
    )
    assert f"ERROR: reddit: asked for with --source, but section reddit of {settings} lists nothing" in asked.output

    # What a killed run has left of a source that is off now is closed: no later run goes on with it.
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("update bronze.ingest_windows set status = 'pending' where source = 'github'")
    settings.write_text("github: {enabled: false}\nhackernews: {keywords: [login loop]}\n")
    assert project.ingest("--date", DAY, **here).status == 0
    statuses = project.query("select distinct status, error from bronze.ingest_windows where source = 'github'")
    assert statuses == [("failed", "not read to its end, and no longer in the settings")]

    settings.write_text("reddit: {subreddit: [a], subreddits: [r/b]}\n")
    wrong = project.ingest("--date", DAY, **here)
    assert wrong.status == 1
    assert wrong.output.splitlines() == [
        f"ERROR: {settings}: reddit.subreddits.0: write the name alone, without r/: 2 to 21 letters, digits and _",
        f"ERROR: {settings}: reddit.subreddit: there is no such key: did you mean subreddits?",
    ]
    settings.write_text("")
    nothing = project.ingest("--date", DAY, **here)
    assert nothing.status == 1
    assert "ERROR: no source is on" in nothing.output


def test_the_tables_are_those_that_dbt_declares(project: Project) -> None:
    import yaml

    project.ingest("--date", DAY, "--replay", str(SAMPLE))
    document = yaml.safe_load((ROOT / "models" / "bronze" / "bronze.yml").read_text())
    declared = {
        table["name"]: sorted(column["name"] for column in table["columns"])
        for table in document["sources"][0]["tables"]
        # A build makes the others.
        if table["config"].get("meta", {}).get("written_by") != "dbt"
    }
    made = project.query(
        "select table_name, list_sort(list(column_name)) from duckdb_columns()"
        " where schema_name = 'bronze' group by all"
    )
    assert dict(made) == declared


RECORDED = os.environ.get("GROUNDSWELL_PAYLOADS")
# Refusals, tokens, another API of Hacker News (Firebase), a page of comments.
NO_POSTS = ("error_", "oauth_", "firebase_", "perceval_abuse", "perceval_rate", "listing_prawcore_request__raw_json")


@pytest.mark.skipif(not RECORDED, reason="GROUNDSWELL_PAYLOADS names no folder of recorded responses")
@pytest.mark.parametrize("name", list(sources()))
def test_every_recorded_post_is_read(name: str) -> None:
    read = 0
    for path in sorted(Path(RECORDED or "", name).glob("*.json")):
        payload = json.loads(path.read_bytes())
        if path.name.endswith(".meta.json") or path.name.startswith(NO_POSTS) or "access_token" in payload:
            continue
        # Some are lists of entries, cut out of responses; some of those stand in an envelope.
        if isinstance(payload, list):
            entries = [entry["data"] if "perceval_version" in entry else entry for entry in payload]
            parsed = parse_entries(entries, import_module(f"ingest.sources.{name}").to_item)
        else:
            parsed = sources()[name].parse(payload)
        assert not parsed.rejected, path
        read += len(parsed.items)
    assert read
