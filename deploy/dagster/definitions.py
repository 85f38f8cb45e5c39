"""Groundswell in Dagster: a partition a day, each dbt model an asset, each data test an asset check.

    dagster dev -f deploy/dagster/definitions.py

The database has one writer, so one run at a time may work. File dagster.yaml beside this one says so: copy it into the
folder that DAGSTER_HOME names.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster import (
    AssetExecutionContext,
    DailyPartitionsDefinition,
    Definitions,
    Failure,
    MaterializeResult,
    asset,
    build_schedule_from_partitioned_job,
    define_asset_job,
)
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

ROOT = Path(__file__).resolve().parents[2]
# A partition is a UTC day.
DAYS = DailyPartitionsDefinition(start_date="2026-11-01", timezone="UTC")
POOL = "groundswell"

# `dagster dev` parses the project. Elsewhere run `dbt parse` after each update.
project = DbtProject(project_dir=ROOT, target_path=Path(os.environ.get("DBT_TARGET_PATH") or "target"))
project.prepare_if_dev()


@asset(key=["bronze", "raw_items"], partitions_def=DAYS, pool=POOL, group_name="bronze")
def raw_items(context: AssetExecutionContext) -> MaterializeResult[Any]:
    """The posts of a day, as the sources give them."""
    command = [sys.executable, "-m", "ingest", "--json", "--date", context.partition_key]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    for line in ended.stderr.splitlines():
        context.log.info(line)
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or [f"python -m ingest ended with status {ended.returncode}"]
        raise Failure(said[-1])
    sources = json.loads(ended.stdout)["sources"]
    return MaterializeResult(
        metadata={name: sum(each[name] for each in sources) for name in ("new", "updated", "known")}
    )


@dbt_assets(manifest=project.manifest_path, partitions_def=DAYS, pool=POOL)
def groundswell_models(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """The models and data tests of a day. Nothing else hands the day of the partition to dbt."""
    day = json.dumps({"date": context.partition_key})
    # A run of a few assets leaves out the tests that need other tables as well.
    command = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "buildable", "--vars", day]
    yield from dbt.cli(command, context=context).stream()


every_night = build_schedule_from_partitioned_job(
    define_asset_job("day", selection="*", partitions_def=DAYS), hour_of_day=1, minute_of_hour=0
)

definitions = Definitions(
    assets=[raw_items, groundswell_models],
    schedules=[every_night],
    resources={"dbt": DbtCliResource(project_dir=project, dbt_executable=str(Path(sys.executable).with_name("dbt")))},
)
