#!/usr/bin/env bash
# google-play-scraper 1.2.7.
#
# Guess: the time of a review, `at`, is the same wherever the program runs.
# Seen: it is the time of the machine's zone, without the zone: 2026-11-20 01:30 in UTC is 2026-11-19 20:30 in New York. A
# laptop and a server put one review on two days, days begin and end at other hours, and in the autumn one hour is there
# twice. The seconds that the service sent are not kept. repliedAt is the same.
# What we do: all times are in UTC from the moment they are read (ingest/item.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check google-play-scraper==1.2.7
cat > "$folder/finding.py" <<'PY'
import os

from google_play_scraper.constants.element import ElementSpecs

review = ["id", ["Ann", [1, 1, None, [None, None, "image"]]], 1, None, "It hangs.", [1795138200], 0, [None, "Sorry.", [1795138200]], None, None, "1"]
read = {name: spec.extract_content(review) for name, spec in ElementSpecs.Review.items()}
print(os.environ["TZ"], read["at"], read["repliedAt"], read["at"].tzinfo)
PY
for zone in UTC America/New_York; do
    TZ=$zone "$folder/venv/bin/python" "$folder/finding.py"
done | tee "$folder/seen"
"$folder/venv/bin/pip" list 2> /dev/null | grep google
cat > "$folder/stated" <<'TXT'
UTC 2026-11-20 01:30:00 2026-11-20 01:30:00 None
America/New_York 2026-11-19 20:30:00 2026-11-19 20:30:00 None
TXT
diff "$folder/stated" "$folder/seen" || { echo "Changed."; exit 1; }
echo "As stated: the day of a review depends on the machine."
