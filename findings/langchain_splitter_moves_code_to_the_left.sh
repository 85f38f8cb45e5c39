#!/usr/bin/env bash
# langchain-text-splitters 1.1.3.
#
# Guess: MarkdownHeaderTextSplitter cuts a text at its headings, and leaves what stands between them as it is.
# Seen: it takes the blanks off both ends of each line. Code in a fence loses its indentation, so that Python is no longer
# valid and YAML says something else; a list within a list is one list; a block of code by four blanks is prose.
# strip_headers=False changes nothing in this, and there is no setting that does. What was embedded, quoted as evidence or given
# to a language model is not what the author wrote. MarkdownTextSplitter keeps the lines.
# What we do: each quote of a problem must stand in the post itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: langchain-text-splitters==1.1.3
"$folder/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

from langchain_text_splitters import MarkdownHeaderTextSplitter, MarkdownTextSplitter

post = "# It fails\n\n- open\n  - click\n\n```python\ndef f():\n    return 1\n```\n"
print("langchain-text-splitters", version("langchain-text-splitters"))
seen = {}
for strip_headers in (True, False):
    (part,) = MarkdownHeaderTextSplitter([("#", "title")], strip_headers=strip_headers).split_text(post)
    seen[strip_headers] = part.page_content
    print(repr(part.page_content))
(kept,) = MarkdownTextSplitter(chunk_size=500, chunk_overlap=0).split_text(post)
print("MarkdownTextSplitter:", repr(kept))
is_as_stated = all("- open\n- click" in text and "def f():\nreturn 1\n" in text for text in seen.values()) and kept == post.strip()
raise SystemExit(0 if is_as_stated else "Changed.")
PY
echo "As stated: code and lists lose their indentation."
