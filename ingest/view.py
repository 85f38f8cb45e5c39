"""The live view of a run on a terminal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ingest.report import Report
from ingest.service import Service

REFRESH = 0.2


class View:
    """Shows one line per source: windows, posts, requests and waits. Without a terminal it shows nothing."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:.0f}/{task.fields[planned]} windows"),
            TextColumn("{task.fields[posts]:,} posts"),
            TextColumn("{task.fields[requests]:,} requests"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=console,
            disable=not console.is_terminal,
        )
        self.watched: list[tuple[TaskID, Service, Report]] = []

    def watch(self, service: Service, report: Report) -> None:
        """Show a source from now on."""
        task = self.progress.add_task(service.source.name, total=None, planned=0, posts=0, requests=0, state="")
        self.watched.append((task, service, report))

    def update(self) -> None:
        """Show the current numbers."""
        for task, service, report in self.watched:
            finished = report.windows + report.failed_windows
            done = "done" if report.planned and finished == report.planned else "about to ask again"
            self.progress.update(
                task,
                total=report.planned or None,
                completed=finished,
                planned=report.planned,
                posts=report.fetched,
                requests=service.requests,
                state=report.stopped or service.state or done,
            )

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Update the view every REFRESH seconds during a with block."""

        async def keep_up() -> None:
            while True:
                self.update()
                await asyncio.sleep(REFRESH)

        with self.progress:
            task = asyncio.create_task(keep_up())
            try:
                yield
            finally:
                task.cancel()
                self.update()
