#!/usr/bin/env bash
# sumy 0.13.0, PlaintextParser.
#
# Guess: each sentence of a text is a sentence of the parsed document, so a summary may quote it.
# Seen: a line in capitals is a heading. Summarizers read sentences only: what somebody shouts is never quoted, and it counts
# for nothing. A text of capitals only has no sentence, and its summary is empty, without an error. One capital letter and
# digits are enough ("E0425"). sumy's pages show the parser with articles, and do not speak of capitals.
# What we do: sentences come from sentencex and go to sumy's summarizer without its parser (groundswell/sentences.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sumy==0.13.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from sumy.parsers.plaintext import PlaintextParser
from sumy.summarizers.luhn import LuhnSummarizer


class Tokenizer:
    """sumy's own needs data of nltk, which no package has."""

    def to_sentences(self, text):
        return [f"{part.strip()}." for part in text.split(".") if part.strip()]

    def to_words(self, text):
        return text.strip(".").split()


def parsed(text):
    return PlaintextParser.from_string(text, Tokenizer()).document


print("sumy", version("sumy"))
mixed = parsed("The update is installed.\nIT DELETED ALL OF MY FILES.\nI had no copy.")
sentences, headings = list(map(str, mixed.sentences)), list(map(str, mixed.headings))
print("sentences:", sentences, "| headings:", headings)
shouted = parsed("IT DELETED ALL OF MY FILES. PLEASE HELP ME.\nE0425.")
summary = LuhnSummarizer()(shouted, 3)
print("sentences of a text in capitals:", len(shouted.sentences), "| its summary:", summary)
is_as_stated = (
    sentences == ["The update is installed.", "I had no copy."]
    and headings == ["IT DELETED ALL OF MY FILES."]
    and len(shouted.sentences) == len(summary) == 0
)
raise SystemExit(0 if is_as_stated else "Changed.")
PY
echo "As stated: a line in capitals is no sentence."
