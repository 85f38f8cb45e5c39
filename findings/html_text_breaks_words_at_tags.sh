#!/usr/bin/env bash
# html-text 0.7.1.
#
# Guess: html_text gives the words of a page as a reader sees them. Its README says that "the output text
# looks more like how it is rendered in browsers".
# Seen: a blank stands at each inline tag within a word: un<b>break</b>able is "un break able", Ctrl+C in two <kbd> is "Ctrl + C",
# 10<sup>9</sup> is "10 9", and a highlighted foo_bar is "foo _bar". A search for the word finds nothing, and two copies of a post, one of
# them with a match in bold, differ. The lines of <pre> are joined as well.
# What we do: the HTML of posts becomes lines of text in SQL (models/silver/posts/post_lines.sql).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check html-text==0.7.1 lxml-html-clean==0.4.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from html_text import extract_text

print("html-text", version("html-text"))
expected = {
    "<p>un<b>break</b>able</p>": "un break able",
    "<p><kbd>Ctrl</kbd>+<kbd>C</kbd></p>": "Ctrl + C",
    "<p>10<sup>9</sup> rows</p>": "10 9 rows",
    "<p><em>foo</em>_bar</p>": "foo _bar",
    "<pre>one\n  two</pre>": "one two",
}
seen = {page: extract_text(page) for page in expected}
for page, text in seen.items():
    print(repr(page), "->", repr(text))
raise SystemExit(0 if seen == expected else "Changed.")
PY
echo "As stated: words are broken at tags."
