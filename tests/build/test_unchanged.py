"""A build does nothing where nothing has changed since the last one, and all that a change may reach is built."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import DATABASE, DBT, ROOT, Finished, Project
from tests.support.shared import Shared

# What reads a file or a service is asked in every build, and so are the ledgers of the board.
ALWAYS = {
    "silver.watchlist",
    "silver.name_matches",
    "silver.opinion_attempts",
    "silver.pair_attempts",
    "gold.issue_label_attempts",
    "gold.problem_label_attempts",
    "gold.live_issues",
    "gold.live_problems",
    "gold.live_themes",
}
# A line of dbt for a model or seed that has done something.
DONE = re.compile(r"OK (?:created|loaded) .*? (\w+\.\w+) \.* ?\[(?!unchanged)")
LEFT_ALONE = re.compile(r"left alone: (\d+) tables and views, (\d+) data tests")
MODELS = [*(ROOT / "models").rglob("*.sql"), *(ROOT / "models").rglob("*.py")]


@dataclass(frozen=True)
class Copy:
    """A copy of the project's files, and one of the database of the sample day."""

    folder: Path
    project: Project

    def dbt(self, *command: str) -> Finished:
        return self.project.run(
            DBT, *command, "--project-dir", str(self.folder), "--profiles-dir", str(self.folder), "--no-use-colors"
        )

    def build(self, *arguments: str, variables: str = "", data_tests: bool = False) -> set[str]:
        """The models and seeds that a build has built."""
        left_out = () if data_tests else ("--exclude-resource-type", "test")
        finished = self.dbt("build", "--vars", f"{{date: 2026-11-20{variables}}}", *left_out, *arguments)
        assert finished.status == 0, finished.output
        return set(DONE.findall(finished.output))

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))

    def require_all_built(self, variables: str = "") -> None:
        """A build that leaves nothing alone finds nothing that the build before has missed."""
        before = self.project.contents()
        assert len(self.build("--full-refresh", variables=variables)) > 90
        assert self.project.contents() == before


@pytest.fixture
def copy(built: Project, shared: Shared, tmp_path: Path) -> Copy:
    def make(folder: Path) -> None:
        for name in ("models", "macros", "seeds", "sync", "groundswell", "tests/dbt"):
            shutil.copytree(ROOT / name, folder / name)
        for name in ("constraints.txt", "dbt_project.yml", "profiles.yml", "selectors.yml"):
            shutil.copy(ROOT / name, folder)
        found = Copy(folder, built.copy_to(folder))
        # The build of the sample day has written gold.live_issues and bronze.built_days after their readers had run.
        found.build(data_tests=True)
        # What dbt has parsed names files of this folder.
        shutil.rmtree(found.project.database.with_suffix(".target"))

    folder = shared.copy("unchanged", make, tmp_path / "project")
    return Copy(folder, Project(folder / DATABASE, parsed=built.parsed))


def test_nothing_is_done_where_nothing_has_changed(copy: Copy) -> None:
    before = copy.project.contents()
    noted = copy.project.query("select * from builds.fingerprints order by all")
    finished = copy.dbt("build", "--vars", "date: 2026-11-20")
    assert finished.status == 0, finished.output
    assert set(DONE.findall(finished.output)) == ALWAYS
    [(nodes, tests)] = LEFT_ALONE.findall(finished.output)
    assert (int(nodes) > 85, int(tests) > 300) == (True, True)
    # Every data test has passed, or had passed on the same rows.
    assert finished.output.count(" PASS ") == finished.output.count("START test") == int(tests)
    assert copy.project.contents() == before
    assert copy.project.query("select * from builds.fingerprints order by all") == noted
    copy.require_all_built()


def test_what_depends_on_a_change_is_built(copy: Copy) -> None:
    # One row of bronze: all that reads posts.
    copy.project.query(
        "update bronze.raw_items set title = title || ' (solved)'"
        " where url_hash = (select min(url_hash) from bronze.raw_items)"
    )
    built = copy.build()
    assert {"silver.plain_texts", "silver.texts", "silver.embeddings", "gold.problems"} <= built
    assert not {"silver.answer_weights", "silver.corrections"} & built
    copy.require_all_built()

    # One line of a seed: the seed, and what reads it.
    copy.edit("seeds/copy_limits.csv", "0.6", "0.7")
    built = copy.build()
    assert {"silver.copy_limits", "gold.problem_wordings"} <= built
    assert not {"silver.texts", "silver.embeddings", "silver.map_positions", "silver.wordings"} & built
    copy.require_all_built()

    # One line of a model: the model. Its rows are the same, so what reads them does nothing.
    copy.edit("models/gold/weeks/week_figures.sql", "with\n", "-- a remark\nwith\n")
    assert copy.build() == ALWAYS | {"gold.week_figures"}

    # One var, which any model may read.
    assert len(copy.build(variables=", problem_voices: 2")) > 90
    copy.require_all_built(variables=", problem_voices: 2")


def test_a_table_that_was_altered_by_hand_is_noticed(copy: Copy) -> None:
    before = copy.project.contents()
    copy.project.query("update gold.problem_events set problem_id = 'x' where event_date = '2026-11-20'")
    assert copy.build() == ALWAYS | {"gold.problem_events"}
    assert copy.project.contents() == before
    # A position stays for good, so a build can not mend it. The test that fails does so each time.
    copy.project.query(
        "update silver.map_positions set map_x = 7 where url_hash = (select min(url_hash) from silver.items)"
    )
    for command in ("test", "build", "build", "test"):
        finished = copy.dbt(command, "--vars", "date: 2026-11-20", "--select", "map_positions")
        assert finished.status == 1, finished.output
        assert "FAIL 1 between_map_positions_map_x" in finished.output


def read_outside(file: Path) -> set[str]:
    """What a model reads besides tables, as its meta says."""
    text = file.with_suffix(".yml").read_text()
    return set(re.findall(r"reads_outside: (\w+)", text)) | ({"service"} if "publishes:" in text else set())


@pytest.mark.parametrize("file", MODELS, ids=[file.stem for file in MODELS])
def test_a_model_says_what_it_reads_besides_tables(file: Path) -> None:
    text = file.read_text()
    kinds = {
        "file": r"load_watchlist|open\(|Path\(",
        "service": r"ModelSettings|push_live",
        "today": r"\bnow\(\)|current_(date|timestamp)|\btoday\(",
    }
    found = {kind for kind, pattern in kinds.items() if re.search(pattern, text)}
    assert found == read_outside(file)
    # What the environment says reaches a model by its meta alone.
    assert "env_var" not in text
    assert "environ[" not in text
