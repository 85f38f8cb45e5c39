"""Lets a copy of this process make things while this one handles what came before: Python computes on one core only."""

import ctypes
import gc
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Generator, Iterable, Iterator
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
# The signals for which a command may have a handler.
ENDING = (signal.SIGINT, signal.SIGTERM)

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
    process = os.getpid()
    # Ctrl-C must not reach the copy before it ignores it: the copy would close the database as well.
    unmasked = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        copy = os.fork()
    except OSError:
        # There may be no more processes, or too little memory for one.
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        receiving.close()
        sending.close()
        gc.unfreeze()
        yield from made
        return
    if not copy:
        receiving.close()
        send_all(made, sending, process, unmasked)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        sending.close()
        while True:
            try:
                each, error, is_last = receive(receiving)
            except (EOFError, OSError):
                raise IngestError(f"the process that reads {how_it_ended(copy)}: the same command goes on") from None
            if error:
                raise error
            if is_last:
                return
            yield each
    finally:
        receiving.close()
        # The system itself takes away a copy that has ended, if what started this process ignores SIGCHLD.
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(copy, signal.SIGKILL)
            os.waitpid(copy, 0)
        gc.unfreeze()


def how_it_ended(copy: int) -> str:
    """How a copy has ended: by which signal, or with which status. The caller waits for it later."""
    with suppress(ChildProcessError):
        found = os.waitid(os.P_PID, copy, os.WEXITED | os.WNOWAIT)
        if found and found.si_code == os.CLD_EXITED:
            return f"ended with status {found.si_status}"
        if found:
            return f"was killed by signal {found.si_status}, perhaps because memory ran out"
    return "was killed"


def send_all(made: Iterator[Any], sending: Connection, other: int, unmasked: Iterable[int]) -> NoReturn:
    """Send what an iterator makes, and what it raises at the end; then end this process, which is the copy.

    other: the number of the other process. unmasked: the signals that it masks.
    """
    # Ctrl-C reaches both processes. The other one ends, and with it this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
    # The thread that sends waits for Python with each column.
    sys.setswitchinterval(SWITCH_SECONDS)
    call_c("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != other:
        # The other process has ended before that.
        os._exit(0)
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
        # The other process knows nothing of the calls that led here. Errors that led to this one can not always be
        # sent, and some libraries (tblib) let pickle take them along.
        error.add_note(traceback.format_exc())
        error.__cause__ = error.__context__ = error.__traceback__ = None
        try:
            send(sending, (None, error, True))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
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
    """A message of send. Raises EOFError or OSError if the other process has ended, also in the middle of a message."""
    rest, count = receiving.recv()
    columns = [receiving.recv_bytes() for _ in range(count)]
    return pickle.loads(rest, buffers=columns)  # noqa: S301  (our own process sent it)


def call_c(name: str, parameter: int, value: int) -> None:
    """Call mallopt(3), which only the GNU C library has, or prctl(2), which only Linux has."""
    with suppress(AttributeError, OSError, TypeError):
        getattr(ctypes.CDLL(None), name)(parameter, value)
