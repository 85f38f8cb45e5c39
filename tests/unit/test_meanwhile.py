"""A copy of the process makes things meanwhile: what arrives, what is raised, and that no copy is left behind."""

import copyreg
import os
import pickle
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest.errors import IngestError
from ingest.meanwhile import by_a_copy, receive, send
from tests.support.project import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the process makes everything itself")


def is_running(process: int) -> bool:
    """Whether a process is there, and no zombie."""
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def gone(process: int) -> bool:
    """Whether a process ends within a minute."""
    deadline = time.monotonic() + 60
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(process)


def test_what_another_process_makes_arrives_in_order() -> None:
    table = pa.table({"text": ["a", None, "\u00fc" * 100_000], "number": [1, 2, None]})

    def made() -> Iterator[Any]:
        for number in range(20):
            yield os.getpid(), number, table.slice(number % 3)

    found = [*by_a_copy(made())]
    assert [(number, part) for _, number, part in found] == [(number, table.slice(number % 3)) for number in range(20)]
    assert os.getpid() not in {process for process, _, _ in found}


@pytest.mark.parametrize(
    "error", [IngestError("it ends in the middle"), KeyError("url"), EOFError("its own"), KeyboardInterrupt()]
)
def test_what_ends_the_other_process_is_raised_after_what_it_made(error: BaseException) -> None:
    def made() -> Iterator[int]:
        yield 1
        yield 2
        raise error

    found = list[int]()
    with pytest.raises(type(error)) as raised:
        found.extend(by_a_copy(made()))
    assert found == [1, 2]
    assert raised.value.args == error.args
    # Where it was raised, which the other process alone knows.
    assert "raise error" in raised.value.__notes__[0]


def test_what_can_not_be_sent_is_an_error_and_not_left_out() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError), match="pickle"):
        list(by_a_copy(iter([lambda: None])))


def test_an_error_is_sent_without_what_led_to_it() -> None:
    def made() -> Iterator[int]:
        yield 1
        try:
            raise ValueError(lambda: None)
        except ValueError as error:
            raise IngestError("not read") from error

    # As tblib, which comes with sqlfluff, does it for all errors.
    copyreg.pickle(IngestError, lambda error: (IngestError, (*error.args, error.__context__)))
    try:
        with pytest.raises(IngestError, match="not read"):
            list(by_a_copy(made()))
    finally:
        del copyreg.dispatch_table[IngestError]


def test_a_copy_that_is_killed_is_an_error_in_one_line() -> None:
    def made() -> Iterator[int]:
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(IngestError, match="the process that reads was killed by signal 9"):
        list(by_a_copy(made()))


def test_half_a_message_is_the_end_of_the_other_process() -> None:
    whole, sending = Pipe(duplex=False)
    send(sending, (pa.table({"text": ["a" * 1_000]}), None, False))
    _, columns = pickle.loads(rest := whole.recv_bytes())
    parts = [rest, *(whole.recv_bytes() for _ in range(columns))]
    assert columns > 1
    message = b"".join(struct.pack("!i", len(part)) + part for part in parts)
    for length in (0, 2, 4, 10, len(parts[0]) + 4, len(message) - 1):
        receiving, sending = Pipe(duplex=False)
        os.write(sending.fileno(), message[:length])
        sending.close()
        with pytest.raises((EOFError, OSError)):
            receive(receiving)


def in_a_process(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python code, for which by_a_copy is there."""
    code = f"import os, signal\nfrom ingest.meanwhile import by_a_copy\n{code}"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, **options
    )


def test_a_process_that_ignores_the_end_of_others_gets_all() -> None:
    code = "print(list(by_a_copy(iter([1, 2]))))"
    ignore = lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # noqa: E731
    finished = in_a_process(code, preexec_fn=ignore)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "[1, 2]\n", "")


def test_ctrl_c_does_not_reach_the_copy_before_it_ignores_it() -> None:
    code = (
        "os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "print(list(by_a_copy(iter([1, 2]))))\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    )
    finished = in_a_process(code)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "[1, 2]\nset()\n", "")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user without processes")
def test_a_process_that_can_not_be_copied_makes_all_itself() -> None:
    code = (
        "import resource\n"
        "os.setuid(65_500)\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))\n"
        "print([process == os.getpid() for process in by_a_copy(os.getpid() for _ in range(2))])\n"
        "print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"
    )
    finished = in_a_process(code)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "[True, True]\nset()\n", "")


def endless() -> Iterator[int]:
    """The number of this process, without end."""
    while True:
        yield os.getpid()


def test_no_copy_is_left_when_the_caller_has_enough() -> None:
    with closing(by_a_copy(endless())) as made:
        copy = next(made)
        assert is_running(copy)
    assert not is_running(copy)


# The copy sends nothing after its number: it can not find out by sending.
SILENT = """
import os, signal, time
from ingest.meanwhile import by_a_copy
def made():
    yield os.getpid()
    yield 0
    time.sleep(1_000)
"""
KILLED_LATER = """
for number in by_a_copy(made()):
    print(number, flush=True)
"""
KILLED_AT_ONCE = """
def kill():
    process = os.getppid()
    print(os.getpid(), flush=True)
    os.kill(process, signal.SIGKILL)
    while os.getppid() == process:
        time.sleep(0.01)
os.register_at_fork(after_in_child=kill)
next(by_a_copy(made()))
"""


@pytest.mark.parametrize("code", [KILLED_LATER, KILLED_AT_ONCE])
def test_no_copy_is_left_when_the_process_is_killed(code: str) -> None:
    command = [sys.executable, "-c", SILENT + code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        copy = int(process.stdout.readline())
        process.kill()
    assert gone(copy)
