"""The examples for schedulers, deploy/dagster and deploy/airflow: the day of a run reaches every command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.loopback import Answer, Loopback
from tests.support.project import DAY, ROOT, Project
from tests.support.services import addresses

# Prints what a run of the DAG does on a day: without parameters, and with a day of its own. Cosmos must be imported
# after airflow (findings/cosmos_must_be_imported_after_airflow.sh).
SHOW_DAG = """
import json, sys
import airflow
from pendulum import datetime
sys.path.insert(0, "deploy/airflow")
from groundswell_day import dag
collect, build = dag.get_task("collect"), dag.get_task("build.dbt_producer_watcher")
for params in ({"day": None}, {"day": "2026-11-18"}):
    context = {"params": params, "data_interval_start": datetime(2026, 11, 20)}
    command = collect.render_template(collect.bash_command, context)
    print("seen", json.dumps([command, build.render_template(build.vars, context)]))
print("seen", json.dumps([task.task_id for task in dag.tasks]))
"""


@pytest.fixture
def posts(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A database with the posts of a day, and a manifest, in this process' environment."""
    assert project.ingest("--date", DAY, "--sample").status == 0
    for name, value in project.environment({}).items():
        monkeypatch.setenv(name, value)
    parsed = project.run(str(Path(sys.executable).with_name("dbt")), "parse")
    assert parsed.status == 0, parsed.output
    return project


@pytest.fixture
def signals() -> Iterator[None]:
    """Undo that Dagster handles SIGTERM as SIGINT. Where SIGINT is ignored, later programs would ignore both."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def definitions() -> ModuleType:
    """The module deploy/dagster/definitions.py."""
    spec = spec_from_file_location("definitions", ROOT / "deploy/dagster/definitions.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Of Dagster's packages among themselves.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("signals")
def test_dagster_builds_the_day_of_the_partition(
    posts: Project, loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    dagster = pytest.importorskip("dagster", reason="extra schedulers is not installed")
    module = definitions()
    resources = module.definitions.resources
    wanted = dagster.AssetSelection.assets(["silver", "documents"]).upstream()
    built = dagster.materialize([module.groundswell_models], selection=wanted, partition_key=DAY, resources=resources)
    assert built.success
    made = {event.asset_key.path[-1] for event in built.get_asset_materialization_events()}
    assert {"documents", "plain_texts"} <= made
    assert built.get_asset_check_evaluations()
    assert posts.query("select collection_date::text, count(*) from silver.documents group by all") == [(DAY, 198)]

    loopback.answer = lambda _: Answer("no", 403)
    for name, address in addresses(loopback.url).items():
        monkeypatch.setenv(name, address)
    collected = dagster.materialize([module.raw_items], partition_key=DAY, raise_on_error=False)
    assert not collected.success
    [failure] = collected.filter_events(lambda event: event.is_step_failure)
    assert "403" in failure.step_failure_data.user_failure_data.description

    night = dagster.build_schedule_context(scheduled_execution_time=datetime(2026, 11, 21, 1, tzinfo=UTC))
    [request] = module.every_night.evaluate_tick(night).run_requests
    assert request.partition_key == DAY


def test_airflow_hands_its_day_to_every_command(posts: Project, tmp_path: Path) -> None:
    pytest.importorskip("cosmos", reason="extra schedulers is not installed")
    environment = os.environ | {"AIRFLOW_HOME": str(tmp_path), "GROUNDSWELL_BIN": "/bin", "GROUNDSWELL_HOME": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_DAG], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    *runs, tasks = [json.loads(line[5:]) for line in shown.stdout.splitlines() if line.startswith("seen ")]
    assert runs == [
        ["/bin/python -m ingest --date 2026-11-20", {"date": "2026-11-20"}],
        ["/bin/python -m ingest --date 2026-11-18", {"date": "2026-11-18"}],
    ]
    assert {"build.posts.run", "build.posts.test", "build.problems.run"} <= set(tasks)
