#!/usr/bin/env bash
# url-normalize 3.1.0.
#
# Guess: the fragment of an address in normal form is as before, since RFC 3986 allows "/", "?", "!" and ":" there.
# Seen: `#/issues/12` becomes `#%2Fissues%2F12`, and a page that finds its entry by the fragment compares letters: it shows another
# entry or none. `#!topic/x` becomes the query `?_escaped_fragment_=topic/x`, as crawlers of 2009 to 2015 asked for it; the
# services that have such addresses no longer read this query.
# What we do: the fragment does not pass through url-normalize (ingest.item.any_form).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check url-normalize==3.1.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from url_normalize import url_normalize

print("url-normalize", version("url-normalize"))
stated = {
    "https://example.com/board#/issues/12": "https://example.com/board#%2Fissues%2F12",
    "https://example.com/chat#/!room:a.b": "https://example.com/chat#%2F%21room%3Aa.b",
    "https://example.com/forum/#!topic/x": "https://example.com/forum/?_escaped_fragment_=topic/x",
}
seen = {address: url_normalize(address) for address in stated}
for address, normal in seen.items():
    print(address, "->", normal)
raise SystemExit(0 if seen == stated else "Changed.")
PY
echo "As stated: the fragment is another one, or a query."
