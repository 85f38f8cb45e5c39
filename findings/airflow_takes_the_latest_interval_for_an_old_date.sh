#!/usr/bin/env bash
# apache-airflow 3.3.2.
#
# Guess: `airflow dags trigger DAG --logical-date 2026-11-21` with CronDataIntervalTimetable makes a run of the interval
# that ends on that date, as a run of Airflow 2 did: data_interval_start is 2026-11-20.
# Seen: the run has the logical date, and the interval that ended last before now. So a task that takes its day from
# data_interval_start works on yesterday, whatever date a person gave.
# What we do: deploy/airflow/groundswell_day.py has a parameter `day`, which wins over the interval.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apache-airflow==3.3.2
export AIRFLOW_HOME="$folder/home" AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__CORE__DAGS_FOLDER="$folder/dags"
mkdir "$folder/dags"
cat >"$folder/dags/days.py" <<'PY'
from datetime import UTC, datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

with DAG(
    "days",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
):
    EmptyOperator(task_id="nothing")
PY
airflow="$folder/venv/bin/airflow"
for command in "db migrate" "dags reserialize" "dags trigger days --logical-date 2026-11-21 --run-id old"; do
    # shellcheck disable=SC2086
    "$airflow" $command >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
done
"$folder/venv/bin/python" - "$folder/home/airflow.db" <<'PY'
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

print("apache-airflow", version("apache-airflow"))
query = "select logical_date, data_interval_start, data_interval_end from dag_run where run_id = 'old'"
[(logical, start, end)] = sqlite3.connect(sys.argv[1]).execute(query).fetchall()
print("logical date:", logical)
print("interval:", start, "to", end)
now = datetime.now(UTC)
latest = {f"{now - timedelta(days=days):%Y-%m-%d}" for days in (1, 2)}
if logical.startswith("2026-11-21") and start[:10] in latest and start[:10] != "2026-11-20":
    print("As stated: the interval is that of now.")
else:
    print("Changed.")
    sys.exit(1)
PY
