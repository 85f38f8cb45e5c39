"""sync.records: categories, impact levels and tiers are the same wherever they must be listed."""

import re
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from sync.records import Category, Impact, KnownImpact, Tier
from tests.support.project import ROOT, read_seed


def lists_in_migrations(field: str) -> list[set[str]]:
    """The values of a select field in each migration that lists them."""
    pattern = re.compile(rf'name: "{field}"[^}}]*?values: \[([^\]]*)\]')
    texts = [path.read_text() for path in sorted((ROOT / "sync" / "pb_migrations").glob("*.js"))]
    return [set(re.findall(r'"([^"]+)"', values)) for text in texts for values in pattern.findall(text)]


def names_on_the_board(constant: str) -> set[str]:
    """The keys of an object in words.js."""
    text = (ROOT / "sync" / "pb_public" / "words.js").read_text()
    [body] = re.findall(rf"export const {constant} = {{([^}}]*)}}", text)
    return set(re.findall(r"(\w+):", body))


def test_categories_are_those_of_the_seed() -> None:
    categories = {row["category"] for row in read_seed("categories")}
    assert set(get_args(Category)) == categories
    assert names_on_the_board("CATEGORIES") == categories
    # A migration that adds a category comes last; the collections of issues and problems are made in two.
    assert lists_in_migrations("category")[-2:] == [categories, categories]


def test_impact_levels_are_the_same_everywhere() -> None:
    levels = set(get_args(Impact))
    assert names_on_the_board("IMPACTS") == levels
    assert lists_in_migrations("impact_level")[-2:] == [levels, levels]


def test_an_impact_may_be_unknown_and_not_wrong() -> None:
    impact = TypeAdapter(KnownImpact)
    assert [impact.validate_python(level) for level in (None, "", "low")] == ["", "", "low"]
    with pytest.raises(ValidationError):
        impact.validate_python("huge")


def test_tiers_are_those_of_the_seed() -> None:
    tiers = {row["tier"] for row in read_seed("problem_tiers")}
    assert set(get_args(Tier)) == tiers
    assert names_on_the_board("TIERS") == tiers
    assert lists_in_migrations("tier")[-1:] == [tiers]
