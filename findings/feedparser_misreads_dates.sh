#!/usr/bin/env bash
# feedparser 6.0.14, feedparser.parse on a feed of RSS 2.0, and entry.published_parsed.
#
# Guess: published_parsed is the time of the entry in UTC, or None if feedparser can not read the date.
# Seen: "2026-11-20 10:00:00 UTC" becomes midnight. In "2026-11-20T10:00:00 +0530" the half hour is lost: 05:00 instead
# of 04:30. "10:00:00 CET" becomes 10:00 UTC. No error is reported: bozo stays False.
# What we do: the text of the date is read by our own code (ingest/sources/feeds.py, ingest/item.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check feedparser==6.0.14
"$folder/venv/bin/python" - <<'PY'
import io
from importlib.metadata import version
from time import strftime

import feedparser

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>
<item><title>x</title><link>https://example.com/1</link><pubDate>{}</pubDate></item></channel></rss>"""
EXPECTED = {
    "Fri, 20 Nov 2026 10:00:00 +0530": "04:30",
    "2026-11-20 10:00:00 UTC": "00:00",
    "2026-11-20T10:00:00 +0530": "05:00",
    "Fri, 20 Nov 2026 10:00:00 CET": "10:00",
}
print("feedparser", version("feedparser"))
seen = {}
for date in EXPECTED:
    found = feedparser.parse(io.BytesIO(FEED.format(date).encode()))
    seen[date] = strftime("%H:%M", found.entries[0].published_parsed)
    print(f"{date}: {seen[date]} UTC, bozo {found.bozo}")
raise SystemExit(0 if seen == EXPECTED else "Changed: the dates are read in another way.")
PY
echo "As stated: two of four dates lose their time or half an hour, and CET is taken for UTC."
