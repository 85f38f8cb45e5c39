#!/usr/bin/env bash
# cmarkgfm 2025.10.22.
#
# Guess: any text in markdown becomes HTML. A numeric reference to a code point that is no character gives that code point,
# or U+FFFD, as CommonMark says of invalid ones.
# Seen: for &#65534; and &#xFFFF; cmark writes one byte, 0xFE or 0xFF, which is no UTF-8, and cmarkgfm ends in a
# UnicodeDecodeError. The same characters written as they are, and all other references, are fine. One post with such a
# reference ends a program that renders many.
# Known, and mended in the library from which this one is made: https://github.com/commonmark/cmark/issues/548.
# What we do: the page is read with errors="replace" (from_markdown of models/silver/posts/plain_texts.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cmarkgfm==2025.10.22
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from cmarkgfm import github_flavored_markdown_to_html


def rendered(text):
    try:
        return github_flavored_markdown_to_html(text)
    except UnicodeDecodeError as error:
        return f"byte {error.object[error.start]:#x}"


print("cmarkgfm", version("cmarkgfm"))
seen = {text: rendered(text) for text in ("&#65534;", "&#xFFFF;", "\uffff", "&#x1FFFF;", "&#xD800;")}
for text, page in seen.items():
    print(ascii(text), "->", ascii(page))
stated = ["byte 0xfe", "byte 0xff", "<p>\uffff</p>\n", "<p>\U0001ffff</p>\n", "<p>\ufffd</p>\n"]
raise SystemExit(0 if list(seen.values()) == stated else "Changed.")
PY
echo "As stated: two references become bytes that are no UTF-8."
