#!/usr/bin/env bash
# model2vec 0.10.0.
#
# Guess: encode(text, max_length=512) uses the first 512 tokens: max_length is the "maximum sequence length (in tokens)".
# Seen: the text is first cut at max_length times the median length of a token of the vocabulary, in letters. A post of 201
# long words, far below 512 tokens, loses its end, and a title after an indented log has a vector of zeros, whose cosine to
# anything is 0 or NaN. With max_length=None the same texts have the right vectors. Nothing is logged.
# What we do: texts are cut by tokens (groundswell/encoder.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check model2vec==0.10.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer, models, pre_tokenizers

words = {"[UNK]": 0, "[PAD]": 1, "build": 2, "fails": 3, "incomprehensibilities": 4}
tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
model = StaticModel(np.eye(5, dtype=np.float32), tokenizer)
print("model2vec", version("model2vec"))
seen = []
for text in ("incomprehensibilities " * 200 + "fails", "\n" + " " * 3_000 + "build fails"):
    tokens = len(tokenizer.encode(text).ids)
    cut, whole = (bool(model.encode([text], max_length=length)[0, words["fails"]] > 0) for length in (512, None))
    print(tokens, "tokens,", len(text), "letters | the last word counts with max_length=512:", cut, "| with None:", whole)
    seen.append((tokens, cut, whole))
raise SystemExit(0 if seen == [(201, False, True), (2, False, True)] else "Changed.")
PY
echo "As stated: letters are cut where tokens fit."
