"""Ids of records: groundswell.identity computes those of problems, the macro record_id all others."""

import duckdb
import pytest
from jinja2 import Environment

from groundswell.identity import new_name
from tests.support.project import ROOT


@pytest.mark.parametrize(("day", "url_hash"), [("2026-11-20", "a" * 64), ("2020-02-29", "0f"), ("2026-11-20", "")])
def test_both_ways_give_the_same_id(day: str, url_hash: str) -> None:
    macro = Environment(autoescape=False).from_string((ROOT / "macros" / "record_id.sql").read_text()).module
    expression = macro.record_id(["$day", "$url_hash"])  # type: ignore[attr-defined]
    with duckdb.connect() as connection:
        [(by_macro,)] = connection.execute(f"select {expression}", {"day": day, "url_hash": url_hash}).fetchall()
    assert new_name(day, url_hash) == by_macro
    assert len(by_macro) == 15
