#!/usr/bin/env bash
# DuckDB 1.5.5 with its extension excel (duckdb-extension-excel 1.5.5), XlsxWriter 3.3.1, openpyxl 3.1.5.
#
# Guess: a duration of 36 hours (format [h]:mm) is an INTERVAL, a number of days, or a text.
# Seen: read_xlsx gives it as the TIME 12:00: full days are dropped. Help desks export "time open" in this way, and a ticket
# that was open for 3 days and 1 hour counts as one hour; sums and means are too small. all_varchar gives 1.5, the days. A TIME
# can not be more than a day, and there is no warning. openpyxl gives a timedelta.
# What we do: imports refuse workbooks and ask for CSV (ingest/opening.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==1.5.5 duckdb-extension-excel==1.5.5 XlsxWriter==3.3.1 openpyxl==3.1.5
cat > finding.py <<'PY'
from datetime import time, timedelta
from importlib.metadata import version
from importlib.resources import files

import duckdb
import openpyxl
import xlsxwriter

with xlsxwriter.Workbook("tickets.xlsx") as book:
    sheet, duration = book.add_worksheet(), book.add_format({"num_format": "[h]:mm"})
    sheet.write_row(0, 0, ["ticket", "open"])
    for row, days in enumerate((0.25, 1.5, 3 + 1 / 24), start=1):
        sheet.write(row, 0, row)
        sheet.write_number(row, 1, days, duration)
connection = duckdb.connect()
extension = files("duckdb_extension_excel") / f"extensions/v{duckdb.__version__}/excel.duckdb_extension"
connection.execute(f"load '{extension}'")
seen = [row[0] for row in connection.execute("select open from read_xlsx('tickets.xlsx')").fetchall()]
plain = [row[0] for row in connection.execute("select open from read_xlsx('tickets.xlsx', all_varchar = true)").fetchall()]
other = [cell.value for cell in openpyxl.load_workbook("tickets.xlsx").active["B"][1:]]
print("duckdb", version("duckdb"), "| read_xlsx:", *seen, "| all_varchar:", *plain, "| openpyxl:", *other)
is_as_stated = seen == [time(6), time(12), time(1)] and plain[1] == "1.5" and other[1] == timedelta(hours=36)
raise SystemExit(0 if is_as_stated else "Changed.")
PY
venv/bin/python finding.py
echo "As stated: full days are gone."
