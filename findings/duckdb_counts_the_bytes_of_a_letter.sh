#!/usr/bin/env bash
# duckdb 1.5.5 and 2.0.1.
#
# Guess: levenshtein counts letters, as its documentation says ("single-character edits") and as length, substring and
# jaro_winkler_similarity do.
# Seen: in 1.5.5 it counts bytes of UTF-8. One other letter is 1 in English, 2 where an accent is lost (é, e), 1 or 2 in
# Cyrillic, and up to 3 in Chinese. A threshold such as "one edit at most" finds typing errors of English posts, and parts the
# same names in other languages; divided by length(), a number of letters, the distance passes 1. 2.0.1 counts letters, so that
# groups that were made with a threshold are others after the update. See https://github.com/duckdb/duckdb/issues/25113.
# What we do: posts are compared by vectors and sketches, not by edits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/finding.py" <<'PY'
import sys

import duckdb

pairs = [("cafe", "cane"), ("café", "cafe"), ("вход", "вхот"), ("登录", "登陆"), ("日", "a")]
seen = [duckdb.execute("select levenshtein($1, $2), length($1)", pair).fetchone() for pair in pairs]
print("duckdb", duckdb.__version__, "|", *(f"{a}, {b}: {edits} of {letters} letters;" for (a, b), (edits, letters) in zip(pairs, seen)))
stated = {"1.5.5": [1, 2, 2, 3, 3], "2.0.1": [1, 1, 1, 1, 1]}
sys.exit(0 if [edits for edits, _ in seen] == stated[duckdb.__version__] else "Changed.")
PY
for version in 1.5.5 2.0.1; do
    python3 -m venv --clear "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "duckdb==$version"
    "$folder/venv/bin/python" "$folder/finding.py"
done
echo "As stated: the distance counts bytes in 1.5.5, and letters in 2.0.1."
