"""dbt build: the sample day twice, late posts, interrupted runs, and days that can not be built."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import clusters as quality
from groundswell.database import connect
from tests.support import forked
from tests.support.project import DAY, DBT, ROOT, SAMPLE, TIMEOUT_SECONDS, Project, heeding

POST = {"source": "github", "body": None, "created_at": f"{DAY}T12:00:00Z"}


def write_posts(path: Path, titles: list[str], day: str = DAY, start: int = 1) -> str:
    """A file of posts with these titles."""
    posts = [
        POST | {"title": title, "url": f"https://github.com/o/r/issues/{number}", "created_at": f"{day}T12:00:00Z"}
        for number, title in enumerate(titles, start=start)
    ]
    path.write_text("".join(json.dumps(post) + "\n" for post in posts))
    return str(path)


def test_every_post_of_the_sample_day_is_evidence_of_one_issue(built: Project) -> None:
    assert built.query("select count(*) from bronze.raw_items") == built.query(
        "select count(*) from gold.issue_evidence"
    )
    assert built.query("select count(*), sum(cluster_size)::int from gold.issues") == [(10, 198)]
    assert built.query("select distinct labeler from gold.issues") == [("extractive",)]
    assert built.query("select array_agg(day_rank order by day_rank) from gold.issues") == [(list(range(1, 11)),)]


def test_hostile_posts_do_no_harm(built: Project) -> None:
    titles = " ".join(title for (title,) in built.query("select canonical_title from gold.issues"))
    assert "<" not in titles
    assert built.query("select count(*) from silver.documents where regexp_matches(text, '<script|onerror|<img')") == [
        (0,)
    ]
    # What they wrote stays as it is in the evidence, which the board shows as text.
    assert built.query("select count(*) > 0 from gold.issue_evidence where body like '%<script>%'") == [(True,)]
    assert built.query("select count(*) > 0 from gold.issue_evidence where length(body) > 50000") == [(True,)]
    assert built.query("select max(length(text)) <= 2000 from silver.documents") == [(True,)]
    # No post can close the fence around the posts in a prompt.
    assert built.query(
        "select count(*) from gold.label_requests"
        " where len(regexp_extract_all(prompt, '</posts>')) != 1 or len(regexp_extract_all(prompt, '<post ')) > 10"
    ) == [(0,)]


def test_confidence_is_what_the_benchmark_compares_with_purity(built: Project) -> None:
    rows = built.query(
        "select cluster_id, similarity, runner_up_similarity, embedding"
        " from silver.items where is_core order by url_hash"
    )
    clusters = np.array([row[0] for row in rows])
    vectors = np.array([row[3] for row in rows], dtype=np.float32)
    silhouettes = quality.silhouettes(np.array([row[1] for row in rows]), np.array([row[2] for row in rows]))
    expected = quality.confidence_by_cluster(vectors, clusters, silhouettes)
    confidences = [row[0] for row in built.query("select confidence from silver.clusters order by cluster_id")]
    assert confidences == pytest.approx(list(expected), abs=1e-4)


def test_posts_about_one_thing_share_a_cluster(built: Project) -> None:
    together = built.query(
        """
        select max(posts) / sum(posts)
        from (
            select cluster_id, count(*) as posts
            from gold.issue_evidence
            where regexp_matches(title || coalesce(body, ''), 'lock ?file', 'i')
            group by all
        )
        """
    )
    assert together[0][0] > 0.7


def test_a_second_build_encodes_nothing_and_changes_nothing(built: Project, tmp_path: Path) -> None:
    before = built.contents()
    # An encoder that can not be imported proves that none was asked for.
    for name in ("sentence_transformers", "litellm"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('a second build needs no model')")
    finished = built.build(data_tests=False, PYTHONPATH=str(tmp_path))
    assert finished.status == 0, finished.output
    assert "10 issues and 198 posts of 2026-11-20 are live" in finished.output
    assert "nothing to change" in finished.output
    assert built.contents() == before
    assert built.query("select count(*) from duckdb_tables() where table_name like '%dbt_tmp%'") == [(0,)]
    assert built.query("select count(*) from duckdb_tables() where table_name like '%journal%'") == [(0,)]


def comments_of(project: Project) -> list[tuple[str, ...]]:
    """The comments of the tables and columns of gold, as the database holds them."""
    return project.query(
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'gold'"
        " union all select table_name, '', comment from duckdb_tables() where schema_name = 'gold' order by all"
    )


def test_a_comment_that_was_lost_or_changed_is_written_again(built: Project, tmp_path: Path) -> None:
    copy = built.copy_to(tmp_path)
    before = comments_of(copy)
    assert before
    assert all(comment for *_, comment in before)
    copy.query("comment on column gold.issues.issue_id is null; comment on table gold.issues is 'Another'")
    assert len(set(comments_of(copy)) - set(before)) == 2
    finished = copy.build(DAY, "--select", "issues", data_tests=False)
    assert finished.status == 0, finished.output
    assert comments_of(copy) == before


def test_an_encoder_that_can_not_be_imported_is_noticed(project: Project, tmp_path: Path) -> None:
    # The counter-check of the test above: a first build does import it.
    project.ingest("--file", write_posts(tmp_path / "posts.jsonl", ["It broke"]))
    (tmp_path / "sentence_transformers.py").write_text("raise ImportError('a second build needs no model')")
    finished = project.build(data_tests=False, PYTHONPATH=str(tmp_path))
    assert finished.status == 1
    assert "a second build needs no model" in finished.output


def test_late_posts_change_no_cluster(built: Project, tmp_path: Path) -> None:
    copy = built.copy_to(tmp_path)
    assigned = dict(copy.query("select url_hash, cluster_id from silver.cluster_assignments"))
    labels = copy.query("select * from gold.issue_labels order by all")
    lockfiles = copy.query(
        "select cluster_id from gold.issue_evidence where title ilike '%lockfile%' group by all order by count(*) desc"
    )[0][0]
    titles = [
        "Lockfile merge conflicts on every pull request in our monorepo",
        "Beekeeping: my queen has left the hive",
    ]
    copy.ingest("--file", write_posts(tmp_path / "late.jsonl", titles, start=9_000))
    finished = copy.build()
    assert finished.status == 0, finished.output
    after = dict(copy.query("select url_hash, cluster_id from silver.cluster_assignments"))
    assert {url_hash: after[url_hash] for url_hash in assigned} == assigned
    assert sorted(after[url_hash] for url_hash in after.keys() - assigned.keys()) == [lockfiles, 11]
    assert copy.query("select * from gold.issue_labels where cluster_id <= 10 order by all") == labels
    assert copy.query("select canonical_title from gold.issues where cluster_id = 11") == [(titles[1],)]
    # What changed waits for the next push, what did not is known to be there.
    waiting = copy.query("select cluster_id from gold.live_issues where synced_at is null")
    assert {(lockfiles,), (11,)} <= set(waiting)
    assert f"{len(waiting)} issues wait" in finished.output


def test_days_do_not_touch_each_other(built: Project, tmp_path: Path) -> None:
    copy = built.copy_to(tmp_path)
    before = copy.query("select * from gold.issue_evidence order by all")
    copy.ingest("--file", write_posts(tmp_path / "next.jsonl", ["It broke", "It is slow"], "2026-11-21", start=9_000))
    finished = copy.build("2026-11-21", "--full-refresh", data_tests=False)
    assert finished.status == 0, finished.output
    assert copy.query(f"select * from gold.issue_evidence where cluster_date = '{DAY}' order by all") == before
    assert copy.query("select count(*) from gold.issue_evidence where cluster_date = '2026-11-21'") == [(2,)]


@pytest.mark.parametrize(
    ("titles", "clusters"),
    [
        (["Only one post"], 1),
        (["Same words"] * 12, 1),
        (["a", "b", "🔥", "<b></b>", "`code`"], 4),
    ],
)
def test_small_and_odd_days(project: Project, tmp_path: Path, titles: list[str], clusters: int) -> None:
    project.ingest("--file", write_posts(tmp_path / "posts.jsonl", titles))
    finished = project.build()
    assert finished.status == 0, finished.output
    assert project.query("select count(*) from gold.issues") == [(clusters,)]
    texts = project.query("select count(*) from silver.documents where text != ''")
    assert project.query("select count(*) from gold.issue_evidence") == texts
    assert project.query("select count(*) from silver.documents") == [(len(titles),)]


def test_a_day_without_any_text(project: Project, tmp_path: Path) -> None:
    project.ingest("--file", write_posts(tmp_path / "posts.jsonl", ["<br>", "---"]))
    finished = project.build()
    assert finished.status == 0, finished.output
    assert project.query("select count(*) from gold.issues") == [(0,)]
    assert project.query("select count(*), max(length(text)) from silver.documents") == [(2, 0)]


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("'2026-02-30'", "date '2026-02-30' is not a day"),
        ("1999-01-01", "no posts of 1999-01-01 in"),
    ],
)
def test_a_day_that_can_not_be_built(built: Project, day: str, says: str) -> None:
    before = built.contents()
    finished = built.build(day)
    assert finished.status == 2
    assert says in finished.output
    assert "Traceback" not in finished.output
    assert built.contents() == before


def test_a_setting_that_makes_no_sense(built: Project) -> None:
    # tests/build/test_vars.py has the other settings.
    before = built.contents()
    finished = built.build(variables=", problem_memory_days: 13")
    assert finished.status == 2
    assert "problem_memory_days is 14 (problem_window_days) or more, not 13" in finished.output
    assert "Traceback" not in finished.output
    assert built.contents() == before


def test_a_database_that_is_not_there_is_not_created(project: Project, tmp_path: Path) -> None:
    # As from cron: another folder, and no GROUNDSWELL_DB.
    cron = tmp_path / "cron"
    cron.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "GROUNDSWELL_DB"} | {"NO_COLOR": "1"}
    folders = ("--project-dir", str(ROOT), "--profiles-dir", str(ROOT), "--target-path", str(tmp_path / "target"))
    command = (DBT, "build", *folders, "--log-path", str(tmp_path), "--vars", f"date: {DAY}")
    said = tmp_path / "said"
    assert forked.run(command, environment, cron, said, None, TIMEOUT_SECONDS) == 2
    assert f"{cron / 'groundswell.duckdb'} does not exist: no posts were collected into it" in said.read_text()
    assert "Traceback" not in said.read_text()
    pushed = project.run(sys.executable, "-m", "sync", "--date", DAY, "--check", POCKETBASE_URL="http://127.0.0.1:9")
    assert pushed.status == 1
    assert f"{project.database} does not exist" in pushed.output
    planned = project.ingest("--date", DAY, "--dry-run")
    assert planned.status == 0, planned.output
    assert not list(tmp_path.rglob("*.duckdb"))


@pytest.mark.parametrize("name", ["bronze.duckdb", "Main.db", "o'brien.duckdb"])
def test_a_database_with_a_name_that_dbt_can_not_use(project: Project, tmp_path: Path, name: str) -> None:
    renamed = Project(tmp_path / name, parsed=project.parsed)
    collected = renamed.ingest("--date", DAY, "--replay", str(SAMPLE))
    assert collected.status == 1
    assert len(collected.output.strip().splitlines()) == 1
    assert f"ERROR: {renamed.database} has a " in collected.output
    assert not renamed.database.exists()


def test_a_database_that_was_made_under_such_a_name_is_not_built(project: Project, tmp_path: Path) -> None:
    renamed = Project(tmp_path / "bronze.duckdb", parsed=project.parsed)
    project.ingest("--date", DAY, "--replay", str(SAMPLE), "--source", "github")
    project.database.rename(renamed.database)
    built = renamed.build()
    assert built.status == 2
    assert f"{renamed.database} has a " in built.output
    assert "Traceback" not in built.output


def test_a_database_in_which_nothing_was_collected(project: Project) -> None:
    connect(str(project.database)).close()
    finished = project.build()
    assert finished.status == 2
    assert (
        f"no posts of {DAY} in {project.database}: collect them first, python -m ingest --date {DAY}" in finished.output
    )


def test_without_a_date_it_is_yesterday(project: Project) -> None:
    from datetime import UTC, datetime, timedelta

    connect(str(project.database)).close()
    # Midnight may pass meanwhile.
    started = datetime.now(UTC)
    finished = project.run(DBT, "build", "--select", "documents")
    yesterdays = {(moment - timedelta(days=1)).date() for moment in (started, datetime.now(UTC))}
    assert any(f"no posts of {yesterday} in" in finished.output for yesterday in yesterdays)


def test_a_locked_database(built: Project) -> None:
    with built.held() as pid:
        finished = built.build()
    assert finished.status == 2
    assert f"{built.database} can not be opened: process {pid} is using it" in finished.output
    assert "Traceback" not in finished.output


def text_of(output: Path) -> str:
    """What a command has printed by now."""
    return output.read_text() if output.exists() else ""


def test_batches_of_texts_survive_a_kill(project: Project, tmp_path: Path) -> None:
    # 2,500 texts are three batches: killed after the first is committed, the next run encodes the other two.
    titles = [f"Problem number {number}: the {number % 17}th thing is broken" for number in range(2_500)]
    project.ingest("--file", write_posts(tmp_path / "posts.jsonl", titles))
    run, output = project.start(DBT, "build", "--vars", f"date: {DAY}")
    deadline = time.monotonic() + 300
    while run.is_alive() and time.monotonic() < deadline and "Encoding 2,5" not in text_of(output):
        time.sleep(0.02)
    assert "Encoding 2,5" in text_of(output), "the build ended before it encoded anything"
    # The write-ahead log grows by 1.6 MB with each batch of a thousand vectors. DuckDB writes it in pieces: the first
    # batch is whole once the log holds a part of the second.
    log = Path(f"{project.database}.wal")
    before = log.stat().st_size
    while run.is_alive() and time.monotonic() < deadline and log.stat().st_size < before + 1_800_000:
        time.sleep(0.02)
    assert run.is_alive(), "the build ended before it could be killed"
    run.kill()
    run.join()
    kept = project.query("select count(*) from silver.embeddings__journal")[0][0]
    assert kept in (1_000, 2_000)
    # A vector that no text has proves that what was kept is not encoded again.
    axis = [1.0] + [0.0] * 383
    project.query("update silver.embeddings__journal set embedding = $axis::float[384]", axis=axis)
    finished = project.build(DAY, "--select", "resource_type:seed", "+issues", "+issue_evidence", data_tests=False)
    assert finished.status == 0, finished.output
    [(texts,)] = project.query("select 2500 + count(*) from silver.categories")
    assert project.query("select count(*), count(distinct content_hash) from silver.embeddings") == [(texts, texts)]
    assert project.query("select count(*) from silver.embeddings where embedding[1] = 1") == [(kept,)]
    assert project.query("select count(*) from gold.issue_evidence") == [(2_500,)]
    # 2,500 posts make 25 clusters; equal vectors share one, so that others may end up without a post.
    assert project.query("select count(*) between 2 and 25 from gold.issues") == [(True,)]


@pytest.mark.parametrize("moment", ["Registered adapter", "Found ", "1 of "])
def test_a_build_that_ctrl_c_ends_says_so_in_one_line(built: Project, tmp_path: Path, moment: str) -> None:
    copy = built.copy_to(tmp_path)
    command = heeding(signal.SIGINT, [DBT, "build", "--vars", f"date: {DAY}"])
    environment = copy.environment({})
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as build:
        assert build.stdout
        next(line for line in build.stdout if moment in line)
        build.send_signal(signal.SIGINT)
        said = build.stdout.read()
    assert build.returncode != 0
    assert said.count("Interrupted: the same command goes on from here") == 1
    assert "Traceback" not in said
    # Nothing holds the database any more.
    assert copy.query("select count(*) from bronze.raw_items") != [(0,)]
