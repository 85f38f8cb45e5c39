"""python -m groundswell backfill, and what dbt keeps of the parsed project: it holds no day."""

import sys

from tests.support.project import Project

# Compiles models as dbt's command line does, with a clock that stands: a line for each run, "parsed" or "kept".
AT_TIMES = """
import os, sys
from datetime import datetime
from pathlib import Path

import dbt.tracking
from dbt.cli.main import dbtRunner

parsed = Path(os.environ["DBT_TARGET_PATH"]) / "partial_parse.msgpack"
for moment, model in zip(sys.argv[1::2], sys.argv[2::2]):
    os.environ["LLM_MODEL"] = model

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromisoformat(moment).replace(tzinfo=tz)

    dbt.tracking.datetime = Clock
    before = parsed.stat().st_mtime_ns if parsed.exists() else None
    tests = ["--exclude", "test_type:data", "test_type:unit"]
    result = dbtRunner().invoke(["--quiet", "compile", "--select", "opinion_attempts", "texts", *tests])
    assert result.success, result.exception
    print("RUN", "kept" if parsed.stat().st_mtime_ns == before else "parsed")
    for node in result.result.results:
        code = node.node.compiled_code
        assert ("2026-11-19" if moment < "2026-11-21" else "2026-11-20") in code, code
        assert "texts" in node.node.name or repr(model) in code, code
"""


def test_a_build_after_midnight_needs_no_parse_and_is_of_the_next_day(project: Project) -> None:
    finished = project.run(
        sys.executable, "-c", AT_TIMES,
        "2026-11-20T23:59:59", "extractive", "2026-11-21T00:00:01", "extractive", "2026-11-21T00:00:02", "some/model",
        GROUNDSWELL_DB=":memory:",
    )  # fmt: skip
    assert finished.status == 0, finished.output
    runs = [line.removeprefix("RUN ") for line in finished.output.splitlines() if line.startswith("RUN ")]
    assert runs == ["parsed", "kept", "parsed"]
