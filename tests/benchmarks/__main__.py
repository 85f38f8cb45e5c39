"""python -m tests.benchmarks [posts.jsonl]: what collecting costs, each stage of a day, and a second build.

Without a file: the bundled sample day. The two builds run one after the other on the same machine, so their
ratio holds where single times do not.
"""

import json
import resource
import sys
import tempfile
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tests.benchmarks import collectors
from tests.conftest import DAY, SAMPLE, Project


def stage_seconds(project: Project) -> dict[str, float]:
    """Seconds by model of the last build, from dbt's own record of it."""
    results = json.loads((project.database.with_suffix(".target") / "run_results.json").read_text())["results"]
    return {
        result["unique_id"].split(".")[2]: result["execution_time"]
        for result in results
        if result["unique_id"].startswith("model.")
    }


def measure(file: Path | None) -> Table:
    """Build a day twice on an empty database: seconds of every stage, and the ratio."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "bench.duckdb")
        ingested = project.ingest(*(["--file", str(file)] if file else ["--date", DAY, "--replay", str(SAMPLE)]))
        if ingested.status:
            sys.exit(ingested.output)
        [(day, posts)] = project.query(
            "select collection_date::text, count(*) from bronze.raw_items group by all order by 2 desc limit 1"
        )
        builds = []
        for _ in range(2):
            built = project.build(day)
            if built.status:
                sys.exit(built.output)
            builds.append(stage_seconds(project))
    first, second = builds
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    title = f"{posts:,} posts of {day}; largest process {memory:,.0f} MB"
    table = Table("stage", title=title, title_justify="left", box=SIMPLE_HEAD)
    for column in ("first build, s", "share", "second build, s", "first / second"):
        table.add_column(column, justify="right", no_wrap=True)
    total = sum(first.values())
    for stage in [*first, "all"]:
        once, again = (build.get(stage, sum(build.values())) for build in builds)
        table.add_row(stage, f"{once:.2f}", f"{once / total:.0%}", f"{again:.2f}", f"{once / again:.1f}")
    if second.keys() != first.keys():
        sys.exit("the two builds ran different models")
    return table


if __name__ == "__main__":
    console = Console(width=max(Console().width, 100))
    console.print(collectors.measure())
    console.print(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
