"""Runs a dbt command and notes what each model and data test used: `python -m benchmarks.stages FILE COMMAND`.

FILE gets a line of JSON as soon as a node ends, so that a killed run keeps its figures: [node, seconds, seconds of the
processor, most MB while it ran]. The memory is that of the process, so what one node leaves counts for the next. A
command that needs more than MOST_GB is ended: the machine may do other work.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import psutil
from dbt.cli.main import dbtRunner
from dbt_common.events.base_types import EventMsg

MOST_GB = 10
NOTED = ("model", "test")
# Seconds between two looks at the memory.
PAUSE = 0.05

# By node: seconds, seconds of the processor, most MB while it ran.
Stages = dict[str, tuple[float, float, float]]


class Watch:
    """Notes the seconds and the memory of each node in a file. dbt runs one node at a time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.process = psutil.Process()
        self.begun = (0.0, 0.0)
        self.most = 0.0

    def look(self) -> None:
        """Note the memory, again and again."""
        while True:
            now = self.process.memory_info().rss / 1e6
            self.most = max(self.most, now)
            if now > MOST_GB * 1_000:
                sys.stderr.write(f"ended at {now:,.0f} MB\n")
                sys.stderr.flush()
                os._exit(1)
            time.sleep(PAUSE)

    def used(self) -> tuple[float, float]:
        """The seconds so far, and those of the processor."""
        times = self.process.cpu_times()
        return time.perf_counter(), times.user + times.system

    def note(self, event: EventMsg) -> None:
        """Note that a node has begun, or what it used."""
        if event.info.name == "NodeStart":
            self.begun, self.most = self.used(), 0.0
        elif event.info.name == "NodeFinished":
            kind, _, name = event.data.node_info.unique_id.split(".")[:3]
            if kind in NOTED:
                wall, cpu = (now - before for now, before in zip(self.used(), self.begun, strict=True))
                with self.file.open("a") as lines:
                    lines.write(json.dumps([name, round(wall, 3), round(cpu, 3), round(self.most)]) + "\n")


def read_stages(file: Path) -> Stages:
    """What a run noted so far."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return {node: (wall, cpu, most) for node, wall, cpu, most in rows}


def main() -> None:
    """Run the command."""
    file = Path(sys.argv[1])
    file.write_text("")
    watch = Watch(file)
    threading.Thread(target=watch.look, daemon=True).start()
    ended = dbtRunner(callbacks=[watch.note]).invoke(sys.argv[2:])
    sys.exit(0 if ended.success else 1)


if __name__ == "__main__":
    main()
