#!/usr/bin/env bash
# chonkie 1.7.0.
#
# Guess: no chunk of SentenceChunker is longer than chunk_size ("Maximum number of tokens per chunk"), but for one sentence
# that is longer by itself.
# Seen: sentences of fewer than 12 letters (min_characters_per_sentence, by default) are joined until a longer one comes,
# without regard to chunk_size: 50 times "Short one. " is one chunk of 550 letters where 50 are allowed. A log or a chat of
# short lines is one chunk, and an embedding model cuts it at its own length, without a word. With
# min_characters_per_sentence=1 all chunks fit.
# What we do: texts are cut by tokens (groundswell/encoder.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chonkie==1.7.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from chonkie import SentenceChunker

print("chonkie", version("chonkie"))
seen = []
for text in ("Short one. " * 50, "A sentence of more letters. " * 20):
    for options in ({}, {"min_characters_per_sentence": 1}):
        chunks = SentenceChunker(tokenizer="character", chunk_size=50, **options).chunk(text)
        seen.append(max(len(chunk.text) for chunk in chunks))
        print(repr(text[:28]), len(text), "letters", options, "| longest chunk:", seen[-1])
raise SystemExit(0 if seen[0] == 550 and max(seen[1:]) <= 50 else "Changed.")
PY
echo "As stated: short sentences stay in one chunk."
