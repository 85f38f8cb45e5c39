#!/usr/bin/env bash
# pycron 3.3.0.
#
# Guess: in the day of the week 7 is Sunday, as 0 is: so cron itself has it, and croniter.
# Seen: is_now is False all week for `0 0 * * 7`, without an error, and on Sunday for `0 0 * * 5-7`. `3/10` in the minutes,
# which croniter takes for 3, 13, 23, is never true either.
# What we do: timers are those of systemd and of cron (docs/operations.md).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pycron==3.3.0 croniter==7.0.0
"$folder/venv/bin/python" - <<'PY'
from datetime import datetime
from importlib.metadata import version

import pycron
from croniter import croniter

print("pycron", version("pycron"), "croniter", version("croniter"))
week = [datetime(2026, 11, day) for day in range(16, 23)]
hour = [datetime(2026, 11, 22, 0, minute) for minute in range(60)]
seen = []
for rule, moments in (("0 0 * * 0", week), ("0 0 * * 7", week), ("0 0 * * 5-7", week), ("3/10 * * * *", hour)):
    runs = [sum(matches(rule, moment) for moment in moments) for matches in (pycron.is_now, croniter.match)]
    seen.append(runs)
    print(f"{rule:14} pycron", runs[0], "| croniter", runs[1])
raise SystemExit(0 if seen == [[1, 1], [0, 1], [2, 3], [0, 6]] else "Changed.")
PY
echo "As stated: pycron has no Sunday 7."
