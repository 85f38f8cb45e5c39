#!/usr/bin/env bash
# agate 1.14.2 (the tables of csvkit).
#
# Guess: "1,5" in a file is one and a half, as German and French write it, or a text.
# Seen: it is 15. All commas are dropped before the number is read, wherever they stand, so that 2,25 is 225 and 1,2,3 is 123.
# A column of 50% and 7% is 50 and 7, and $5 and €6 are 5 and 6, side by side. Sums of such a column are wrong by a factor of
# ten or a hundred that differs from row to row.
# What we do: imports read each column of a CSV file as text (docs/collecting-files.md).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check agate==1.14.2
"$folder/venv/bin/python" - <<'PY'
import io
from importlib.metadata import version

import agate

print("agate", version("agate"))
seen = []
for values in (("1,5", "2,25"), ("1,2,3", "4"), ("50%", "7%"), ("$5", "€6")):
    text = "value,name\n" + "".join(f'"{value}",a\n' for value in values)
    seen.append([str(value) for value in agate.Table.from_csv(io.StringIO(text)).columns["value"]])
    print(values, "->", seen[-1])
raise SystemExit(0 if seen == [["15", "225"], ["123", "4"], ["50", "7"], ["5", "6"]] else "Changed.")
PY
echo "As stated: 1,5 is 15."
