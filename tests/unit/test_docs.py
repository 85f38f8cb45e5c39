"""The documents: links lead somewhere, tables are described, and the README stays short."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.project import ROOT

README_LINES = 150
# Files of the project, not of its environment.
DOCUMENTS = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("training/*.md")))
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# [text](target), ![text](target) and [name]: target
LINK = re.compile(r"\]\(([^()\s]+)\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
TABLE = re.compile(r"`(bronze|silver|gold)\.(\w+)`")


def links_of(document: Path) -> list[str]:
    """The targets of a document's links, without those in code blocks."""
    return [target or named for target, named in LINK.findall(FENCE.sub("", document.read_text()))]


def anchors_of(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables_of_project() -> set[str]:
    """Every source, seed and model of the project, as schema.name."""
    models = {
        f"{layer.name}.{file.stem}"
        for layer in (ROOT / "models").iterdir()
        if layer.is_dir()
        for suffix in ("sql", "py")
        for file in layer.rglob(f"*.{suffix}")
    }
    seeds = {f"silver.{file.stem}" for file in (ROOT / "seeds").glob("*.csv")}
    sources = yaml.safe_load((ROOT / "models" / "bronze" / "bronze.yml").read_text())["sources"]
    return models | seeds | {f"{source['name']}.{table['name']}" for source in sources for table in source["tables"]}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_to_a_file_and_a_heading(document: Path) -> None:
    for link in links_of(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), f"{document.name} links {link}"
        if anchor:
            assert anchor in anchors_of(target), f"{document.name} links {link}"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document not in reached:
            reached.add(document)
            paths = (link.partition("#")[0] for link in links_of(document) if not re.match(r"[a-z]+:", link))
            waiting += [(document.parent / path).resolve() for path in paths if path.endswith(".md")]
    assert set(DOCUMENTS) <= reached


def test_every_picture_is_shown() -> None:
    shown = {
        (document.parent / link).resolve() for document in DOCUMENTS for link in links_of(document) if "://" not in link
    }
    assert {file for suffix in ("png", "svg") for file in (ROOT / "docs").glob(f"*.{suffix}")} <= shown


def test_the_page_of_tables_has_every_table_and_no_other() -> None:
    described = {".".join(names) for names in TABLE.findall((ROOT / "docs" / "tables.md").read_text())}
    assert described == tables_of_project()


def test_documents_name_no_table_that_does_not_exist() -> None:
    # The changelog also names tables of earlier versions, in words without a schema or without a code span.
    for document in DOCUMENTS:
        named = {".".join(names) for names in TABLE.findall(document.read_text())}
        assert named <= tables_of_project(), document.name


def test_every_setting_is_described() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    names = re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    missing = [name for name in [*names, *variables] if f"`{name}`" not in page]
    assert not missing


def test_nothing_tells_to_install_the_project_by_its_name() -> None:
    """An index may have a package of another project with that name."""
    code = [
        file
        for name in ("groundswell", "ingest", "sync", "models", "benchmarks")
        for file in (ROOT / name).rglob("*.py")
    ]
    told = [
        file.name for file in [*DOCUMENTS, *code] if re.search(r"pip install [^`\n]*groundswell\[", file.read_text())
    ]
    assert not told
