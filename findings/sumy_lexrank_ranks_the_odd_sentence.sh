#!/usr/bin/env bash
# sumy 0.13.0 (with numpy 2.4.6), class LexRankSummarizer.
#
# Guess: of several sentences that say the same and one that has nothing to do with them, the summary is one of the former.
# Seen: the unrelated sentence leads. sumy computes the idf of a term as log(n / (1 + k)) for a term that k of n sentences
# hold. A term that all sentences but one hold weighs log(n / n) = 0, so the sentences that share their terms are not
# similar to each other. Each sentence is similar to itself only, all ranks are equal, and the order of the text decides.
# The published method (Erkan & Radev 2004, JAIR 22) has log(n / k) and a damping factor.
# What we do: words weigh by the day instead of by the cluster, and a sentence is rated by its similarity to the
# sentences of other posts. The sentences, the stemmer and the stop words are still those of sumy.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sumy==0.13.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.summarizers.lex_rank import LexRankSummarizer


class Words:
    def to_words(self, text):
        return tuple(text.lower().replace(".", "").split())


odd = "Bananas ripen quickly."
texts = [odd] + [f"Invoice export fails {when}." for when in ("today", "again", "often", "always")]
sentences = [Sentence(text, Words()) for text in texts]
summarizer = LexRankSummarizer()
[first] = summarizer(ObjectDocumentModel([Paragraph(sentences)]), 1)
print("sumy", version("sumy"), "| texts:", texts)
print("summary of one sentence:", first)
raise SystemExit(0 if str(first) == odd else "Changed: the unrelated sentence does not lead any more.")
PY
echo "As stated: the unrelated sentence leads."
