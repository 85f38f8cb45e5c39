"""Measures how long work takes when several pieces of it overlap."""

import time


class Stopwatch:
    """Adds up the seconds in which at least one of its with blocks is running."""

    def __init__(self) -> None:
        self.total = 0.0
        self._running = 0
        self._since = 0.0

    def __enter__(self) -> None:
        """Start the clock with the first running block."""
        if not self._running:
            self._since = time.monotonic()
        self._running += 1

    def __exit__(self, *_: object) -> None:
        """Stop the clock with the last running block."""
        self._running -= 1
        if not self._running:
            self.total += time.monotonic() - self._since
