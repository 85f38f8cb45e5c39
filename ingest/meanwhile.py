"""Lets a copy of this process make things while this one handles what came before: Python computes on one core only."""

import ctypes
import gc
import os
import pickle
import signal
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn, TypeVar

from ingest.errors import IngestError

# Parameters of mallopt (malloc.h): from which size on a piece of memory is the system's own, and how many free bytes a
# process keeps at most.
MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
# How many the copy keeps: it needs the same memory again and again.
KEPT = 32_000_000
# For how long one thread of Python runs while another one waits.
SWITCH_SECONDS = 0.0002
# The parameter of prctl for the signal that ends a process together with the one that made it.
PR_SET_PDEATHSIG = 1

Made = TypeVar("Made")


def by_a_copy(made: Iterator[Made]) -> Generator[Made, None, None]:
    """What an iterator makes, made by a copy of this process, one or two ahead of the caller.

    Of the threads that run already the copy has none. Raises what the iterator raises, and IngestError if the copy is
    killed.
    """
    if sys.platform != "linux":
        # Elsewhere a process has no copies, or libraries of the system do not survive in them.
        yield from made
        return
    receiving, sending = Pipe(duplex=False)
    # Memory is shared until one of the two writes to it, and to look for garbage is to write.
    gc.freeze()
    copy = os.fork()
    if not copy:
        receiving.close()
        send_all(made, sending)
    sending.close()
    try:
        while True:
            each, error, is_last = receive(receiving)
            if error:
                raise error
            if is_last:
                return
            yield each
    except EOFError:
        reason = "the process that reads was killed, perhaps because memory ran out: the same command goes on"
        raise IngestError(reason) from None
    finally:
        receiving.close()
        os.kill(copy, signal.SIGKILL)
        os.waitpid(copy, 0)
        gc.unfreeze()


def send_all(made: Iterator[Any], sending: Connection) -> NoReturn:
    """Send what an iterator makes, and what it raises at the end; then end this process, which is the copy."""
    # Ctrl-C reaches both processes. The other one ends, and with it this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # The thread that sends waits for Python with each column.
    sys.setswitchinterval(SWITCH_SECONDS)
    call_c("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
    call_c("mallopt", MMAP_THRESHOLD, KEPT)
    call_c("mallopt", TRIM_THRESHOLD, KEPT)
    try:
        with ThreadPoolExecutor(1) as pool:
            sent: Future[None] | None = None
            for each in made:
                if sent:
                    sent.result()
                sent = pool.submit(send, sending, (each, None, False))
            if sent:
                sent.result()
        send(sending, (None, None, True))
    except BrokenPipeError:
        # The other process has ended.
        pass
    except BaseException as error:
        send(sending, (None, error, True))
    finally:
        # Not sys.exit: what is a copy here, as the connection to the database, is not to be closed.
        os._exit(0)


def send(sending: Connection, message: tuple[Any, BaseException | None, bool]) -> None:
    """Send a message; the columns of a table go without a further copy in memory."""
    columns: list[pickle.PickleBuffer] = []
    rest = pickle.dumps(message, protocol=5, buffer_callback=columns.append)
    sending.send((rest, len(columns)))
    for column in columns:
        sending.send_bytes(column.raw())


def receive(receiving: Connection) -> Any:
    """A message of send. Raises EOFError if the other process has ended."""
    rest, count = receiving.recv()
    return pickle.loads(rest, buffers=[receiving.recv_bytes() for _ in range(count)])  # noqa: S301  (our own process sent it)


def call_c(name: str, parameter: int, value: int) -> None:
    """Call mallopt(3), which only the GNU C library has, or prctl(2), which only Linux has."""
    with suppress(AttributeError, OSError, TypeError):
        getattr(ctypes.CDLL(None), name)(parameter, value)
