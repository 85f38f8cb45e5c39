#!/usr/bin/env bash
# linkify-it-py 2.2.0 (which markdown-it-py uses with linkify), urlextract 1.10.0.
#
# Guess: "see README.md" has no link.
# Seen: names of files are links to web servers, since each ending of two letters is a country to linkify-it-py, and a known
# top-level domain to urlextract: README.md (Moldova), main.rs (Serbia), setup.py (Paraguay), libc.so (Somalia), run.sh (Saint
# Helena). So are self.id and os.name. A post about code, rendered with linkify, sends its readers to addresses that anybody can
# buy, and whoever counts links as evidence counts files. a.js, foo.ts and v1.2.3 are left alone. GitHub's
# Markdown links an address of a server only with http://, https:// or www. before it.
# What we do: only the address of a post is a link.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: linkify-it-py==2.2.0 urlextract==1.10.0
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from linkify_it import LinkifyIt
from urlextract import URLExtract

print("linkify-it-py", version("linkify-it-py"), "| urlextract", version("urlextract"))
text = "After the update of README.md , main.rs , setup.py , libc.so , run.sh and self.id the build fails, a.js and v1.2.3 work."
files = ["README.md", "main.rs", "setup.py", "libc.so", "run.sh", "self.id"]
links = [match.url for match in LinkifyIt().match(text)]
found = URLExtract().find_urls(text)
print(links, found, sep="\n")
raise SystemExit(0 if links == [f"http://{name}" for name in files] and found == files else "Changed.")
PY
echo "As stated: a name of a file is a link."
