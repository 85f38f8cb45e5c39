#!/usr/bin/env bash
# fastfeedparser 0.6.5, feedparser 6.0.14.
#
# Guess: fastfeedparser, which offers itself as a faster feedparser, gives the same titles and texts.
# Seen: a title of Atom with type="xhtml" is empty, without an error: bloggers' programs write such titles where one word is in
# italics. Of a content of type text, "if a <b> c", the description keeps "if a c", although nothing in it is HTML.
# What we do: feedparser reads feeds (ingest/sources/feeds.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check fastfeedparser==0.6.5 feedparser==6.0.14
cat > finding.py <<'PY'
from importlib.metadata import version

import fastfeedparser
import feedparser

atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>t</id><updated>2026-11-20T10:00:00Z</updated>
<entry><id>1</id><link href="https://example.com/1"/><updated>2026-11-20T10:00:00Z</updated>
<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">The build <em>fails</em></div></title>
<content type="text">if a &lt;b&gt; c</content></entry></feed>"""
fast, usual = fastfeedparser.parse(atom).entries[0], feedparser.parse(atom).entries[0]
print("fastfeedparser", version("fastfeedparser"), "| feedparser", version("feedparser"))
print("title:", repr(fast.get("title")), "| feedparser's:", repr(usual.title))
print("description:", repr(fast.get("description")), "| feedparser's:", repr(usual.summary))
is_as_stated = (
    not fast.get("title")
    and "fails" in usual.title
    and "<b>" not in fast.get("description")
    and "<b>" in usual.summary
)
raise SystemExit(0 if is_as_stated else "Changed.")
PY
venv/bin/python finding.py
echo "As stated: the title is empty."
