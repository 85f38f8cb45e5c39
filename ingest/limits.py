"""How long the collector waits for a service, from the environment."""

import os
from dataclasses import dataclass

from ingest.errors import IngestError


@dataclass(frozen=True)
class Limits:
    """Two times in seconds.

    span: the time in which a service grants its allowance of requests.
    patience: the longest pause that a service may ask for; a longer one ends the source.
    """

    span: float
    patience: float

    @classmethod
    def from_environment(cls) -> "Limits":
        """INGEST_WINDOW_SECONDS and INGEST_MAX_WAIT_SECONDS. Raises IngestError that names the variable."""
        return cls(seconds_setting("INGEST_WINDOW_SECONDS", 60.0), seconds_setting("INGEST_MAX_WAIT_SECONDS", 900.0))


def seconds_setting(name: str, default: float) -> float:
    """A positive number of seconds from the environment. Raises IngestError."""
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise IngestError(f"{name}={text}: write a number of seconds above 0, such as {default:g}")
    return seconds
