"""The base of the errors that the project raises on purpose, and what becomes of signals."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("groundswell")

# As shells have it: 128 and the number of the signal.
INTERRUPTED = 130
# What a command says that Ctrl-C has ended.
GOES_ON = "interrupted: the same command goes on from here"


# The variable that tells a command under which name a person has started it.
TYPED = "GROUNDSWELL_TYPED"


class GroundswellError(Exception):
    """An error that a person must act on. The message is one line: what is wrong, where, and what to do."""


def adding(extra: str) -> str:
    """The command that installs an extra, in the project's folder.

    It never names the project: an index may have a package of another project with that name.
    """
    return f"pip install -c constraints.txt -e '.[{extra}]'"


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C, or another signal that ends the command, do so inside a query of DuckDB, too.

    DuckDB 1.5.5 turns what the handler of the signal raises into a RuntimeError, and keeps it as the cause.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, SystemExit):
            raise error.__cause__ from None
        if isinstance(error.__cause__, KeyboardInterrupt):
            log.error(GOES_ON)
            raise SystemExit(INTERRUPTED) from None
        raise
