"""`make format` rewrites our SQL: it must not change what a query gives."""

from sqlfluff.core import FluffConfig, Linter

from tests.support.project import ROOT


def test_the_format_keeps_a_row_of_several_columns() -> None:
    query = "select count(distinct(source, author)) as people\nfrom posts\n"
    # dbt would compile the whole project first.
    config = FluffConfig.from_path(str(ROOT), overrides={"templater": "raw"})

    assert Linter(config).lint_string(query, fix=True).fix_string()[0] == query
