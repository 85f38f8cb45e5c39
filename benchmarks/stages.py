"""Runs a dbt command and notes what each model used: `python -m benchmarks.stages FILE COMMAND`.

FILE gets one JSON object: {model: [seconds, seconds of the processor, most MB while it ran]}, and the most MB of all
under "". The memory is that of the process, so what one model leaves counts for the next. A command that needs more
than MOST_GB is ended: the machine may do other work.
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
# Seconds between two looks at the memory.
PAUSE = 0.05

Stages = dict[str, tuple[float, float, float]]


class Watch:
    """Notes the seconds and the memory of each model. dbt runs one model at a time."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.stages: Stages = {}
        self.begun = (0.0, 0.0)
        self.most = self.most_of_all = 0.0

    def look(self) -> None:
        """Note the memory, again and again."""
        while True:
            now = self.process.memory_info().rss / 1e6
            self.most, self.most_of_all = max(self.most, now), max(self.most_of_all, now)
            if now > MOST_GB * 1_000:
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
            if kind == "model":
                wall, cpu = (now - before for now, before in zip(self.used(), self.begun, strict=True))
                self.stages[name] = wall, cpu, self.most


def main() -> None:
    """Run the command."""
    watch = Watch()
    threading.Thread(target=watch.look, daemon=True).start()
    ended = dbtRunner(callbacks=[watch.note]).invoke(sys.argv[2:])
    Path(sys.argv[1]).write_text(json.dumps(watch.stages | {"": (0.0, 0.0, watch.most_of_all)}))
    sys.exit(0 if ended.success else 1)


if __name__ == "__main__":
    main()
