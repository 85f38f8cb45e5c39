"""The version stands in groundswell.__version__; dbt and the changelog repeat it."""

import re

import yaml

from groundswell import __version__
from tests.support.project import ROOT


def test_dbt_and_the_changelog_name_the_same_version() -> None:
    assert yaml.safe_load((ROOT / "dbt_project.yml").read_text())["version"] == __version__
    releases = re.findall(r"(?m)^## \[([\d.]+)\]", (ROOT / "CHANGELOG.md").read_text())
    assert releases[0] == __version__
