"""The .env file in a folder: each command that a person types there reads it, except for those of dbt itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, SETTINGS, Finished

ENV = """GROUNDSWELL_DB=mine.duckdb
POCKETBASE_URL=127.0.0.1
"""
POST = '{"source": "github", "url": "https://github.com/a/b/issues/1", "title": "It fails", "created_at": "2026-11-20"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone without models, which dbt parses in half the time, with a .env and a file of posts."""
    for file in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / file, tmp_path)
    for name in ("macros", "tests/dbt/generic"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / ".env").write_text(ENV)
    (tmp_path / "posts.jsonl").write_text(POST)
    return tmp_path


def run(folder: Path, *arguments: str, **settings: str) -> Finished:
    """Run python -m of these arguments in a folder, without settings of this environment."""
    environment = {name: value for name, value in os.environ.items() if name not in (*SETTINGS, "GROUNDSWELL_DB")}
    finished = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=environment | {"NO_COLOR": "1"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return Finished(finished.returncode, finished.stdout)


def test_commands_read_the_file_of_their_folder(folder: Path) -> None:
    assert run(folder, "ingest", "--file", "posts.jsonl").status == 0
    assert (folder / "mine.duckdb").exists()
    refused = run(folder, "sync", "--date", "2026-11-20")
    assert refused.status == 1
    assert refused.output.startswith("ERROR: 2026-11-20 was never built: python -m groundswell build --date 2026-11-20")
    assert "no web address" in run(folder, "sync", "reach").output
    # The environment wins.
    assert "POCKETBASE_URL is not set" in run(folder, "sync", "reach", POCKETBASE_URL="").output
    (folder / ".env").write_text("no setting")
    for command in (("ingest", "--dry-run"), ("sync", "--date", "2026-11-20")):
        broken = run(folder, *command)
        assert broken.status == 1
        assert broken.output.endswith("ERROR: .env, line 1: write it as NAME=value\n")
    for command in (("ingest", "check"), ("groundswell", "day"), ("sync", "reach")):
        helped = run(folder, *command, "--help")
        assert helped.status == 0, helped.output
        assert helped.output.lstrip().startswith("Usage: python -m ")


def test_a_build_reads_the_file_and_takes_options_of_dbt(folder: Path) -> None:
    """The vars are refused while dbt parses, so that no model has to be there."""
    misspelt = ("groundswell", "build", "--date", "2026-11-20", "--vars", "{lmm_budget: 3}")
    finished = run(folder, *misspelt, "--log-format", "json")
    assert finished.status == 2
    assert "there is no var 'lmm_budget': did you mean 'llm_budget_usd'?" in finished.output
    assert '"Running with dbt' in finished.output
    # A setting of dbt, with which it says nothing but what is wrong.
    (folder / ".env").write_text(f"{ENV}DBT_QUIET=true\n")
    finished = run(folder, *misspelt)
    assert "there is no var 'lmm_budget'" in finished.output
    assert "Running with dbt" not in finished.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--date", "2026-02-30"), "'2026-02-30' is not a day: write it as 2026-11-20"),
        (("--vars", "date: 2026-11-20"), "--date D names the day, not --vars"),
        (("--vars", "a: 2026-13-45"), "--vars, line 1: no value can be made of what stands here (month must be in"),
        (("--vars", "relabel"), "--vars 'relabel' names no value: write it as '{relabel: true}'"),
        (("--vars", "{2026-11-20: 1}"), "names no value"),
    ],
)
def test_what_a_build_refuses_before_dbt_starts(arguments: tuple[str, ...], says: str) -> None:
    finished = run(ROOT, "groundswell", "build", *arguments)
    assert finished.status == 2
    assert says in finished.output
    assert "Traceback" not in finished.output


def test_a_build_says_that_dbt_is_not_beside_this_python(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    finished = subprocess.run(
        [python, "-m", "groundswell", "build"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2
    assert finished.stderr.startswith(f"ERROR: {tmp_path / 'dbt'} is missing: run the Python of the environment")
