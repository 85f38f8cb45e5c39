#!/usr/bin/env bash
# url-normalize 3.1.0.
#
# Guess: an address in normal form shows the same page as before.
# Seen: a path loses its empty segments, so https://web.archive.org/web/2020/https://a.b/c becomes .../web/2020/https:/a.b/c,
# another address. RFC 3986, 6.2.2.3, removes dot segments only; https://url.spec.whatwg.org keeps empty segments as well.
# What we do: an empty segment gets a mark that no address has, and loses it after the call (ingest.item.any_form).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check url-normalize==3.1.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from url_normalize import url_normalize

address = "https://web.archive.org/web/2020/https://a.b/c"
normal = url_normalize(address)
print("url-normalize", version("url-normalize"), "|", address, "->", normal)
raise SystemExit(0 if normal == "https://web.archive.org/web/2020/https:/a.b/c" else "Changed: the path is another one.")
PY
echo "As stated: the empty segment is gone."
