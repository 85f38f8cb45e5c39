#!/usr/bin/env bash
# inscriptis 2.7.6.
#
# Guess: inscriptis keeps the lines of preformatted text, since it is for text that looks as it does in a browser
# ("layout-aware").
# Seen: it does for `<pre>`, and joins the lines for `<pre><code>`, which is how Markdown, Stack Exchange and GitHub write
# code: a stack trace or a Python function is one line, without its indentation. An error message that stood on a line of its
# own is lost for whatever looks for lines. Two `<span>`s side by side get a blank between them, so that highlighted code,
# foo.bar(), becomes foo . bar ().
# What we do: the HTML of posts becomes lines of text in SQL (models/silver/posts/post_lines.sql).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check inscriptis==2.7.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from inscriptis import get_text

print("inscriptis", version("inscriptis"))
code = "def f():\n    return 1\n\nValueError: no"
seen = []
for page in (f"<pre>{code}</pre>", f"<pre><code>{code}</code></pre>", "<span>foo</span><span>.</span><span>bar</span><span>()</span>"):
    seen.append(get_text(f"<html><body>{page}</body></html>").strip())
    print(repr(page), "->", repr(seen[-1]))
raise SystemExit(0 if seen == [code, "def f(): return 1 ValueError: no", "foo . bar ()"] else "Changed.")
PY
echo "As stated: the lines of code are joined."
