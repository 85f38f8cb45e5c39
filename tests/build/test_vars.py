"""Vars: every dbt command refuses a var that the project does not know and a value that a var can not have."""

import re

import pytest
import yaml

from tests.support.project import DAY, DBT, ROOT, Project


@pytest.mark.parametrize(
    ("command", "variables", "says"),
    [
        (
            "ls",
            f"date: {DAY}, join_similarty: 0.4",
            "there is no var 'join_similarty': did you mean 'join_similarity'?",
        ),
        ("show", "lmm_budget: 3", "there is no var 'lmm_budget': did you mean 'llm_budget_usd'?"),
        ("ls", "zz: 3", "there is no var 'zz': the vars are date, relabel, llm_budget_usd,"),
        ("run", f"date: {DAY}, join_similarity: 1.5", "join_similarity is a number from 0 to 1, not '1.5'"),
        ("ls", "opinion_accuracy: 1", "opinion_accuracy is a number over 0.5 and below 1, not '1'"),
        ("ls", "date: '2026-02-30'", "date '2026-02-30' is not a day: write it as in --vars 'date: 2026-11-20'"),
        ("ls", "relabel: 'no'", "relabel is true or false, not 'no'"),
        ("ls", "llm_rejections: true", "llm_rejections is a whole number from 1 to 1000, not 'True'"),
        ("ls", "embedding_precision: int8", "embedding_precision is auto, fp32 or bf16, not 'int8'"),
        ("ls", "embedding_model: ''", "embedding_model is a text, not ''"),
    ],
)
def test_a_var_that_can_not_be(project: Project, command: str, variables: str, says: str) -> None:
    finished = project.run(DBT, command, "--select", "documents", "--vars", f"{{{variables}}}")
    assert finished.status == 2, finished.output
    assert says in finished.output
    assert "Traceback" not in finished.output
    assert not project.database.exists()


def test_every_var_of_the_project_has_a_rule() -> None:
    defaults = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    rules = re.findall(r"'(\w+)': \{'kind'", (ROOT / "macros" / "var_rules.sql").read_text())
    assert sorted(rules) == sorted(["date", *defaults])
