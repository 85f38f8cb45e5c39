"""The next version may add a column to any incremental model: the first build brings it, and keeps the rows.

The project is copied, every incremental model of the copy gets a column, and one build of a built day runs them all.
"""

import ast
import re
import shutil
from pathlib import Path

from tests.support.project import DAY, ROOT, Project

COLUMN = "is_added"


def add_to_sql(file: Path) -> None:
    """Add a column to the last select of a SQL model."""
    query, found = re.subn(r"(?m)^select \* from (\w+)\s*\Z", rf"select *, true as {COLUMN} from \1", file.read_text())
    assert found == 1, file
    file.write_text(query)


def add_to_python(file: Path) -> None:
    """Add a column to each table that the function `model` returns."""
    text = file.read_text()
    [model] = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "model"]
    returned = [node.value for node in ast.walk(model) if isinstance(node, ast.Return) and node.value]
    lines = text.split("\n")
    # From the last to the first, so that the positions of the others stay.
    for value in sorted(returned, key=lambda value: -value.lineno):
        end = (value.end_lineno or value.lineno) - 1
        lines[end] = f"{lines[end][: value.end_col_offset]}){lines[end][value.end_col_offset :]}"
        line = lines[value.lineno - 1]
        lines[value.lineno - 1] = f"{line[: value.col_offset]}with_added_column({line[value.col_offset :]}"
    file.write_text(
        "\n".join(lines) + "\n\ndef with_added_column(rows):\n"
        "    table = rows.read_all() if isinstance(rows, pa.RecordBatchReader) else rows\n"
        f"    return table.append_column('{COLUMN}', pa.array([True] * len(table), pa.bool_()))\n"
    )


def add_to_contract(file: Path) -> None:
    """Add the column to the contract of a model, if the model has one."""
    text = file.read_text()
    if "enforced: true" in text:
        column = f"      - name: {COLUMN}\n        data_type: boolean\n"
        file.write_text(text.replace("    columns:\n", f"    columns:\n{column}", 1))


def with_columns_added(folder: Path) -> tuple[Path, list[str]]:
    """A copy of the project in which every incremental model has a column more, and the names of these models."""
    for name in ("models", "macros", "seeds", "sync", "groundswell", "tests/dbt"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, folder)
    names = []
    for file in sorted((folder / "models").rglob("*")):
        text = file.read_text() if file.suffix in (".sql", ".py") else ""
        if re.search(r"materialized=['\"]incremental['\"]", text):
            (add_to_sql if file.suffix == ".sql" else add_to_python)(file)
            add_to_contract(file.with_suffix(".yml"))
            names.append(file.stem)
    return folder, names


def columns_of(project: Project, names: list[str]) -> dict[str, set[str]]:
    found = project.query("select table_name, list(column_name) from duckdb_columns() group by all")
    return {name: set(columns) for name, columns in found if name in names}


def test_a_column_can_be_added_to_every_incremental_model(built: Project, tmp_path: Path) -> None:
    next_version, names = with_columns_added(tmp_path / "next")
    assert len(names) > 20
    copy = built.copy_to(tmp_path)
    columns = columns_of(copy, names)
    assert columns.keys() == set(names)
    rows = {name: count for name, (count, _) in copy.contents().items()}
    for _ in range(2):
        finished = copy.build(
            DAY, "--project-dir", str(next_version), "--profiles-dir", str(next_version), data_tests=False
        )
        assert finished.status == 0, finished.output
        assert columns_of(copy, names) == {name: {*known, COLUMN} for name, known in columns.items()}
        assert {name: count for name, (count, _) in copy.contents().items()} == rows
