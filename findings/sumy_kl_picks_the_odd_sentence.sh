#!/usr/bin/env bash
# sumy 0.13.0.
#
# Guess: the KL summarizer (KLSum, Haghighi and Vanderwende 2009) begins with the sentence whose words are spread as those of
# the whole document are.
# Seen: it begins with the sentence that has the rarest words. The divergence is summed over the words of the summary only, so
# that a word of the document which the summary lacks costs nothing, and each term of a rare word is below zero: of four
# sentences about a build and one about a cat, the cat is the summary.
# What we do: summaries are a LexRank of our own (groundswell/sentences.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sumy==0.13.0
"$folder/venv/bin/python" - <<'PY'
import math
from collections import Counter
from importlib.metadata import version

from sumy.parsers.plaintext import PlaintextParser
from sumy.summarizers.kl import KLSummarizer


class Tokenizer:
    """A sentence ends at a full stop, a word at a blank."""

    def to_sentences(self, text):
        return [sentence.strip() + "." for sentence in text.split(".") if sentence.strip()]

    def to_words(self, sentence):
        return sentence.lower().rstrip(".").split()


text = (
    "The build fails on Windows after the update. After the update the build fails on Windows for me. "
    "The build on Windows fails since the update. My cat likes tuna. Since the update no build works on Windows."
)
tokenizer = Tokenizer()
document = PlaintextParser.from_string(text, tokenizer).document
[sentence] = KLSummarizer()(document, 1)
words = Counter(tokenizer.to_words(text.replace(".", "")))


def divergence(summary):
    """The divergence of the document from a sentence, where a word that the sentence lacks counts as a thousandth."""
    own = Counter(tokenizer.to_words(summary))
    spread = {word: (own[word] + 0.001) / (own.total() + 0.001 * len(words)) for word in words}
    return sum(n / words.total() * math.log(n / words.total() / spread[word]) for word, n in words.items())


best = min(map(str, document.sentences), key=divergence)
print("sumy", version("sumy"), "| summary:", sentence, "| least divergence:", best)
raise SystemExit(0 if str(sentence) == "My cat likes tuna." and best != str(sentence) else "Changed.")
PY
echo "As stated: the odd sentence is the summary."
