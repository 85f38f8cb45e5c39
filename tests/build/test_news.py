"""News of the built sample day: mentions, weeks, alerts and the digest agree with the tables they come from."""

import json
import sys
from pathlib import Path

import duckdb
import pytest

from tests.support.project import DAY, Project


def test_mentions_are_found_in_posts_days_and_problems(built: Project) -> None:
    counts = dict(built.query("select name, count(*) from gold.mentions group by all"))
    assert counts["Docker"] > 0
    assert counts["Kubernetes"] > 0
    assert "Nobody Mentions This" not in counts
    days = built.query("select name, sum(posts)::bigint from gold.mention_days group by all")
    assert {name: posts for name, posts in days if posts} == counts
    windows = built.query("select name, posts from gold.watched_names where posts > 0")
    assert dict(windows) == counts
    [(shares,)] = built.query("select sum(share_of_voice) from gold.watched_names")
    assert shares == pytest.approx(1)
    # The words around a mention are in the redacted post.
    assert not built.query(
        "select * from gold.mentions where position(lower(name) in lower(passage)) = 0 and name = 'Docker'"
    )
    in_problems = built.query("select problem_id, list(name order by position) from gold.problem_mentions group by all")
    records = built.query("select record_id, record->'names' from gold.problem_records")
    named = {key: [each["name"] for each in json.loads(names)] for key, names in records}
    assert {key: names for key, names in named.items() if names} == dict(in_problems)


def test_weeks_add_up_to_the_problems(built: Project) -> None:
    weeks = built.query(
        "select problem_id, sum(new_voices)::bigint, max(total_voices) from gold.problem_weeks group by all"
    )
    voices = dict(built.query("select problem_id, voices from gold.problems"))
    assert {key: total for key, total, _ in weeks} == {key: total for key, _, total in weeks} == voices
    figures = dict(built.query("select figure, this_week from gold.week_figures"))
    [(posts, complaints, opened)] = built.query(
        f"select posts, complaints, problems_opened from gold.daily_report where report_date = '{DAY}'"
    )
    assert (figures["posts"], figures["complaints"], figures["problems_opened"]) == (posts, complaints, opened)


def test_the_digest_of_the_sample_day_names_its_problems(built: Project, tmp_path: Path) -> None:
    copy = built.copy_to(tmp_path)
    finished = copy.run(sys.executable, "-m", "groundswell", "digest", "--folder", str(tmp_path / "digest"))
    assert finished.status == 0, finished.output
    text = (tmp_path / "digest" / f"{DAY}.md").read_text()
    [(title,)] = copy.query(
        "select title from gold.problems where status = 'active' and not is_from_program and not is_burst"
        " order by demand_score desc limit 1"
    )
    assert title.split()[0] in text
    finished = copy.run(sys.executable, "-m", "groundswell", "alerts")
    assert finished.status == 0, finished.output
    assert "ALERT_URLS is not set: nothing is sent" in finished.output
    with duckdb.connect(str(copy.database)) as connection:
        [(sent,)] = connection.execute("select count(*) from bronze.alert_messages").fetchall()
    assert sent == 0
