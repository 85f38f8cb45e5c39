#!/usr/bin/env bash
# dbt-core 1.11.16 with dbt-common 1.39.0, dbt-duckdb 1.11.1.
#
# Guess: with --log-level error and --log-level-file error an event for debugging costs next to nothing.
# Seen: the text of each event is made once for each log, and each time all variables of the environment are read to look
# for secrets. Only the level `none` spares it. In a build of 400 nodes this was a fifth of the CPU time.
# What we do: backfill turns both logs off and takes the events from a callback of dbtRunner (groundswell/dbt_commands.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    dbt-core==1.11.16 dbt-common==1.39.0 dbt-duckdb==1.11.1 duckdb==1.5.5
mkdir "$folder/project" "$folder/project/models"
cd "$folder/project"
cat > dbt_project.yml << 'END'
name: small
profile: small
flags: {send_anonymous_usage_stats: false}
END
cat > profiles.yml << 'END'
small: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:'}}}
END
echo "select 1 as one" > models/one.sql
cat > count.py << 'END'
import sys
from importlib.metadata import version

import dbt_common.events.logger as logger
from dbt.cli.main import dbtRunner

made = {"texts": 0}
create_line = logger._TextLogger.create_line


def counting(self, message):
    made["texts"] += 1
    return create_line(self, message)


logger._TextLogger.create_line = counting
counts = {}
for level in ("error", "none"):
    made["texts"] = 0
    result = dbtRunner().invoke(["--log-level", level, "--log-level-file", level, "run"])
    assert result.success, result.exception
    counts[level] = made["texts"]
with open("logs/dbt.log") as log:
    written = len(log.read().splitlines())
print(f"dbt-core {version('dbt-core')}, dbt-common {version('dbt-common')}: {counts} texts made, {written} lines written")
if counts["error"] > 100 and counts["none"] == 0 and written == 0:
    print("As stated: no log takes the events, and their texts are made.")
else:
    sys.exit("Changed.")
END
"$folder/venv/bin/python" count.py
