"""A copy of the process makes things meanwhile: what arrives, what is raised, and that no copy is left behind."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest.errors import IngestError
from ingest.meanwhile import by_a_copy
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


@pytest.mark.parametrize("error", [IngestError("it ends in the middle"), KeyError("url"), KeyboardInterrupt()])
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


def test_what_can_not_be_sent_is_an_error_and_not_left_out() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError), match="pickle"):
        list(by_a_copy(iter([lambda: None])))


def test_a_copy_that_is_killed_is_an_error_in_one_line() -> None:
    def made() -> Iterator[int]:
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(IngestError, match="was killed"):
        list(by_a_copy(made()))


def endless() -> Iterator[int]:
    """The number of this process, without end."""
    while True:
        yield os.getpid()


def test_no_copy_is_left_when_the_caller_has_enough() -> None:
    with closing(by_a_copy(endless())) as made:
        copy = next(made)
        assert is_running(copy)
    assert not is_running(copy)


def test_a_copy_goes_on_with_what_another_copy_makes() -> None:
    with closing(by_a_copy(iter(range(1_000)))) as made:
        first = [next(made), next(made)]
        # The second copy reads the rest, to the end.
        assert [*first, *by_a_copy(made)] == [*range(1_000)]


def test_no_copy_is_left_when_the_process_is_killed() -> None:
    # The copy sends nothing after its number: it can not find out by sending.
    code = (
        "import os, time\n"
        "from ingest.meanwhile import by_a_copy\n"
        "def made():\n"
        "    yield os.getpid()\n"
        "    yield 0\n"
        "    time.sleep(1_000)\n"
        "for number in by_a_copy(made()):\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        copy = int(process.stdout.readline())
        assert is_running(copy)
        process.kill()
    assert gone(copy)
