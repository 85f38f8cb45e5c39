#!/usr/bin/env bash
# APScheduler 3.11.3, croniter 7.0.0.
#
# Guess: CronTrigger.from_crontab reads a line of crontab as cron does: "Create a CronTrigger from a standard crontab expression".
# Seen: a day of the week as a number is one day late. `0 3 * * 0` runs on Mondays, `1-5` from Tuesday to Saturday, and 7, Sunday in
# cron, is an error. Names are right. Where both days are given, cron runs on either and APScheduler on the days that are both:
# `0 3 1 * mon` runs once in several months. A weekly report has six days of a week and one of the next.
# What we do: schedules are cron's, or Dagster's and Airflow's, which read crontab as cron does.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apscheduler==3.11.3 croniter==7.0.0
"$folder/venv/bin/python" - <<'PY'
from datetime import UTC, datetime
from importlib.metadata import version

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

print("apscheduler", version("apscheduler"), "| croniter", version("croniter"))
start = datetime(2026, 11, 3, 12, tzinfo=UTC)
seen = []
for line in ("0 3 * * 0", "0 3 * * sun", "0 3 * * 1", "0 3 1 * mon"):
    by_apscheduler = CronTrigger.from_crontab(line, timezone="UTC").get_next_fire_time(None, start)
    by_cron = croniter(line, start).get_next(datetime)
    seen.append(tuple(f"{time:%a %Y-%m-%d}" for time in (by_apscheduler, by_cron)))
    print(line, "| apscheduler:", seen[-1][0], "| cron:", seen[-1][1])
expected = [
    ("Mon 2026-11-09", "Sun 2026-11-08"),
    ("Sun 2026-11-08", "Sun 2026-11-08"),
    ("Tue 2026-11-10", "Mon 2026-11-09"),
    ("Mon 2027-02-01", "Mon 2026-11-09"),
]
raise SystemExit(0 if seen == expected else "Changed.")
PY
echo "As stated: day 0 is a Monday."
