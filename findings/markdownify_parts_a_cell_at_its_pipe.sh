#!/usr/bin/env bash
# markdownify 1.2.3, html2text 2025.4.15, markdown-it-py 4.3.0.
#
# Guess: a table of HTML that is written as Markdown and read again has the same cells.
# Seen: neither library escapes a pipe in a cell, so `grep x | wc` ends its cell, and what follows moves one column to the
# right; a row has no more cells than its heading (GitHub's rule), so the last ones are dropped. The row below reads: command
# "grep x", result "wc", and the 12 is gone. Commands, types (`int | None`) and log lines have pipes.
# What we do: HTML becomes plain lines, not Markdown (models/silver/posts/post_lines.sql).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check markdownify==1.2.3 html2text==2025.4.15 markdown-it-py==4.3.0
"$folder/venv/bin/python" - <<'PY'
import re
from importlib.metadata import version

from html2text import html2text
from markdown_it import MarkdownIt
from markdownify import markdownify

for package in ("markdownify", "html2text", "markdown-it-py"):
    print(package, version(package))
rows = [["command", "result"], ["grep x | wc", "12"]]
page = (
    "<table><thead><tr>" + "".join(f"<th>{cell}</th>" for cell in rows[0]) + "</tr></thead>"
    "<tbody><tr>" + "".join(f"<td>{cell}</td>" for cell in rows[1]) + "</tr></tbody></table>"
)
seen = []
for convert in (markdownify, html2text):
    text = convert(page).strip()
    again = MarkdownIt().enable("table").render(text)
    seen.append(re.findall(r"<td>(.*?)</td>", again))
    print(convert.__name__, repr(text), "-> cells:", seen[-1])
raise SystemExit(0 if seen == [["grep x", "wc"]] * 2 else "Changed.")
PY
echo "As stated: a pipe ends its cell."
