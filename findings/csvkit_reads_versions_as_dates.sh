#!/usr/bin/env bash
# csvkit 2.2.0 with agate 1.14.2.
#
# Guess: csvsort sorts the rows of a file, and leaves the values as they are, as sort does; csvjson writes them as JSON.
# Seen: a column whose values can all be read as dates becomes dates: the versions 1.10.04 and 1.2.03 are 2004-01-10 and
# 2003-01-02, the parts 1-2 and 3-4 of a list are days of 2001, and Monday and Tuesday are days of the year 1. A label of 1 and
# 0 becomes True and False, and 10:30, half past ten, ten and a half minutes. The result has no word of it; -I (--no-inference)
# keeps the text.
# What we do: imports read each column of a CSV file as text (docs/collecting-files.md).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2
printf 'version,part,day,label,at\n1.10.04,1-2,Monday,1,10:30\n1.2.03,3-4,Tuesday,0,11:45\n' > posts.csv
venv/bin/csvsort -c label posts.csv | tee inferred
venv/bin/csvsort -I -c label posts.csv > kept
venv/bin/python - <<'PY'
from importlib.metadata import version

print("csvkit", version("csvkit"), "| agate", version("agate"))
seen = open("inferred").read().splitlines()[1:]
kept = open("kept").read().splitlines()[1:]
print("with -I:", kept)
expected = ["2003-01-02,2001-03-04,0001-01-02,False,0:11:45", "2004-01-10,2001-01-02,0001-01-08,True,0:10:30"]
right = ["1.2.03,3-4,Tuesday,0,11:45", "1.10.04,1-2,Monday,1,10:30"]
raise SystemExit(0 if seen == expected and kept == right else "Changed.")
PY
echo "As stated: versions become dates."
