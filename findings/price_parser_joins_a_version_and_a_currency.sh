#!/usr/bin/env bash
# price-parser 0.5.1.
#
# Guess: the amount and the currency of Price.fromstring belong together: where a text has one price with a currency and another
# number, the price is found.
# Seen: the amount is the first number, and the currency comes from anywhere: "v2.0 costs $20" costs 2.0 $. A unit behind
# the number is dropped without a word: "$20k" is 20 $, and "$1.2M" 1.2 $.
# What we do: a post that names money keeps its words; no amount is computed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check price-parser==0.5.1
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

from price_parser import Price

print("price-parser", version("price-parser"))
seen = {}
for text in ("v2.0 costs $20", "2 seats for €30", "$20k", "$1.2M", "costs $20"):
    price = Price.fromstring(text)
    seen[text] = float(price.amount), price.currency
    print(f"{text:18}", *seen[text])
raise SystemExit(0 if list(seen.values()) == [(2.0, "$"), (2.0, "€"), (20.0, "$"), (1.2, "$"), (20.0, "$")] else "Changed.")
PY
echo "As stated: price-parser gives a version the currency of a price."
