#!/usr/bin/env bash
# tantivy 0.27.0 (its package for Python).
#
# Guess: a post is found by each of its words, also by the hash of a commit.
# Seen: the default tokenizer drops words of 40 letters and more, from posts and from queries: the hash of a commit has 40, a
# SHA-256 has 64, names of exceptions and classes may have more. A search for such a word finds nothing, and in a query for
# "since AND <hash>" the condition vanishes: it finds each post with "since", also those with another hash. 39 letters are
# found. tantivy's pages for Rust name the filter; those for Python do not.
# What we do: we have no search by words.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tantivy==0.27.0
"$folder/venv/bin/python" - <<'PY'
import hashlib
from importlib.metadata import version

import tantivy

builder = tantivy.SchemaBuilder()
builder.add_text_field("body", stored=True)
index = tantivy.Index(builder.build())
writer = index.writer()
first, second = (hashlib.sha1(text).hexdigest() for text in (b"one", b"two"))
for body in (f"crash since {first}", f"slow since {second}", f"short {first[:39]}"):
    writer.add_document(tantivy.Document(body=body))
writer.commit()
index.reload()
searcher = index.searcher()


def found(query):
    hits = searcher.search(index.parse_query(query, ["body"]), 10).hits
    return sorted(searcher.doc(address)["body"][0].split()[0] for _, address in hits)


print("tantivy", version("tantivy"))
seen = {name: found(query) for name, query in {
    "the hash of 40 letters": first,
    "39 letters of it": first[:39],
    "since": "since",
    "since AND the hash": f"since AND {first}",
}.items()}
for name, posts in seen.items():
    print(f"{name}: {posts}")
raise SystemExit(0 if list(seen.values()) == [[], ["short"], ["crash", "slow"], ["crash", "slow"]] else "Changed.")
PY
echo "As stated: words of 40 letters are not found, and conditions with them vanish."
