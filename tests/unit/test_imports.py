"""The directions in which the project's packages may import each other."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Each folder, and the packages of the project that its modules may import.
MAY_IMPORT = {
    "groundswell": {"groundswell"},
    "ingest": {"groundswell", "ingest"},
    "sync": {"groundswell", "sync"},
    "models": {"groundswell"},
}
PACKAGES = {"groundswell", "ingest", "sync", "models", "tests", "benchmarks", "training"}


def imported(module: Path) -> Iterator[tuple[int, str]]:
    """The line and the top-level package of every import in a module, those inside functions included."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: write imports in full"
            yield node.lineno, (node.module or "").partition(".")[0]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_run_from_the_commands_to_the_common_room_only(folder: str) -> None:
    modules = sorted((ROOT / folder).rglob("*.py"))
    assert modules
    wrong = [
        f"{module.relative_to(ROOT)}:{line} imports {package}"
        for module in modules
        for line, package in imported(module)
        if package in PACKAGES - MAY_IMPORT[folder]
    ]
    assert not wrong


def test_packages_of_extras_are_imported_only_where_they_are_asked_for() -> None:
    code = (
        "import sys, groundswell.encoders, groundswell.neighbours, groundswell.pairs\n"
        "sys.exit(bool({'ray', 'faiss', 'sp_matmul_rs', 'groundswell.ray_pool'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
