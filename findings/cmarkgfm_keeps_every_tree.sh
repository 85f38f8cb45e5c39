#!/usr/bin/env bash
# cmarkgfm 2025.10.22.
#
# Guess: a model that renders posts in batches of 1,000 and keeps no page needs the memory of a batch.
# Seen: each call of markdown_to_html_with_extensions keeps 4 to 36 times the size of its text for good. It frees the
# parser, but neither the tree that cmark_parser_finish hands over nor the page: cmark_node_free is not among the functions
# that it offers.
# What we do: we make the same calls, and free both through ctypes (from_markdown of models/silver/posts/plain_texts.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cmarkgfm==2025.10.22
"$folder/venv/bin/python" - <<'PY'
import resource
from importlib.metadata import version

from cmarkgfm.cmark import markdown_to_html_with_extensions

text = "A sentence with *emphasis* and `code`.\n\n" * 25


def most() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def render(times: int) -> None:
    for _ in range(times):
        markdown_to_html_with_extensions(text)


render(1_000)
before = most()
render(10_000)
grown = most() - before
print("cmarkgfm", version("cmarkgfm"), "|", f"10,000 times a text of {len(text)} bytes: {grown:.0f} MB more")
raise SystemExit(0 if grown > 20 else "Changed: the memory does not grow.")
PY
echo "As stated: the memory of every text is kept."
