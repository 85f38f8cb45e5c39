"""Groundswell in Airflow: a run a day, each dbt model a task, with Astronomer's Cosmos.

Put this file into Airflow's folder of DAGs. Set GROUNDSWELL_HOME to the clone and GROUNDSWELL_DB to the database. Run
`dbt parse` in the clone after each update: Airflow reads the models from target/manifest.json.

One task runs `dbt build`. The tasks of the models wait for it and show what became of their model (execution mode
WATCHER). In Cosmos' default mode each task would run a dbt of its own, with all hooks of the project.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param
from airflow.timetables.interval import CronDataIntervalTimetable
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode

ROOT = Path(os.environ.get("GROUNDSWELL_HOME") or Path(__file__).resolve().parents[2])
BIN = Path(os.environ.get("GROUNDSWELL_BIN") or ROOT / ".venv" / "bin")
TARGET = ROOT / (os.environ.get("DBT_TARGET_PATH") or "target")
# The UTC day that has ended when a run begins. Other timetables of Airflow 3 would give the day after it. A run that a
# person triggers has the latest interval, whatever its logical date: parameter `day` names another day.
DAY = "{{ params.day or (data_interval_start | ds) }}"

with DAG(
    "groundswell_day",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    # The database has one writer, and each day builds on the days before it.
    max_active_runs=1,
    params={"day": Param(None, type=["null", "string"], format="date")},
    default_args={"depends_on_past": True, "retries": 0},
) as dag:
    collect = BashOperator(task_id="collect", bash_command=f"{BIN}/python -m ingest --date {DAY}", cwd=str(ROOT))
    build = DbtTaskGroup(
        group_id="build",
        project_config=ProjectConfig(ROOT, manifest_path=TARGET / "manifest.json", install_dbt_deps=False),
        profile_config=ProfileConfig("groundswell", "local", profiles_yml_filepath=ROOT / "profiles.yml"),
        render_config=RenderConfig(load_method=LoadMode.DBT_MANIFEST),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=BIN / "dbt",
        ),
        operator_args={"vars": {"date": DAY}},
    )
    collect >> build
