"""A database of version 0.1 becomes one of this version with the next build: nothing is lost, nothing is paid again."""

import json
import sys
from pathlib import Path

from tests.support.language_model import settings
from tests.support.loopback import Loopback
from tests.support.project import DAY, ROOT, Project

# A backup of a database that version 0.1.0 made (tests/support/version_0_1_0/README.md).
BACKUP = ROOT / "tests" / "support" / "version_0_1_0"

# The sample day as 0.1 left it: one table of attempts for issues and problems, with a call in the journal of a killed
# build; no ledger of calls; a column for each source in the daily report; other seeds.
DOWNGRADE = """
    create table gold.label_attempts as
    select * from gold.issue_label_attempts union all by name select * from gold.problem_label_attempts;
    create table gold.label_attempts__journal as
    select * replace ('killed' as attempt_id, 'm' as labeler, 'asked' as status, 7 as tokens_in, 0.5 as cost_usd)
    from gold.label_attempts where problem_id is not null limit 1;
    drop table gold.issue_label_attempts;
    drop table gold.problem_label_attempts;
    drop table bronze.llm_calls;
    drop view silver.corrected_pairs;
    drop view silver.corrected_posts;
    drop view silver.corrections;
    drop table bronze.corrections;
    drop table bronze.forgotten;
    drop table bronze.author_salts;
    drop table bronze.built_days;
    alter table bronze.ingest_requests drop column left_at;
    alter table bronze.ingest_requests drop column pause_seconds;
    alter table gold.problems drop column is_edited;
    update gold.issues set impact_level = 'high' where impact_level is null;
    alter table gold.issues alter column impact_level set not null;
    alter table gold.daily_report add column github_posts bigint;
    alter table gold.daily_report add column reddit_posts bigint;
    update gold.daily_report
    set github_posts = source_counts['github'], reddit_posts = 0;
    alter table gold.daily_report drop column source_counts;
    insert into gold.daily_report by name select * replace (date '2026-11-19' as report_date) from gold.daily_report;
    drop table silver.answer_weights;
    drop table silver.source_weights;
    drop table silver.sources;
    drop table silver.extractive_problem_labels;
    drop table silver.topic_titles;
    drop table silver.problem_titles;
    drop table silver.title_signals;
    drop view silver.problem_voices;
    drop view silver.posts;
    create table silver.post_weights as select 'category' as field;
    -- A day of the first version, which did not say what is an outlier.
    insert into silver.cluster_assignments by name
    select * replace ('old' as url_hash, date '2026-11-18' as cluster_date, null as is_outlier)
    from silver.cluster_assignments limit 1;
"""


def test_a_database_of_the_version_before_goes_on(built: Project, tmp_path: Path, loopback: Loopback) -> None:
    copy = built.copy_to(tmp_path)
    before = copy.contents()
    made_by_builds = ("bronze.author_salts", "bronze.corrections", "bronze.forgotten")
    described = [copy.query(f"describe {name}") for name in made_by_builds]
    [(github,)] = copy.query("select source_counts['github'] from gold.daily_report")
    copy.query(DOWNGRADE)
    # Whoever asked again would ask this server. Version 0.1 asked about no pairs.
    finished = copy.build(DAY, variables=", judged_pairs: 0", data_tests=True, **settings(loopback))
    assert finished.status == 0, finished.output
    assert not loopback.requests
    assert "A version before 0.1.0 has built 2026-11-18. Build each of these days anew" in finished.output
    # The build creates the same empty tables as the commands.
    assert [copy.query(f"describe {name}") for name in made_by_builds] == described
    after = copy.contents()
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    # The killed call, the day that was added to the report, and another var.
    assert changed == {"gold.problem_label_attempts", "bronze.llm_calls", "bronze.built_days", "gold.daily_report"}
    assert copy.query(
        "select labeler, status, tokens_in from gold.problem_label_attempts where attempt_id = 'killed'"
    ) == [("m", "unanswered", 7)]
    assert after["gold.problem_label_attempts"][0] == before["gold.problem_label_attempts"][0] + 1
    assert copy.query("select asked_by, cost_usd from bronze.llm_calls where attempt_id = 'killed'") == [
        ("problem_label_attempts", 0.5)
    ]
    assert after["bronze.llm_calls"][0] == before["bronze.llm_calls"][0] + 1
    assert copy.query("select report_date::text, source_counts from gold.daily_report order by 1 limit 1") == [
        ("2026-11-19", {"github": github})
    ]


def test_a_database_that_0_1_0_made_is_built_upon(project: Project, tmp_path: Path) -> None:
    restored = project.run(sys.executable, "-m", "groundswell", "restore", str(BACKUP))
    assert restored.status == 0, restored.output
    before = set(project.query("select attempt_id from gold.label_attempts"))
    vectors = set(project.query("select content_hash, embedding::text from silver.embeddings"))
    assert before
    posts = [json.loads(line) for line in (BACKUP / "posts.jsonl").read_text().splitlines()]
    later = [
        {**post, "url": post["url"].replace("n20", "n21"), "created_at": post["created_at"].replace("-20T", "-21T")}
        for post in posts
        if "n20" in post["url"]
    ]
    file = tmp_path / "later.jsonl"
    file.write_text("".join(json.dumps(post) + "\n" for post in later))
    assert project.ingest("--file", str(file)).status == 0
    assert project.query("select count(*) from bronze.raw_items") == [(len(posts) + len(later),)]
    # A new day first, and then a day that 0.1.0 has built.
    for day in ("2026-11-21", DAY):
        finished = project.build(day)
        assert finished.status == 0, finished.output
        assert "Not published" not in finished.output
        assert project.query("select count(*) > 0 from gold.issues where cluster_date = $day", day=day) == [(True,)]
    # Nothing is lost, and nothing is computed again.
    attempts = project.query(
        "select attempt_id from gold.issue_label_attempts union select attempt_id from gold.problem_label_attempts"
    )
    assert before <= set(attempts)
    assert vectors <= set(project.query("select content_hash, embedding::text from silver.embeddings"))
