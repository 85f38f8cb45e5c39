# ruff: noqa: E501  (a row of a dump is one line)
"""Importing files: every format in every packing, what is refused, what is kept of bad entries, and a killed import.

The samples are written in the image of real ones (docs/collecting-files.md names where those are described).
"""

import bz2
import csv
import gzip
import hashlib
import hmac
import io
import json
import logging
import lzma
import math
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import py7zr
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from groundswell import database as database_module
from groundswell.database import DatabaseError, connect, database_path
from ingest import bulk, files, forget, item, reading
from ingest.errors import IngestError
from ingest.files import Wanted, import_files, parse_columns
from ingest.report import Report
from ingest.store import open_store, row_of, table_of
from ingest.usual import usual_columns
from tests.support.project import ROOT

# A name that must not be found in the database, wherever a format holds names.
NAME = "zaphod-quux"
DAY = date(2026, 11, 20)
NOON = 1_795_176_000  # 2026-11-20 12:00 UTC

Ingest = Callable[..., Report]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    monkeypatch.setenv("GROUNDSWELL_DB", str(tmp_path / "posts.duckdb"))
    monkeypatch.setenv("AUTHOR_SALT", "salt")
    with open_store() as connection:
        yield connection


@pytest.fixture
def ingest(database: duckdb.DuckDBPyConnection) -> Ingest:
    def run(path: Path | str, **wanted: Any) -> Report:
        [report] = import_files(database, [str(path)], Wanted(**wanted), Console(file=io.StringIO()))
        return report

    return run


def rows(database: duckdb.DuckDBPyConnection, columns: str = "url, title, body") -> list[tuple[Any, ...]]:
    return database.execute(f"select {columns} from bronze.raw_items order by url").fetchall()


def own(number: int, **more: Any) -> dict[str, Any]:
    return {
        "source": "github",
        "url": f"https://github.com/a/b/issues/{number}",
        "title": f"Build {number} fails",
        "body": "It näver ends\nat all",
        "author": NAME,
        "created_at": "2026-11-20T08:00:00Z",
    } | more


def lines(*entries: Any) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


# --- packings ----------------------------------------------------------------------------------------------------


def long_window(data: bytes) -> bytes:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 31,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    return zstd.compress(data, options=options)


def in_7z(data: bytes) -> bytes:
    packed = io.BytesIO()
    with py7zr.SevenZipFile(packed, "w") as archive:
        archive.writestr(data, "posts.jsonl")
    return packed.getvalue()


def in_zip(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("posts.jsonl", data)
        archive.writestr("__MACOSX/._posts.jsonl", b"\0")
    return packed.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "gz of two parts": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
    "zst of two frames": lambda data: zstd.compress(data[:100]) + zstd.compress(data[100:]),
    "zst with a window of 2 GB": long_window,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "7z": in_7z,
    "zip": in_zip,
    "zst in gz": lambda data: gzip.compress(zstd.compress(data)),
    "with a mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-16, other order, no mark": lambda data: data.decode().encode("utf-16-be"),
    "Windows line ends": lambda data: data.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_packing_is_told_by_its_first_bytes(
    packing: str, tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    entries = [own(number) for number in range(50)]
    text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries).encode()
    file = tmp_path / "posts.without-an-ending"
    file.write_bytes(PACKINGS[packing](text))
    assert ingest(file).stored.new == 50
    assert not (tmp_path / "posts.without-an-ending").with_suffix(".jsonl").exists()
    assert sorted(rows(database)) == sorted((post["url"], post["title"], post["body"]) for post in entries)
    assert ingest(file).stored.unchanged == 50


# --- formats -----------------------------------------------------------------------------------------------------


def event(number: int, kind: str = "IssuesEvent", action: str = "opened", **issue: Any) -> dict[str, Any]:
    """An event of GH Archive."""
    return {
        "id": str(number),
        "type": kind,
        "actor": {"id": 7, "login": NAME, "display_login": NAME, "avatar_url": f"https://avatars.example/{NAME}"},
        "repo": {"id": 1, "name": "a/b", "url": "https://api.github.com/repos/a/b"},
        "payload": {
            "action": action,
            "issue": {
                "html_url": f"https://github.com/a/b/issues/{number}",
                "number": number,
                "title": "Crash at start",
                "user": {"login": NAME, "id": 7},
                "body": "It crashes",
                "created_at": "2026-11-20T08:00:00Z",
                "comments": 0,
                "reactions": {"total_count": 2},
            }
            | issue,
        },
        "public": True,
        "created_at": "2026-11-20T08:00:01Z",
    }


def submission(name: str, **more: Any) -> dict[str, Any]:
    """A post of Pushshift or Arctic Shift."""
    return {
        "id": name,
        "author": NAME,
        "author_fullname": f"t2_{NAME}",
        "author_flair_text": NAME,
        "created_utc": NOON,
        "title": "The export loses pages",
        "selftext": "Every time",
        "permalink": f"/r/x/comments/{name}/the_export/",
        "subreddit": "x",
        "num_comments": 3,
        "score": 5,
    } | more


def story(number: int, **more: Any) -> dict[str, Any]:
    """An item of Hacker News as Firebase gives it."""
    return {
        "by": NAME,
        "descendants": 3,
        "id": number,
        "kids": [number + 1],
        "score": 5,
        "time": NOON,
        "title": "Ask HN: Why is CI slow?",
        "type": "story",
        "url": "https://example.com/article",
    } | more


def node(number: int, **more: Any) -> dict[str, Any]:
    """An issue as `gh issue list --json` prints it."""
    return {
        "number": number,
        "url": f"https://github.com/a/b/issues/{number}",
        "title": "Build fails",
        "body": "",
        "createdAt": "2026-11-20T08:00:00Z",
        "author": {"id": "x", "is_bot": False, "login": NAME, "name": NAME},
        "comments": [{"id": "y", "author": {"login": NAME}, "body": "Same here"}],
        "reactionGroups": [{"content": "THUMBS_UP", "users": {"totalCount": 2}}],
    } | more


QUESTIONS = f"""\ufeff<?xml version="1.0" encoding="utf-8"?>
<posts>
  <row Id="4" PostTypeId="1" CreationDate="2026-11-20T08:00:00.123" Score="3" ViewCount="9" Body="&lt;p&gt;It fails&lt;/p&gt;&#xA;" OwnerUserId="8" LastEditorDisplayName="{NAME}" Title="How &quot;so&quot;?" Tags="&lt;python&gt;&lt;c#&gt;" AnswerCount="2" ContentLicense="CC BY-SA 4.0" />
  <row Id="5" PostTypeId="2" ParentId="4" CreationDate="2026-11-20T08:00:00.123" Score="3" Body="an answer" OwnerUserId="8" />
  <row Id="6" PostTypeId="1" CreationDate="2026-11-20T08:00:00.123" Score="-3" Body="b" OwnerDisplayName="{NAME}" Title="By a deleted account" Tags="|python|c#|" AnswerCount="0" />
</posts>
""".encode()


def as_csv(entries: list[dict[str, Any]], delimiter: str = ",", **form: Any) -> bytes:
    text, names = io.StringIO(), list(dict.fromkeys(key for entry in entries for key in entry))
    writer = csv.DictWriter(text, names, delimiter=delimiter, **form)
    writer.writeheader()
    writer.writerows(entries)
    return text.getvalue().encode()


def as_parquet(entries: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(entries), file, row_group_size=2)
    return file.getvalue()


MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HN = "https://news.ycombinator.com/item?id="
GITHUB = "https://github.com/a/b/issues/"
# The bytes of a file; the addresses of its posts; entries that are skipped.
FORMATS: dict[str, tuple[bytes, list[str], int]] = {
    "JSON array": (json.dumps([own(1), own(2)]).encode(), [GITHUB + "1", GITHUB + "2"], 0),
    "indented array": (json.dumps([own(1), own(2)], indent=1).encode(), [GITHUB + "1", GITHUB + "2"], 0),
    "indented values": ("\n".join(json.dumps(own(n), indent=1) for n in (1, 2)).encode(), [GITHUB + "1", GITHUB + "2"], 0),
    "sources in people's spelling": (
        lines(own(1, source="GitHub"), own(1, source="Hacker News", url=HN + "1"), own(1, source="StackOverflow", url="https://stackoverflow.com/q/1")),
        [GITHUB + "1", HN + "1", "https://stackoverflow.com/questions/1"],
        0,
    ),
    "one value": (json.dumps(own(1)).encode(), [GITHUB + "1"], 0),
    "CSV": (as_csv([own(1), own(2)]), [GITHUB + "1", GITHUB + "2"], 0),
    "TSV": (as_csv([own(1), own(2)], "\t"), [GITHUB + "1", GITHUB + "2"], 0),
    "CSV of Excel": ("\ufeff".encode() + as_csv([own(1)], ";").replace(b"\n", b"\r\n"), [GITHUB + "1"], 0),
    "CSV with other names": (
        as_csv([{"Id": 1, "Headline": "It fails", "Link": GITHUB + "1", "Post Date": "x", "Created UTC": "11/20/2026 8:05", "Username": NAME, "Upvotes": "3.0", "Comments": ""}]),
        [GITHUB + "1"],
        0,
    ),
    "Parquet": (as_parquet([own(1), own(2), own(3)]), [GITHUB + n for n in "123"], 0),
    "Parquet with times": (as_parquet([own(1, created_at=MOMENT)]), [GITHUB + "1"], 0),
    "GH Archive": (
        lines(event(1), event(2, action="closed"), event(3, "PushEvent"), event(4, pull_request={"html_url": "x"})),
        [GITHUB + "1"],
        3,
    ),
    "GH Archive, trimmed": (
        lines(event(1, html_url=None, user=None, created_at=None), event(2, title=None, body=None)),
        [GITHUB + "1"],
        1,
    ),
    "GH Archive of BigQuery": (
        lines(event(1) | {"payload": json.dumps(event(1)["payload"])}), [GITHUB + "1"], 0,
    ),
    "GitHub issues": (
        json.dumps([event(1)["payload"]["issue"], event(2)["payload"]["issue"] | {"pull_request": {"html_url": "x"}}]).encode(),
        [GITHUB + "1"],
        1,
    ),
    "gh issue list": (
        json.dumps([node(1), node(2, author={"is_bot": True, "login": "app/dependabot"}), node(3, url=GITHUB.replace("issues", "pull") + "3")]).encode(),
        [GITHUB + "1", GITHUB + "2"],
        1,
    ),
    "GitHub's GraphQL": (
        json.dumps({"data": {"repository": {"issues": {"nodes": [node(1, comments={"totalCount": 1}, reactionGroups=None, reactions={"totalCount": 2})]}}}}).encode(),
        [GITHUB + "1"],
        0,
    ),
    "Perceval": (
        lines({"backend_name": "GitHub", "category": "issue", "data": event(1)["payload"]["issue"], "origin": "https://github.com/a/b"}),
        [GITHUB + "1"],
        0,
    ),
    "Elasticsearch": (lines({"_index": "posts", "_id": "1", "_source": own(1)}), [GITHUB + "1"], 0),
    "JSON of pandas, by column": (
        json.dumps({"link": {"0": GITHUB + "1", "1": GITHUB + "2"}, "title": {"0": "a", "1": "b"}, "date": {"0": NOON * 1000, "1": NOON * 1000}, "user": {"0": NAME, "1": NAME}}).encode(),
        [GITHUB + "1", GITHUB + "2"],
        0,
    ),
    "CSV with the mark of Excel": (b"sep=;\r\n" + as_csv([own(1)], ";"), [GITHUB + "1"], 0),
    "CSV of Spark": (
        as_csv([own(1, title='It says "no"', body='"no", twice'), own(2, title='a "b" c')], doublequote=False, escapechar="\\"),
        [GITHUB + "1", GITHUB + "2"],
        0,
    ),
    "Parquet with texts as bytes": (
        as_parquet([{name: value.encode() for name, value in own(1).items()}]), [GITHUB + "1"], 0,
    ),
    "GitHub search": (json.dumps({"total_count": 1, "items": [event(1)["payload"]["issue"]]}).encode(), [GITHUB + "1"], 0),
    "Arctic Shift": (
        lines(
            submission("a"),
            submission("b", selftext="[removed]"),
            submission("c", removed_by_category="moderator"),
            submission("d", _meta={"removal_type": "deleted"}),
            submission("e", permalink=None, created_utc=str(NOON)),
            submission("f", permalink="https://www.reddit.com/r/x/comments/f/the_export/"),
            {"id": "k", "body": "a comment", "created_utc": NOON, "subreddit": "x", "link_id": "t3_a"},
        ),
        [
            "https://www.reddit.com/comments/e/",
            "https://www.reddit.com/r/x/comments/a/the_export/",
            "https://www.reddit.com/r/x/comments/f/the_export/",
        ],
        4,
    ),
    "Arctic Shift's API": (json.dumps({"data": [submission("a")]}).encode(), ["https://www.reddit.com/r/x/comments/a/the_export/"], 0),
    "a page of Reddit": (
        json.dumps([{"kind": "Listing", "data": {"children": [{"kind": "t3", "data": submission("a")}]}},
                    {"kind": "Listing", "data": {"children": [{"kind": "t1", "data": {"body": "b"}}]}}]).encode(),
        ["https://www.reddit.com/r/x/comments/a/the_export/"],
        1,
    ),
    "Stack Exchange": (QUESTIONS, ["https://stackoverflow.com/questions/4", "https://stackoverflow.com/questions/6"], 1),
    "Stack Exchange of BigQuery": (
        as_csv([{"id": 4, "title": "How?", "body": "b", "creation_date": "2026-11-20 08:00:00.5 UTC", "score": 1, "owner_display_name": NAME, "post_type_id": 1, "tags": "a|b"}]),
        ["https://stackoverflow.com/questions/4"],
        0,
    ),
    "Stack Exchange of Kaggle": (
        as_csv([{"Id": 4, "OwnerUserId": "8.0", "CreationDate": "2026-11-20T08:00:00Z", "ClosedDate": "NA", "Score": 1, "Title": "How?", "Body": "b"}]),
        ["https://stackoverflow.com/questions/4"],
        0,
    ),
    "Stack Exchange of Excel": (
        as_csv([{f"Attribute:{name}": value for name, value in {"Id": 4, "PostTypeId": 1, "CreationDate": "2026-11-20T08:00:00.1", "Score": 1, "Body": "b", "OwnerUserId": 8, "Title": "How?", "Tags": "a"}.items()}]),
        ["https://stackoverflow.com/questions/4"],
        0,
    ),
    "a table of PRAW's objects": (
        as_csv([{"id": "t3_a", "title": "It fails", "body": "Every time", "subreddit": "x", "author": NAME, "score": 3, "url": "https://i.redd.it/a.png", "created_utc": "2026-11-20"}]),
        ["https://www.reddit.com/comments/a/"],
        0,
    ),
    "Reddit of Kaggle": (
        as_csv([
            {"title": "It fails", "score": 3, "id": "a", "url": "https://v.redd.it/a", "comms_num": 4, "created": float(NOON), "body": "", "timestamp": "2026-11-20 14:00:00", "author": NAME},
            {"title": "Comment", "score": 3, "id": "b", "url": "", "comms_num": 0, "created": float(NOON), "body": "c", "timestamp": "2026-11-20 14:00:00", "author": NAME},
        ]),
        ["https://www.reddit.com/comments/a/"],
        1,
    ),
    "Reddit's copy of one's own posts": (
        as_csv([{"id": "a", "permalink": "https://www.reddit.com/r/x/comments/a/t/", "date": "2026-11-20 10:00:00 UTC", "ip": "", "subreddit": "x", "title": "It fails", "url": "https://i.redd.it/a.png", "body": "", "author": NAME}]),
        ["https://www.reddit.com/r/x/comments/a/t/"],
        0,
    ),
    "Lobsters": (
        json.dumps([{"short_id": "abc1", "created_at": "2026-11-20T08:00:00.000-06:00", "title": "t", "url": "https://example.com/", "score": 3, "comment_count": 2, "description": "", "comments_url": "https://lobste.rs/s/abc1/t", "submitter_user": NAME}]).encode(),
        ["https://lobste.rs/s/abc1"],
        0,
    ),
    "an item of Algolia": (
        json.dumps({"id": 1, "created_at": "2026-11-20T08:00:00.000Z", "created_at_i": NOON, "type": "story", "author": NAME, "title": "t", "url": "https://example.com/", "text": None, "points": 5, "children": [{"id": 2, "type": "comment", "author": NAME}]}).encode(),
        [HN + "1"],
        0,
    ),
    "a table of issues": (
        as_csv([{"issue_id": 1, "issue_title": "It fails", "created_at": "2026-11-20T08:52:41Z", "Author": NAME, "Issue URL": GITHUB + "1"}]),
        [GITHUB + "1"],
        0,
    ),
    "Stack Exchange of BigQuery, JSON": (
        lines({"id": "4", "title": "How?", "body": "b", "creation_date": "2026-11-20 08:00:00.5 UTC", "score": "1", "owner_display_name": NAME, "tags": "a|b"}),
        ["https://stackoverflow.com/questions/4"],
        0,
    ),
    "Stack Exchange's API": (
        json.dumps({"items": [{"question_id": 4, "title": "How?", "body": "b", "creation_date": NOON, "owner": {"display_name": NAME}}]}).encode(),
        ["https://stackoverflow.com/questions/4"],
        0,
    ),
    "Firebase": (
        lines(
            story(1), None, story(2, type="comment", text="c", title=None), story(3, dead=True),
            {"deleted": True, "id": 4, "time": NOON, "type": "story"}, story(5, type="job"), story(6, title="[flagged]"),
        ),
        [HN + "1", HN + "5"],
        5,
    ),
    "Hacker News of BigQuery": (
        as_csv([
            {"title": "t", "url": "", "text": "x", "dead": "", "by": NAME, "score": "3", "time": NOON, "timestamp": "2026-11-20 12:00:00 UTC", "type": "story", "id": "1", "parent": "", "descendants": "", "ranking": "", "deleted": ""},
            {"title": "", "url": "", "text": "x", "dead": "true", "by": NAME, "score": "3", "time": NOON, "timestamp": "2026-11-20 12:00:00 UTC", "type": "story", "id": "2", "parent": "", "descendants": "", "ranking": "", "deleted": ""},
        ]),
        [HN + "1"],
        1,
    ),
    "Hacker News of Hugging Face": (
        as_parquet([story(1, time=MOMENT, score=5.0, descendants=None, dead=None), story(2, time=MOMENT, type="comment")]),
        [HN + "1"],
        1,
    ),
    "Hacker News of Hugging Face, seconds": (
        as_csv([{"id": 1, "title": "t", "url": "https://example.com/", "score": 1, "time": NOON, "comments": 0, "author": NAME}]),
        [HN + "1"],
        0,
    ),
    "Hacker News of ClickHouse": (
        as_parquet([story(1, type=1, title=b"t", by=NAME.encode(), deleted=0, dead=0), story(2, type=2, title=b"", by=b"", deleted=0, dead=0)]),
        [HN + "1"],
        1,
    ),
    "Hacker News of Kaggle": (
        as_csv([{"id": 1, "title": "t", "url": "https://example.com/", "num_points": 1, "num_comments": 2, "author": NAME, "created_at": "11/20/2026 8:05"}]),
        [HN + "1"],
        0,
    ),
    "Algolia": (
        json.dumps({"hits": [
            {"objectID": "1", "title": "t", "created_at": "2026-11-20T12:00:00Z", "author": NAME, "_tags": [f"author_{NAME}"]},
            {"objectID": "2", "comment_text": "c", "created_at": "2026-11-20T12:00:00Z", "author": NAME},
        ], "nbHits": 2}).encode(),
        [HN + "1"],
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_told_by_its_content(
    name: str, tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    content, urls, skipped = FORMATS[name]
    file = tmp_path / "unnamed"
    file.write_bytes(content)
    report = ingest(file)
    assert report.rejected == []
    assert [url for (url,) in rows(database, "url")] == urls
    assert report.skipped == skipped
    # Every post says something, has its day, and its author is a hash.
    assert rows(database, "distinct collection_date, author_hash is not null, title is not null") == [(DAY, True, True)]
    assert NAME.encode() not in database_bytes(database, tmp_path)


def database_bytes(database: duckdb.DuckDBPyConnection, folder: Path) -> bytes:
    database.execute("checkpoint")
    return (folder / "posts.duckdb").read_bytes()


def test_the_text_of_a_table_of_reddit_is_kept(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    table = FORMATS["a table of PRAW's objects"][0]
    for text in (table, table.replace(b"t3_a", b"t3_b").replace(b",body,", b",text,")):
        (tmp_path / "posts").write_bytes(text)
        ingest(tmp_path / "posts")
    assert rows(database, "title, body") == [("It fails", "Every time")] * 2


def test_a_dump_whose_site_is_not_named_says_so(
    tmp_path: Path, ingest: Ingest, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "Posts.xml").write_bytes(QUESTIONS)
    with caplog.at_level(logging.INFO, "groundswell.ingest"):
        ingest(tmp_path / "Posts.xml")
    assert "whose site no name tells: taken for stackoverflow.com" in caplog.text


def test_fields_are_read_as_the_format_means_them(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    for name in ("Stack Exchange", "CSV with other names", "Firebase"):
        (tmp_path / name).write_bytes(FORMATS[name][0])
        ingest(tmp_path / name)
    found = {url: values for url, *values in rows(database, "url, title, body, comment_count, vote_count, created_at")}
    moment = datetime(2026, 11, 20, 8)  # noqa: DTZ001  (the table's times have no zone)
    assert found["https://stackoverflow.com/questions/4"] == ['How "so"?', "<p>It fails</p>\n", 2, 3, moment]
    assert found[GITHUB + "1"] == ["It fails", None, None, 3, moment.replace(minute=5)]
    assert found[HN + "1"] == ["Ask HN: Why is CI slow?", None, 3, 5, moment.replace(hour=12)]


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_dump_is_read_without_the_characters_that_xml_forbids(size: int) -> None:
    """A control character in a question of apple.stackexchange.com ended the import there (openzim/sotoki#311)."""
    dump = b'<posts><row Body="a&#x0E;b&#XFFFF;\x01&#xd83D;&#11;c&#xA;&#x1F600;&amp;#x1;&#10;&" /></posts>'.replace(
        b'&"', b'"'
    )
    permitted = reading.Permitted(io.BytesIO(dump))
    text = b"".join(iter(lambda: permitted.read(size), b""))
    assert text == b'<posts><row Body="abc&#xA;&#x1F600;&amp;#x1;&#10;" /></posts>'
    assert [row for _, row in reading.read_rows(io.BytesIO(dump))] == [{"body": "abc\n\N{GRINNING FACE}&#x1;\n"}]


def test_quotes_are_read_as_the_table_writes_them(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    (tmp_path / "spark").write_bytes(FORMATS["CSV of Spark"][0])
    ingest(tmp_path / "spark")
    assert rows(database, "title") == [('It says "no"',), ('a "b" c',)]
    # A backslash at the end of a field is none of these.
    (tmp_path / "paths").write_bytes(as_csv([own(1, title="C:\\temp\\"), own(2, title='"\\"')]))
    ingest(tmp_path / "paths")
    assert rows(database, "title") == [("C:\\temp\\",), ('"\\"',)]


def test_the_counts_of_gh_are_lists_and_groups(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    for name in ("gh issue list", "GitHub's GraphQL"):
        (tmp_path / name).write_bytes(FORMATS[name][0])
        ingest(tmp_path / name)
        assert rows(database, "comment_count, vote_count")[0] == (1, 2)


def test_a_dump_of_another_stack_exchange_site_has_that_site_in_its_addresses(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    with py7zr.SevenZipFile(tmp_path / "superuser.com.7z", "w") as archive:
        archive.writestr(b"<users/>", "Users.xml")
        archive.writestr(QUESTIONS, "Posts.xml")
    ingest(tmp_path / "superuser.com.7z")
    assert [url for (url,) in rows(database, "url")] == [f"https://superuser.com/questions/{n}" for n in (4, 6)]


# --- what the user says ------------------------------------------------------------------------------------------


def test_columns_days_and_sources_are_the_users_choice(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    table = tmp_path / "posts.csv"
    table.write_text(
        "where,when,what,title\nhttps://example.com/1,2026-11-20,It fails,no\nhttps://example.com/2,2026-11-21,It is,no\n"
    )
    with pytest.raises(IngestError, match="a post needs an address, a time, and a title or text; it has: where, when"):
        ingest(table)
    chosen = {"url": "where", "created_at": "when", "title": "what"}
    with pytest.raises(IngestError, match="--columns body=text: there is no such column; there are where, when"):
        ingest(table, columns=chosen | {"body": "text"})
    with pytest.raises(
        IngestError, match=r"source=support: .* where, when, .* no such source; there are feeds, github"
    ):
        ingest(table, columns=chosen | {"source": "support"})
    with pytest.raises(IngestError, match="no column holds the source of a post, and no address is at a site"):
        ingest(table, columns=chosen)
    report = ingest(table, columns=chosen | {"source": "reddit"}, day=DAY)
    assert (report.stored.new, report.other_days) == (1, 1)
    assert rows(database, "source, title") == [("reddit", "It fails")]

    mixed = tmp_path / "mixed.jsonl"
    mixed.write_bytes(lines(own(1), story(1)))
    assert ingest(mixed, only=["hackernews"]).skipped == 1
    assert rows(database, "source") == [("reddit",), ("hackernews",)]
    assert parse_columns("title=headline, body=text") == {"title": "headline", "body": "text"}


def test_the_account_of_an_author_and_a_list_of_comments_are_read(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    # As GitLab's API and many forums give a post.
    post = {
        "web_url": "https://example.com/-/issues/1",
        "title": "It fails",
        "description": "Often.",
        "author": {"id": 7, "username": NAME},
        "created_at": "2026-11-20T08:00:00Z",
        "user_notes_count": 2,
        "upvotes": {"$numberInt": "3"},
    }
    other = post | {"web_url": "https://example.com/-/issues/2", "user_notes_count": [{"body": "Here, too"}] * 4}
    (tmp_path / "posts.json").write_text(json.dumps([post, other]))
    ingest(tmp_path / "posts.json", columns={"source": "feeds"})
    assert rows(database, "author_hash, comment_count, vote_count") == [
        (item.hash_author("feeds", NAME), 2, 3),
        (item.hash_author("feeds", NAME), 4, 3),
    ]


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("cp1252", "La connexion échoue après la mise à jour : n° 5 de la 2ª fois c’est gênant"),
        ("latin-1", "Anmeldung schlägt nach Änderung fehl"),
        ("cp1251", "Не могу войти в аккаунт после обновления"),
        ("koi8-r", "Не могу войти в аккаунт после обновления"),
        ("cp1253", "Δεν μπορώ να συνδεθώ μετά την ενημέρωση"),
        ("shift_jis", "ログインできない、更新後にエラーが出る"),
        ("gbk", "更新后无法登录，一直提示错误"),
        ("big5", "更新後無法登入，一直提示錯誤"),
        ("euc_kr", "업데이트 후 로그인할 수 없습니다"),
    ],
)
def test_a_table_is_read_in_its_encoding(
    encoding: str, title: str, tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    text = f"source,url,title,created_at\ngithub,{GITHUB}1,It fails,2026-11-20\ngithub,{GITHUB}2,{title},2026-11-20\n"
    (tmp_path / "posts.csv").write_bytes(text.encode(encoding))
    ingest(tmp_path / "posts.csv")
    assert rows(database, "title") == [("It fails",), (title,)]


def test_several_files_patterns_and_standard_input(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        (tmp_path / f"part-{number}.jsonl").write_bytes(lines(own(number)))
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    packed = as_parquet([own(3)])  # is read from its end, which a pipe can not
    if not (writer := os.fork()):
        fifo.write_bytes(packed)
        os._exit(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(lines(own(4))))))
    names = [str(tmp_path / "part-*.jsonl"), str(tmp_path / "missing"), str(fifo), "-"]
    reports = import_files(database, names, Wanted(), Console(file=io.StringIO()))
    os.waitpid(writer, 0)
    assert [report.stored.new for report in reports] == [1, 1, 0, 1, 1]
    assert reports[2].errors == [f"{tmp_path / 'missing'} is no file"]
    assert len(rows(database)) == 4
    with pytest.raises(IngestError, match="--file is empty: name a file, or - for standard input"):
        import_files(database, [""], Wanted(), Console(file=io.StringIO()))


# --- what is refused ---------------------------------------------------------------------------------------------

REFUSED = {
    "nothing": (b"", "is empty"),
    "white space": (b"\n \n", "is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "holds a picture"),
    "zeros": (bytes(5_000), "holds no text"),
    "a database": (b"SQLite format 3\0" + bytes(99), "holds a SQLite database"),
    "prose": (b"Dear all,\nit does not work.\n" * 99, "is no file of posts"),
    "a log": (b"2026-11-20 08:00:00 ERROR it fails\n" * 99, "neither JSON, CSV, Parquet nor a dump"),
    "another table": (b"city,inhabitants\nBern,134000\n", "it has: city, inhabitants"),
    "other JSON": (lines({"city": "Bern"}), "it has: city"),
    "a list of numbers": (b"[1, 2, 3]", "no object with fields can be read"),
    "a page": (b"<!doctype html><html></html>", "is XML or HTML, but neither a feed nor the Posts.xml"),
    "other XML": (b"<users><row Id='1'/></users>", "is XML or HTML, but neither a feed nor the Posts.xml"),
    "two files": (None, r"the archive holds 2 files \(a, b\)"),
    "packed prose": (gzip.compress(b"Dear all, it does not work.\n"), "neither JSON|a post needs"),
    "cut at once": (gzip.compress(lines(own(1)))[:8], "can not be read: "),
    "cut Parquet": (as_parquet([own(1)])[:-20], "can not be read: "),
    "cut 7z": (in_7z(lines(own(1)))[:-30], "can not be read: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_file_of_posts_is_refused_in_one_line_and_leaves_nothing(
    name: str, tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    content, says = REFUSED[name]
    file = tmp_path / "file"
    if content is None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a", "1")
            archive.writestr("b", "2")
    else:
        file.write_bytes(content)
    with pytest.raises(IngestError, match=says) as raised:
        ingest(file)
    assert len(str(raised.value).splitlines()) == 1
    for table in ("raw_items", "rejected_items", "unfinished_files"):
        assert database.execute(f"select count(*) from bronze.{table}").fetchall() == [(0,)]


# --- bad entries -------------------------------------------------------------------------------------------------


def test_no_name_is_kept_of_a_bad_entry(tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest) -> None:
    deep = b'{"source": "github", "url": "x", "body": ' + b'{"body":' * 900 + b"1" + b"}" * 901 + b"\n"
    broken: dict[str, bytes] = {
        "own": lines(own(1, created_at="yesterday", editor={"name": NAME}, tags=[NAME])),
        "events": lines(event(1), event(2, created_at="x", closed_by={"login": NAME}, assignees=[{"login": NAME}])),
        "reddit": lines(submission("a", created_utc="x", media={"oembed": {"author_name": NAME}})),
        "firebase": lines(story(1), story(2, id="x2")),
        "questions": QUESTIONS.replace(b'Id="4"', b'Id="x4"'),
        "table": as_csv([own(1, created_at="x")]) + f"{NAME},too,few\n".encode(),
        "open quote": as_csv([own(1)]) + b'github,https://example.com/9,"' + NAME.encode() * 1_000_000,
        "cut": lines(own(1)) + lines(own(2))[:-40] + b"\n" + f'[1, "{NAME}"\n{NAME}\n'.encode(),
        "algolia": lines({"objectID": "x", "title": "t", "created_at": "2026-11-20T12:00:00Z", "author": NAME}),
        "strange": lines(own(1), [NAME], NAME, {"who": NAME}, own(2, title={"user": {"login": NAME}})) + deep,
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
        assert ingest(tmp_path / name).failed, name
    kept = database.execute("select entry, reason from bronze.rejected_items").fetchall()
    assert len(kept) >= 14
    assert not [row for row in kept if NAME in f"{row}"]
    assert NAME.encode() not in database_bytes(database, tmp_path)
    # What says where the entry is, and what is wrong with it, stays.
    [(entry, reason)] = [row for row in kept if "reddit:1" in row[1]]
    assert json.loads(entry)["permalink"] == "/r/x/comments/a/the_export/"
    assert "created_at: a time is expected, as 2026-11-20T08:00:00Z" in reason
    [(entry, reason)] = [row for row in kept if "cut:2" in row[1]]
    assert entry == f"{tmp_path / 'cut'}, line 2: {len(lines(own(2))) - 39:,} characters"
    assert "not JSON: unexpected end of data at character 152" in reason
    # The same file again adds nothing.
    ingest(tmp_path / "strange")
    assert database.execute("select count(*) from bronze.rejected_items").fetchall() == [(len(kept),)]


def test_a_flood_of_bad_lines_is_counted_and_not_listed(tmp_path: Path, ingest: Ingest) -> None:
    (tmp_path / "posts").write_bytes(lines(own(0), *(own(n, source="twitter") for n in range(1, 1_501))))
    report = ingest(tmp_path / "posts")
    assert (len(report.rejected), report.unlisted_rejects, report.numbers()["rejected"]) == (1_000, 500, 1_500)


def test_the_last_version_of_a_post_in_a_file_counts(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "posts").write_bytes(lines(own(1, title="a"), own(1, title="b"), own(2), own(1, title="c")))
    report = ingest(tmp_path / "posts")
    assert (report.stored.new, report.repeated) == (2, 2)
    monkeypatch.setattr(bulk, "BATCH", 2)
    (tmp_path / "posts").write_bytes(lines(own(1, title="d"), own(3), own(1, title="e")))
    ingest(tmp_path / "posts")
    assert rows(database, "title") == [("e",), ("Build 2 fails",), ("Build 3 fails",)]


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gz", "zst"])
def test_what_stands_before_the_damage_is_stored(
    pack: Callable[[bytes], bytes], tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    text = lines(*(own(number, body=os.urandom(300).hex()) for number in range(2_000)))
    packed = pack(text)
    (tmp_path / "posts").write_bytes(packed[: len(packed) // 2])
    report = ingest(tmp_path / "posts")
    assert 300 < report.stored.new < 1_500
    assert [error.split(":")[0] for error in report.errors] == ["can not be read"]
    assert report.rejected == []
    assert report.stored.new == len(rows(database))


@pytest.mark.parametrize(
    ("text", "says", "stored"),
    [
        (json.dumps([own(1), own(2)])[:-40], "it ends in the middle, after entry 1", 1),
        (json.dumps([own(1), own(2)])[:-1], "it ends in the middle, after entry 2", 2),
        ("[" + json.dumps(own(1)) + ', {"source": nobody}, ' + json.dumps(own(2)) + "]", "entry 2 is not JSON: Expecting", 1),
        (QUESTIONS.decode("utf-8-sig")[:-60], "it is not XML after entry 2", 1),
    ],
)  # fmt: skip
def test_a_text_that_breaks_off_is_read_as_far_as_it_goes(
    text: str, says: str, stored: int, tmp_path: Path, ingest: Ingest
) -> None:
    (tmp_path / "posts").write_text(text)
    report = ingest(tmp_path / "posts")
    assert report.stored.new == stored
    assert says in report.errors[0]


# --- size, and a kill --------------------------------------------------------------------------------------------


def test_entries_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PART", 7)
    entries = [own(number) for number in range(20)] + [{"nested": [[1], {"a": [2.5e3]}]}, "text", 12345678, None, True]
    for text in (json.dumps(entries), json.dumps(entries, indent=2), "\n".join(map(json.dumps, entries))):
        assert [entry for _, entry in reading.read_values(io.BytesIO(text.encode()))] == entries
    monkeypatch.setattr(reading, "LONGEST", 2_000)
    long = lines(own(1), own(2, body="x" * 5_000), own(3))
    found = [entry for _, entry in reading.read_lines(io.BytesIO(long))]
    assert [reading.loads(found[0]), reading.loads(found[2])] == [own(1), own(3)]
    assert found[1] == reading.Unreadable(len(lines(own(2, body="x" * 5_000))), "longer than 0 MB")
    with pytest.raises(IngestError, match="entry 1 is longer than"):
        list(reading.read_values(io.BytesIO(json.dumps([own(2, body="x" * 9_000)]).encode())))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["whole", "damaged"])
def test_small_batches_and_transactions_find_what_large_ones_find(
    pack: Callable[[bytes], bytes],
    tmp_path: Path,
    database: duckdb.DuckDBPyConnection,
    ingest: Ingest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd = [
        {"source": "x", "url": "y"},
        own(1),
        own(2, created_at="2026-11-19T08:00:00Z"),
        event(3),
        7,
        None,
        {"hits": [story(4), story(5)]},
    ]
    posts = [own(number % 900, body=os.urandom(300).hex()) for number in range(1, 1_000)]
    packed = pack(lines(*odd) + b"{broken\n" + lines(*posts))
    (tmp_path / "posts").write_bytes(packed if pack is bytes else packed[: len(packed) // 2])
    large = replace(ingest(tmp_path / "posts", day=DAY), elapsed=0)
    kept = rows(database, "* exclude (collected_at)")
    database.execute("truncate bronze.raw_items; truncate bronze.rejected_items; truncate bronze.unfinished_files")
    monkeypatch.setattr(bulk, "BATCH", 40)
    monkeypatch.setattr(files, "TRANSACTION_POSTS", 100)
    small = ingest(tmp_path / "posts", day=DAY)
    assert (large.fetched, large.skipped, large.other_days) == (small.fetched, small.skipped, small.other_days)
    assert (large.errors, large.stored.new) == (small.errors, small.stored.new)
    # Unreadable lines of the last batch before the damage count as part of it.
    assert large.rejected == small.rejected if pack is bytes else {*large.rejected} <= {*small.rejected}
    # The same version in another batch is an update.
    assert large.repeated == small.repeated + small.stored.updated == 2 + (99 if pack is bytes else 0)
    assert (small.errors == []) == (pack is bytes)
    assert "posts:1: source: " in small.rejected[0]
    assert rows(database, "* exclude (collected_at)") == kept


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_7z_archive_is_read_to_its_end_or_to_its_damage(
    is_damaged: bool, tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    # Longer than what is looked at: py7zr unpacks the rest while other processes read it.
    packed = bytearray(in_7z(lines(*(own(number, body=os.urandom(600).hex()) for number in range(3_000)))))
    if is_damaged:
        packed[-len(packed) // 4] ^= 0xFF
    (tmp_path / "posts").write_bytes(packed)
    report = ingest(tmp_path / "posts")
    assert (report.stored.new == 3_000) is not is_damaged
    assert report.stored.new > 500
    assert [error.split(":")[0] for error in report.errors] == ["can not be read"] * is_damaged
    assert report.stored.new == len(rows(database))


def test_an_import_that_is_killed_goes_on_and_doubles_nothing(tmp_path: Path) -> None:
    file, database = tmp_path / "posts.jsonl", tmp_path / "posts.duckdb"
    file.write_bytes(lines(*(own(number, body="x" * 200) for number in range(40_000))))
    environment = os.environ | {"GROUNDSWELL_DB": str(database), "PYTHONPATH": str(ROOT)}
    code = "import runpy; from ingest import files; files.TRANSACTION_POSTS = 1; runpy.run_module('ingest', run_name='__main__')"
    command = [sys.executable, "-c", code, "--file", str(file)]
    run = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    log = tmp_path / "posts.duckdb.wal"
    while run.poll() is None and not (log.exists() and log.stat().st_size > 1_000_000):
        time.sleep(0.005)
    run.kill()
    run.wait(timeout=60)
    with duckdb.connect(str(database)) as connection:
        [(stored,)] = connection.execute("select count(*) from bronze.raw_items").fetchall()
        [(done,)] = connection.execute("select coalesce(max(entries), 0) from bronze.unfinished_files").fetchall()
    assert stored == done < 40_000
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (f"goes on after {done:,} entries" in again.stderr) == (done > 0)
    with duckdb.connect(str(database)) as connection:
        counts = "select count(*), count(distinct url_hash) from bronze.raw_items"
        assert connection.execute(counts).fetchall() == [(40_000, 40_000)]
        assert connection.execute("select count(*) from bronze.unfinished_files").fetchall() == [(0,)]


def test_a_changed_post_leaves_the_posts_beside_it_where_they_are(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute(
        """
        insert into bronze.raw_items by name
        select i::text as url_hash, 'github' as source, date '2026-11-20' as collection_date,
            'https://github.com/a/b/issues/' || i as url, 'It fails' as title, timestamp '2026-11-20' as created_at,
            created_at as collected_at
        from range(100_000) as _(i)
        """
    )
    database.execute("checkpoint")
    written = "select block_id from pragma_storage_info('bronze.raw_items') where row_group_id = 0 and segment_type != 'VALIDITY' order by all"
    before = database.execute(written).fetchall()
    # The third post changes one that the same transaction has stored.
    monkeypatch.setattr(bulk, "BATCH", 2)
    address = "https://github.com/a/b/issues/"
    posts = [
        {"url": address + number, "title": title} for number, title in (("7", "a"), ("-", "b"), ("-", "c"), ("8", "d"))
    ]
    posts = [own(1, **post | {"url": post["url"].replace("-", "100000")}) for post in posts]
    (tmp_path / "posts").write_bytes(lines(*posts))
    assert ingest(tmp_path / "posts").stored == (1, 3, 0)
    database.execute("checkpoint")
    assert database.execute(written).fetchall() == before
    found = database.execute("select url_hash, title from bronze.raw_items where title != 'It fails' order by title")
    new = hashlib.sha256(f"{address}100000".encode()).hexdigest()
    assert found.fetchall() == [("7", "a"), (new, "c"), ("8", "d")]
    assert database.execute("select count(*) from bronze.raw_items").fetchall() == [(100_001,)]


def test_long_and_changed_posts_have_room_in_the_memory(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without checkpoints DuckDB would hold these texts, and those that were changed twice. The last ones are short, but
    # replace long ones.
    for words, expected in ((["one "] * 12_000, (2_000, 0, 0)), (["two "] * 12_000, (0, 2_000, 0)), (["short"], None)):
        if expected is None:
            # What a killed import leaves opens, also where the texts have no room in the memory of the check.
            monkeypatch.setattr(database_module, "READ_THROUGH_MEMORY", "40MB")
            for file in tmp_path.glob("posts.duckdb*"):
                shutil.copy(file, tmp_path / file.name.replace("posts", "copy"))
            with connect(str(tmp_path / "copy.duckdb")) as copy:
                assert copy.execute("select count(*) from bronze.raw_items").fetchall() == [(2_000,)]
            monkeypatch.setattr(files, "MEMORY", 100_000_000)
        posts = (own(number, body="".join(words)) for number in range(2_000))
        (tmp_path / "posts").write_bytes(lines(*posts))
        assert ingest(tmp_path / "posts").stored == (expected or (0, 2_000, 0))


def test_long_texts_have_room_when_the_file_is_written_anew(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.execute(
        """
        insert into bronze.raw_items by name
        select i::text as url_hash, 'github' as source, date '2026-11-20' as collection_date, i::text as url,
            i || repeat('It fails. ', 3000) as body, timestamp '2026-11-20' as created_at, created_at as collected_at
        from range(2100) as _(i)
        """
    )
    monkeypatch.setattr(forget, "REWRITE_MEMORY", "40MB")
    forget.rewrite(database)
    database.close()
    with duckdb.connect(database_path(), read_only=True) as written:
        [found] = written.execute("select count(*), min(length(body)) > 30000 from bronze.raw_items").fetchall()
    assert found == (2_100, True)


def test_a_database_that_fails_ends_the_import(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 10)
    (tmp_path / "posts").write_bytes(lines(*(own(number) for number in range(100))))
    database.execute("alter table bronze.raw_items rename to elsewhere")
    with pytest.raises(DatabaseError, match="raw_items"):
        ingest(tmp_path / "posts")
    database.execute("alter table bronze.elsewhere rename to raw_items")
    assert ingest(tmp_path / "posts").stored.new == 100


def test_an_import_that_is_interrupted_leaves_no_transaction_open(
    tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH", 10)
    (tmp_path / "posts").write_bytes(lines(*(own(number) for number in range(100))))

    def interrupted(posts: Sequence[Any]) -> Any:
        if own(50) in posts:
            raise KeyboardInterrupt
        return usual_columns(posts)

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "usual_columns", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ingest(tmp_path / "posts")
    # Over a lake, what is committed is published now, in a transaction.
    database.begin()
    database.rollback()
    assert rows(database) == []
    assert ingest(tmp_path / "posts").stored.new == 100


# --- odd files ---------------------------------------------------------------------------------------------------

SITE_FEED = b"""<?xml version="1.0"?>
<rss version="2.0"><channel><title>News</title><link>https://example.com/</link><item><title>It fails</title>
<link>https://example.com/1</link><pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate></item></channel></rss>"""
HEAD, ROW = b"source,url,title,created_at", f"github,{GITHUB}1,It fails,2026-11-20".encode()
XML = """<?xml version="1.0" encoding="utf-16"?>
<posts><row Id="1" PostTypeId="1" CreationDate="2026-11-20T08:00:00.000" Title="It fails"/></posts>"""


def zipped(**members: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), text)
    return packed.getvalue()


def tarred(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def item_of(number: int) -> dict[str, Any]:
    return {"by": NAME, "id": number, "time": NOON, "title": f"Story {number}", "type": "story", "score": 1}


def two_titles() -> bytes:
    columns = [["github"], [GITHUB + "1"], ["It fails"], ["Another"], ["2026-11-20"]]
    names = ["source", "url", "title", "title", "created_at"]
    file = io.BytesIO()
    pq.write_table(pa.table([pa.array(column) for column in columns], names=names), file)
    return file.getvalue()


# The file, and the titles of its posts, or what the one line says.
ODD: dict[str, tuple[bytes, list[str] | str]] = {
    "XML that says that it is UTF-16": (XML.encode("utf-16"), ["It fails"]),
    "columns without names": (HEAD + b",,\n" + ROW + b",,\n", ["It fails"]),
    "two columns of one name": (HEAD + b",title\n" + ROW + b",Another\n", ["It fails"]),
    "Parquet, two columns of one name": (two_titles(), ["It fails"]),
    "tabs, and quotes that are nothing but quotes": (
        (HEAD + b"\n" + ROW.replace(b"It", b'"It') + b"\n" + ROW.replace(b"1", b"2", 1)).replace(b",", b"\t"),
        ['"It fails', "It fails"],
    ),
    "comments within a post of unknown columns": (
        json.dumps(
            {"permalink": "https://github.com/o/r/issues/1", "when": "2026-11-20", "comments": [own(1)]}
        ).encode(),
        "a post needs an address",
    ),
    "a list within an object": (json.dumps({"meta": {"count": 1}, "posts": [own(1)]}).encode(), ["Build 1 fails"]),
    "a list within two objects": (
        json.dumps({"response": {"results": [own(1), own(2)]}}).encode(),
        ["Build 1 fails", "Build 2 fails"],
    ),
    "an id as pandas writes it": (
        b"id,type,by,time,title,text,score,descendants\n7.0,story,x,1795000000.0,It fails,,3.0,nan\n",
        ["It fails"],
    ),
    "a submission without an id": (
        lines(submission("a"), submission("b") | {"id": None, "permalink": None}),
        ["The export loses pages"],
    ),
    "bytes after the end of gz": (gzip.compress(lines(own(1))) + b"more", ["Build 1 fails"]),
    "a file of the system in a zip": (zipped(a_jsonl=lines(own(1)).decode(), _DS_Store="x"), ["Build 1 fails"]),
    "an Excel workbook": (zipped(xl__workbook_xml="<x/>"), "save its table as CSV"),
    "an empty zip": (b"PK\x05\x06" + bytes(18), "the archive is empty"),
    "a table with other names": (
        b"Source,URL,Title,Created At,Due\n" + ROW + b",05/06/2026\n",
        ["It fails"],
    ),
    "two files with marks in one": (
        b"\xef\xbb\xbf" + lines(own(1)) + b"\xef\xbb\xbf" + lines(own(2)),
        ["Build 1 fails", "Build 2 fails"],
    ),
    "UTF-32": ((HEAD + b"\n" + ROW).decode().encode("utf-32"), ["It fails"]),
    "UTF-32 without a mark": ((HEAD + b"\n" + ROW).decode().encode("utf-32-le"), ["It fails"]),
    "UTF-32 without a mark, the other way round": (lines(own(1)).decode().encode("utf-32-be"), ["Build 1 fails"]),
    "a title above a header": (b"Posts of November\n\n" + HEAD + b"\n" + ROW, ["It fails"]),
    "a title in a row of a spreadsheet": (
        b'"Posts, by day";;;\r\n' + (HEAD + b"\r\n" + ROW).replace(b",", b";"),
        ["It fails"],
    ),
    "a text of five lines": (b"It fails.\nAgain,\nand again\nand\nnow, too\n", "is no file of posts"),
    "blank lines before a header": (b"\n\r\n  \n" + HEAD + b"\n\n" + ROW + b"\n", ["It fails"]),
    "a first line that is longer than what is looked at": (
        lines(own(1, body="long " * 300_000), own(2)),
        ["Build 1 fails", "Build 2 fails"],
    ),
    "lines that end as on old Macs": (
        lines(own(1), own(2)).replace(b"\n", b"\r"),
        ["Build 1 fails", "Build 2 fails"],
    ),
    "Firebase's export, by number": (
        json.dumps({str(number): item_of(number) for number in (1, 2)}).encode(),
        ["1", "2"],
    ),
    "columns once, then rows, as pandas writes them": (
        json.dumps({"columns": [*own(1)], "index": [0], "data": [[*own(1).values()]]}).encode(),
        ["Build 1 fails"],
    ),
    "columns once, then rows, as Datasette writes them": (
        json.dumps({"columns": [*own(1)], "rows": [[*own(1).values()], [*own(2).values()]]}).encode(),
        ["Build 1 fails", "Build 2 fails"],
    ),
    "counts of MongoDB": (lines(own(1, vote_count={"$numberInt": "3"})), ["Build 1 fails"]),
    "RSS": (SITE_FEED, ["It fails"]),
    "Atom whose elements have a prefix": (
        (
            '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>It fails</a:title>'
            f'<a:link href="{GITHUB}1"/><a:updated>2026-11-20T08:00:00Z</a:updated></a:entry></a:feed>'
        ).encode(),
        ["It fails"],
    ),
    "RSS that breaks off": (SITE_FEED[:80], "breaks off before the first one"),
    "a JSON feed": (
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "Issues",
                "items": [
                    {
                        "id": "1",
                        "url": GITHUB + "1",
                        "title": "It fails",
                        "content_html": "<p>Often.</p>",
                        "date_published": "2026-11-20T08:00:00Z",
                    }
                ],
            }
        ).encode(),
        ["It fails"],
    ),
    "XML with a namespace": (
        XML.replace("utf-16", "utf-8").replace("<posts>", '<posts xmlns="urn:x">').encode(),
        ["It fails"],
    ),
    "XML of something else": (b"<?xml version='1.0'?><comments><row Id='1'/></comments>", "neither a feed nor"),
    "Python's own spelling of a dict": (repr(own(1)).encode(), "no object with fields"),
    "an empty list": (b"[]", "no object with fields"),
    "a tar of one file": (gzip.compress(tarred(posts_jsonl=lines(own(1)))), ["Build 1 fails"]),
    "a tar of two files": (tarred(a_jsonl=lines(own(1)), b_jsonl=lines(own(2))), "the archive holds 2 files"),
    "a tar that breaks off": (tarred(a_jsonl=lines(own(1)))[:600], "can not be read"),
    "JSON after a separator": (b"\x1e" + lines(own(1)) + b"\x1e" + lines(own(2)), "is no file of posts"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_read_as_they_are_meant_or_refused_in_one_line(
    name: str, tmp_path: Path, database: duckdb.DuckDBPyConnection, ingest: Ingest
) -> None:
    data, expected = ODD[name]
    (tmp_path / "posts").write_bytes(data)
    if isinstance(expected, str):
        with pytest.raises(IngestError, match=f"posts.*{expected}"):
            ingest(tmp_path / "posts")
        return
    ingest(tmp_path / "posts")
    assert (
        sorted(title.split()[-1] if title[-1].isdigit() else title for (title,) in rows(database, "title")) == expected
    )


# --- what is fast, and equal to what is slow ---------------------------------------------------------------------


@given(st.text(st.characters(codec=None), max_size=30))
def test_a_cleaned_text_can_be_stored_and_plain_ones_stay(text: str) -> None:
    cleaned = item.clean_text(text)
    assert cleaned == text.replace("\x00", "").encode("utf-8", "replace").decode()


# Values of each field of a post: usual ones, and what files hold besides.
VALUES: dict[str, list[Any]] = {
    "source": ["github", "reddit", "stackoverflow", "hackernews", "GitHub", "x", "", None, 7],
    "url": [
        "https://github.com/a/b/issues/1",
        "http://github.com/a/b/issues/1#issuecomment-2",
        "https://old.reddit.com/r/a/comments/x1/t_one/",
        "https://news.ycombinator.com/item?id=1",
        "https://news.ycombinator.com/item?id=1&p=2",
        "https://example.com/a",
        "a",
        "",
        None,
        b"https://github.com/a/b/issues/1",
    ],
    "title": ["a title", "Ein \u00dcberblick", "[deleted]", " ", "nan", "a\x00b", "a\ud800", "", None, 7, math.nan],
    "body": ["a text", "\u00fc" * 500, "[removed]", "null", "\x00", "\udc00 " * 40, None, True, ["a"]],
    "author": ["Ann", " ann ", "ghost", "AutoModerator", "dependabot[bot]", "[deleted]", "\ud800", "", None, 7],
    "created_at": [
        "2026-11-20T08:00:00Z",
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-02-30T08:00:00Z",
        "9999-12-31T08:00:00Z",
        "2026-11-20T08:00:60Z",
        "2026-11-20 08:00:00 UTC",
        1_763_625_600,
        datetime(2026, 11, 20, tzinfo=UTC),
        None,
    ],
    "comment_count": [0, -3, 10**9, 10**9 + 1, 10**30, True, 2.0, 2.5, "7", "nan", math.nan, None],
    "vote_count": [5, -(10**9), -(10**9) - 1, False, "x", None],
}


@given(st.fixed_dictionaries({}, optional={field: st.sampled_from(values) for field, values in VALUES.items()}))
@settings(max_examples=300)
def test_a_usual_post_has_the_row_that_the_checks_of_any_other_give(fields: dict[str, Any]) -> None:
    usual = {**own(1), **dict.fromkeys(("body", "author", "comment_count", "vote_count"))}
    # A post that is usual but for one field is read as well as one that is odd in many.
    posts = [usual, fields, *({**own(1), field: value} for field, value in fields.items())]
    odd, columns = usual_columns(["no post", *posts])
    assert 0 in odd
    assert 1 not in odd
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHOR_SALT", "pepper")
        for number, post in enumerate(posts, 1):
            if number not in odd:
                row = tuple(column[number] for column in columns)
                assert table_of([row]) == table_of([row_of(item.Item.model_validate(post))])


@given(st.text(max_size=100), st.text(max_size=200))
def test_a_name_is_hashed_by_hmac(salt: str, name: str) -> None:
    inner, outer = item.keyed(salt)
    inner, outer = inner.copy(), outer.copy()
    inner.update(name.encode())
    outer.update(inner.digest())
    assert outer.hexdigest() == hmac.digest(salt.encode(), name.encode(), "sha256").hex()


def test_counts_are_read_as_people_write_them() -> None:
    read: dict[Any, int | None] = {
        "1,203": 1_203, "-1,203,004": -1_203_004, "1 203": 1_203, "1\u202f203": 1_203, "1\u2019203": 1_203,
        "1.203.004": 1_203_004, " 12 ": 12, "1.2k": 1_200, "3 K": 3_000, "1,5M": 1_500_000,
        "-1.2k": -1_200, "7.0": 7, "nan": None,
    }  # fmt: skip
    assert {text: item.Item.model_validate(own(1, vote_count=text)).vote_count for text in read} == read
    refused = "1.203", "1,20", "1,203.5", "12k votes", "1,203,04", "k", "9,999,999,999", "99999m", "0,500", "1,203k"
    for text in refused:
        with pytest.raises(ValueError, match="vote_count"):
            item.Item.model_validate(own(1, vote_count=text))
