"""A second target: dbt clones, defers, retries, shows and builds without rows; the first database does not change."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.project import DAY, DBT, Project


@pytest.fixture
def state(built: Project, tmp_path: Path) -> Path:
    """A folder with the manifest of the built sample day."""
    folder = tmp_path / "state"
    folder.mkdir()
    shutil.copy(built.database.with_suffix(".target") / "manifest.json", folder)
    return folder


@pytest.fixture
def dev(built: Project, tmp_path: Path) -> Project:
    """Target dev: an empty database that reads the built sample day."""
    database = tmp_path / "dev.duckdb"
    settings = {"GROUNDSWELL_DB": str(built.database), "GROUNDSWELL_DEV_DB": str(database)}
    return Project(database, settings, built.parsed)


def test_a_clone_holds_every_table_and_a_failed_test_can_be_retried(built: Project, dev: Project, state: Path) -> None:
    day = ["--vars", f"date: {DAY}"]
    cloned = dev.run(DBT, "clone", "--target", "dev", "--state", str(state), *day)
    assert cloned.status == 0, cloned.output
    originals = {name: rows for name, rows in built.contents().items() if not name.startswith("bronze.")}
    assert dev.contents() == originals

    dev.query("create table main.kept as select * from gold.issue_evidence limit 1")
    dev.query("insert into gold.issue_evidence select * from main.kept")
    test = "unique_issue_evidence_evidence_id"
    failed = dev.run(DBT, "test", "--target", "dev", "--select", test, *day)
    assert failed.status == 1, failed.output
    dev.query("delete from gold.issue_evidence where evidence_id in (select evidence_id from main.kept)")
    dev.query("insert into gold.issue_evidence select * from main.kept")
    retried = dev.run(DBT, "retry")
    assert retried.status == 0, retried.output
    assert f"PASS {test}" in retried.output


def test_what_was_modified_is_built_and_the_rest_is_read_from_the_first_database(
    built: Project, dev: Project, state: Path
) -> None:
    before = built.contents()
    manifest = json.loads((state / "manifest.json").read_text())
    for name in ("items", "summaries"):
        manifest["nodes"][f"model.groundswell.{name}"]["raw_code"] += "\n-- as it was before"
    (state / "manifest.json").write_text(json.dumps(manifest))
    finished = dev.run(
        DBT, "build", "--target", "dev", "--defer", "--state", str(state), "--select", "state:modified",
        "--vars", f"date: {DAY}",
    )  # fmt: skip
    assert finished.status == 0, finished.output
    assert set(dev.contents()) == {"silver.summaries", "bronze.llm_calls", "bronze.built_days"}
    assert dev.contents()["silver.summaries"] == before["silver.summaries"]
    assert built.contents() == before


def test_a_build_without_rows_leaves_days_and_the_board_as_they_are(built: Project, tmp_path: Path) -> None:
    empty = built.copy_to(tmp_path)
    finished = empty.build(DAY, "--empty", data_tests=False)
    assert finished.status == 0, finished.output
    assert "--empty: tables of days keep their rows" in finished.output
    before, after = built.contents(), empty.contents()
    emptied = {name for name, rows in after.items() if rows != before[name]}
    assert emptied == {
        "gold.alerts",
        "gold.mention_days",
        "gold.mentions",
        "gold.problem_events",
        "gold.problem_mentions",
        "gold.problem_posts",
        "gold.problem_requests",
        "gold.problem_weeks",
        "gold.problem_wordings",
        "gold.problems",
        "gold.theme_posts",
        "gold.themes",
        "gold.watched_names",
        "gold.week_figures",
        "silver.extractive_problem_labels",
        "silver.name_matches",
        "silver.problem_titles",
        "silver.theme_terms",
    }
    assert all(after[name][0] == 0 for name in emptied)


def test_a_model_is_shown_on_its_newest_day_where_no_date_is_given(built: Project) -> None:
    finished = built.run(DBT, "show", "--select", "issues", "--limit", "1")
    assert finished.status == 0, finished.output
    assert f"issues: {DAY}, the newest day" in finished.output
    assert "| issue_id " in finished.output
