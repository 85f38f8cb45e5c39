"""Vars: every dbt command refuses a var that the project does not know and a value that a var can not have."""

import json
import re
import shutil
from typing import Any

import pytest
import yaml

from tests.support.project import DAY, DBT, ROOT, Project


@pytest.fixture(scope="module")
def without_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """The options for a project without models, which dbt parses in half the time; hooks and macros check the vars.

    tests/build/test_build.py checks vars in the whole project.
    """
    folder = tmp_path_factory.mktemp("without_models")
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / file, folder)
    for name in ("macros", "tests/dbt/generic"):
        shutil.copytree(ROOT / name, folder / name)
    return "--project-dir", str(folder), "--profiles-dir", str(folder)


@pytest.mark.parametrize(
    ("command", "variables", "says"),
    [
        (
            "ls",
            f"date: {DAY}, join_similarty: 0.4",
            "there is no var 'join_similarty': did you mean 'join_similarity'?",
        ),
        ("show", "lmm_budget: 3", "there is no var 'lmm_budget': did you mean 'llm_budget_usd'?"),
        ("ls", "zz: 3", "there is no var 'zz': the vars are date, relabel, publish,"),
        ("run", f"date: {DAY}, join_similarity: 1.5", "join_similarity is a number from 0 to 1, not '1.5'"),
        ("ls", "opinion_accuracy: 1", "opinion_accuracy is a number over 0.5 and below 1, not '1'"),
        ("ls", "date: '2026-02-30'", "date '2026-02-30' is not a day: write it as in --vars 'date: 2026-11-20'"),
        ("ls", "relabel: 'no'", "relabel is true or false, not 'no'"),
        ("ls", "llm_rejections: true", "llm_rejections is a whole number from 1 to 1000, not 'True'"),
        ("ls", "embedding_precision: int4", "embedding_precision is auto, fp32, bf16 or int8, not 'int4'"),
        ("ls", "embedding_model: ''", "embedding_model is a text, not ''"),
        ("build", "complaint_threshold: 2", "complaint_threshold is a number from 0 to 1, not '2'"),
        ("build", "problem_window_days: many", "problem_window_days is a whole number from 2 to 366, not 'many'"),
        ("build", "problem_memory_days: 1.5", "problem_memory_days is a whole number from 2 to 3660, not '1.5'"),
        ("build", "date: '2026-13-40'", "date '2026-13-40' is not a day"),
        ("build", "date: tomorrow", "date 'tomorrow' is not a day"),
        ("ls", f"date: {DAY}, next_day: {DAY}", f"next_day is a day after {DAY}, not {DAY}"),
    ],
)
def test_a_var_that_can_not_be(
    project: Project, without_models: tuple[str, ...], command: str, variables: str, says: str
) -> None:
    finished = project.run(DBT, command, *without_models, "--vars", f"{{{variables}}}")
    assert finished.status == 2, finished.output
    assert says in finished.output
    assert "Traceback" not in finished.output
    assert not project.database.exists()


def test_every_var_of_the_project_has_a_rule() -> None:
    defaults = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    rules = re.findall(r"'(\w+)': \{'kind'", (ROOT / "macros" / "var_rules.sql").read_text())
    assert sorted(rules) == sorted(["date", *defaults])


def test_what_dbt_keeps_of_the_project_is_the_same_on_any_day(project: Project) -> None:
    """A model that chose a ref by the day, in a macro too, would need another parsed project on another day."""
    kept = []
    for day in ("2000-01-01", "2099-12-30"):
        finished = project.run(DBT, "parse", "--no-partial-parse", "--vars", f"date: {day}")
        assert finished.status == 0, finished.output
        manifest = json.loads((project.database.with_suffix(".target") / "manifest.json").read_text())
        assert manifest.pop("metadata")["invocation_started_at"]
        kept.append(without_times(manifest))
    assert len(kept[0]["nodes"]) > 400
    assert kept[0] == kept[1]


def without_times(value: Any) -> Any:
    """A value of a manifest without the times at which dbt read its parts."""
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if name != "created_at"}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value
