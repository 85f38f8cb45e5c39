"""Files of the published tables: python -m groundswell export."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import duckdb

from groundswell.backup import backup_errors, quoted
from groundswell.database import bring_from_lake, connect, existing_path
from groundswell.published import TABLES, require_published

# A spreadsheet takes a cell that starts like this for a formula. Some skip blanks, and read wide signs as narrow ones.
FORMULA = r"^([\s\p{C}]*[=+@＝＋＠－-]|[\t\r\n])"


class Format(StrEnum):
    """The formats of exported files."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


OPTIONS = {
    Format.CSV: "format csv, header",
    Format.PARQUET: "format parquet, compression zstd",
    Format.JSON: "format json, array true",
}


def export(folder: Path, form: Format, names: Sequence[str]) -> list[tuple[Path, int]]:
    """Write tables into a folder, one file each; returns the files and their numbers of rows.

    A file is replaced when the new one is complete. Raises DatabaseError.
    """
    written = []
    bring_from_lake()
    with connect(existing_path(), read_only=True) as connection, backup_errors(folder):
        require_published(connection)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            file = folder / f"{name}.{form}"
            unfinished = file.with_name(f"{file.name}.unfinished")
            query = for_spreadsheets(connection, TABLES[name]) if form is Format.CSV else TABLES[name]
            copy = f"copy (from ({query}) order by all) to {quoted(unfinished)} ({OPTIONS[form]})"
            try:
                [(rows,)] = connection.execute(copy).fetchall()
                unfinished.replace(file)
            finally:
                unfinished.unlink(missing_ok=True)
            written.append((file, rows))
    return written


def for_spreadsheets(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """A query with the same columns, fit for CSV: lists and maps as JSON, and no text that is taken for a formula."""
    columns = []
    for name, kind, *_ in connection.execute(f"describe {query}").fetchall():
        column = f'"{name}"'
        if kind == "VARCHAR":
            column = f"if(regexp_matches({column}, '{FORMULA}'), '''' || {column}, {column}) as {column}"
        elif kind.endswith("[]") or kind.startswith(("MAP", "STRUCT")):
            column = f"to_json({column}) as {column}"
        columns.append(column)
    return f"select {', '.join(columns)} from ({query}) as rows"
