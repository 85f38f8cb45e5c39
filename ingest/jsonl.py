"""Imports posts you already have: one JSON object a line, with the fields of ingest.item.Item."""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path

import duckdb
from pydantic import ValidationError

from ingest.collect import Report, store_items
from ingest.errors import IngestError
from ingest.item import Item
from ingest.source import one_line

# Lines a transaction: as many as a page of the largest service.
BATCH = 1_000


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and text of the lines that are not blank; .gz is unpacked. Raises IngestError."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError) as error:
        raise IngestError(f"{path} can not be read: {error}") from error


def import_posts(connection: duckdb.DuckDBPyConnection, path: Path, day: date | None) -> Report:
    """Store the posts of a file, those of one day where day is given; a bad line is named and left out."""
    report = Report(path.name)
    remaining = read_lines(path)
    while lines := list(islice(remaining, BATCH)):
        items = []
        for number, line in lines:
            try:
                # Not pydantic's own parser, which refuses a line for half a surrogate pair; we mend that.
                items.append(Item.model_validate(json.loads(line)))
            except ValidationError as error:
                report.rejected.append(f"{path}:{number}: {one_line(error)}")
            except (ValueError, RecursionError) as error:
                report.rejected.append(f"{path}:{number}: not JSON: {error}")
        store_items(connection, items, day, report)
        report.fetched += len(lines)
    return report
