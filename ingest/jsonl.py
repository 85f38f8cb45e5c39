"""Imports posts from a file: one JSON object per line, with the fields of ingest.item.Item."""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
from pydantic import ValidationError

from groundswell.clock import this_second
from groundswell.database import transaction
from ingest.collect import store_items
from ingest.errors import IngestError
from ingest.item import Item
from ingest.parsed import Rejected, one_line
from ingest.report import Report
from ingest.store import keep_rejected

# Lines per transaction: as many as the largest page of a service.
BATCH = 1_000
PERSONAL = frozenset({"author"})


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The number and text of each line that is not blank. A file named .gz is unpacked. Raises IngestError."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
    except (OSError, EOFError) as error:
        raise IngestError(f"{path} can not be read: {error}") from error


def import_posts(connection: duckdb.DuckDBPyConnection, path: Path, day: date | None) -> Report:
    """Store the posts of a file, or only those of one day. A bad line is reported and stored as rejected."""
    report, seen, moment = Report(path.name), set[str](), this_second()
    remaining = read_lines(path)
    while lines := list(islice(remaining, BATCH)):
        items, rejected = [], []
        for number, line in lines:
            entry: Any = line.decode(errors="replace")
            try:
                # pydantic's own parser would refuse a line with a lone surrogate. clean_text replaces it.
                entry = json.loads(line)
                items.append(Item.model_validate(entry))
            except ValidationError as error:
                rejected.append(Rejected(entry, f"{path}:{number}: {one_line(error)}"))
            except (ValueError, RecursionError) as error:
                rejected.append(Rejected(entry, f"{path}:{number}: not JSON: {error}"))
        with transaction(connection):
            store_items(connection, items, day, report, moment, seen)
            keep_rejected(connection, "file", path.name, rejected, PERSONAL, moment)
        report.rejected += [rejection.reason for rejection in rejected]
        report.fetched += len(lines)
    return report
