#!/usr/bin/env bash
# BERTopic 0.17.4.
#
# Guess: after merge_topics() or reduce_topics() the labels of set_topic_labels() stand at their topics, or are gone.
# Seen: topics are numbered anew, by size, and the labels are not: they stay by number. Export and Build are merged and are now
# the largest topic, 0; each chart with custom_labels=True calls it Login, and calls the topic of the logins Export.
# get_topic_info() and get_document_info() leave the labels out, since there is one too many, so that nothing seems wrong until
# one looks at the chart. Labels that a language model or a person wrote must be set again after each merge.
# What we do: a problem has an identity of its own, to which its label belongs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
# The light installation of its documentation: without models, UMAP and HDBSCAN.
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --no-deps bertopic==0.17.4
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
    numpy==2.4.6 pandas==2.3.3 plotly==7.1.0 pyyaml==6.0.4 rich scikit-learn==1.9.1 scipy==1.17.1 tqdm
"$folder/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
from bertopic import BERTopic
from bertopic.dimensionality import BaseDimensionalityReduction
from sklearn.cluster import KMeans

words = {"Login": "login password account sign", "Export": "export csv rows file", "Build": "build mac compile linker"}
truth = ["Login"] * 40 + ["Export"] * 30 + ["Build"] * 20
chance = np.random.default_rng(0)
posts = [" ".join(chance.permutation(words[name].split())[:3]) for name in truth]
vectors = np.eye(3)[[list(words).index(name) for name in truth]] + chance.normal(0, 0.01, (90, 3))
model = BERTopic(
    embedding_model=None, umap_model=BaseDimensionalityReduction(), hdbscan_model=KMeans(3, n_init=1, random_state=0)
)
topics, _ = model.fit_transform(posts, vectors)
model.set_topic_labels({topic: name for topic, name in zip(topics, truth)})


def shown():
    """Of each label in the chart of words: the topic whose words stand below it."""
    bars = model.visualize_barchart(custom_labels=True)
    below = [next(name for name in words if {word.strip() for word in bar.y} & set(words[name].split())) for bar in bars.data]
    return {note.text: name for note, name in zip(bars.layout.annotations, below)}


before = shown()
model.merge_topics(posts, [topics[-1], topics[-30]])
after, columns = shown(), list(model.get_topic_info().columns)
print("BERTopic", version("bertopic"), "| label and words, before:", before, "| after:", after, "| topic_info:", columns)
is_as_stated = before == {name: name for name in words} and after["Export"] == "Login" and after["Login"] in ("Export", "Build")
raise SystemExit(0 if is_as_stated and "CustomName" not in columns else "Changed.")
PY
echo "As stated: labels stay by number when topics are numbered anew."
