"""Queries name what they read: a relation of ref() or source(), a common table expression, or a table of schema temp.

A bare name in a query of a Python model may hit any table of the catalog, and a schema in a string hides a dependency
from the lineage. Postgres' own tables are named with their schema, pg_catalog.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project import ROOT

QUERY = re.compile(r"(?is)^\s*(with|select|insert|delete|update|create|drop|merge|describe|alter)\b")
# What a query reads or writes, but for "is distinct from", temporary tables and functions.
TABLE = re.compile(
    r"(?i)(?<!distinct )(?<!temp )\b(?:from|join|into|update|table|using)(?: if (?:not )?exists)?+"
    r"\s+([a-z_][\w.]*+)(?!\s*\()"
)
CTE = re.compile(r"(?i)\b(\w+) as (?:(?:not )?materialized )?\(")
SCHEMA = re.compile(r"\b(?:bronze|silver|gold|main)\.\w+")
# Words of SQL that may stand where a table may.
KEYWORDS = {"select", "set", "values", "lateral", "only"}
PACKAGES = sorted((ROOT / "groundswell").rglob("*.py"))
PYTHON_MODELS = sorted((ROOT / "models").rglob("*.py"))
SQL_MODELS = sorted((ROOT / "models").rglob("*.sql"))
MACROS = sorted((ROOT / "macros").rglob("*.sql"))


def strings(file: Path) -> Iterator[str]:
    """The strings of a module but for docstrings; what stands in braces is left as braces."""
    tree = ast.parse(file.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | parts:
            yield node.value


def bare_tables(query: str) -> set[str]:
    """The tables that a query names itself, its common table expressions and the schemas temp and pg_catalog aside."""
    query = re.sub(r"--.*", "", query)
    ctes = {name.lower() for name in CTE.findall(query)}
    names = {name for name in TABLE.findall(query) if not name.startswith(("temp.", "pg_catalog."))}
    return {name for name in names if name.lower() not in ctes | KEYWORDS}


def code_of(file: Path) -> str:
    """A SQL file without comments, the calls in braces left as braces."""
    text = re.sub(r"(?s)\{#.*?#\}", "", file.read_text())
    return re.sub(r"--.*", "", re.sub(r"(?s)\{\{.*?\}\}", "{}", text))


def ids(files: list[Path]) -> list[str]:
    return [file.stem for file in files]


@pytest.mark.parametrize("file", PYTHON_MODELS + PACKAGES, ids=ids(PYTHON_MODELS + PACKAGES))
def test_queries_of_python_name_relations(file: Path) -> None:
    for text in strings(file):
        if QUERY.match(text):
            assert bare_tables(text) == set(), text


# The lake has rules for single tables, without dbt.
UNNAMED = [file for file in PYTHON_MODELS + PACKAGES if file.parent.name != "lake"]


@pytest.mark.parametrize("file", UNNAMED, ids=ids(UNNAMED))
def test_strings_of_python_name_no_schema(file: Path) -> None:
    # A message may name a table for its reader.
    named = [text for text in strings(file) if SCHEMA.fullmatch(text) or (QUERY.match(text) and SCHEMA.search(text))]
    assert named == []


@pytest.mark.parametrize("file", SQL_MODELS, ids=ids(SQL_MODELS))
def test_sql_models_read_relations(file: Path) -> None:
    code = code_of(file)
    # Macros that write common table expressions.
    written = {
        "centroids": "centroids means components",
        "elected": "elected means votes",
        "live_roots": "known live_roots",
        "standing_quotes": "claims standing",
        "window_halves": "halves built",
    }
    known = " ".join(
        f"{name} as (" for macro in written for name in written[macro].split() if f"{macro}(" in file.read_text()
    )
    assert bare_tables(f"{known} {code}") == set()
    assert SCHEMA.findall(code) == []


@pytest.mark.parametrize("file", MACROS, ids=ids(MACROS))
def test_macros_name_no_schema(file: Path) -> None:
    assert SCHEMA.findall(code_of(file)) == []


def test_a_bare_name_is_found() -> None:
    assert bare_tables("select * from documents join {} as posts using (url_hash)") == {"documents"}
    assert bare_tables("with posts as (select 1) select * from posts, temp.moves") == set()
    assert bare_tables("delete from temp.moves where a is distinct from b") == set()
    assert bare_tables("drop table if exists main.moves") == {"main.moves"}
    assert bare_tables("create or replace temp table moves as select 1") == set()
    assert bare_tables("insert into silver.items select * from unnest([1])") == {"silver.items"}
