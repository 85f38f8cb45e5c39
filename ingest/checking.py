"""Checks the entries of a file: those of a long one in a second process, while this one reads and stores."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import pyarrow as pa

from groundswell.cores import usable_cores
from ingest.bulk import Batch, Reader
from ingest.errors import IngestError
from ingest.opening import HEAD, Content
from ingest.reading import Entries

# The size of a file from which on a second process pays: its start takes half a second of another core.
LONG = 16 << 20
# Entries and bytes that go to the second process at once.
PORTION = 500
PORTION_BYTES = 1 << 20

# What stores a batch.
Keep = Callable[[Batch], None]


def check(content: Content, reader: Reader, entries: Entries, done: int, keep: Keep) -> None:
    """Check the entries of a file after the first ones, which are done already, and give each batch to `keep`.

    Raises IngestError after the last batch if the file can not be read to its end, and what `keep` raises.
    """
    # Of a pipe nobody knows the length, but one that ends within its head is short.
    long = len(content.head) >= HEAD if content.size is None else content.size >= LONG
    if long and usable_cores() > 1:
        check_elsewhere(reader, entries, done, keep)
    else:
        for batch in reader.batches(entries, done):
            keep(batch)


def check_elsewhere(reader: Reader, entries: Entries, done: int, keep: Keep) -> None:
    """Let a second process check the entries. This thread reads them, and another one stores the batches."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    give_memory_back()
    process = context.Process(target=work, args=(theirs, reader, done), daemon=True)
    process.start()
    # Each end is open in one process only, so either process notices when the other one is gone.
    theirs.close()

    def keep_all() -> None:
        try:
            while isinstance(answer := message_of(ours), Batch):
                keep(answer)
                # The next one arrives while nothing holds this one.
                answer = None
        except EOFError:
            process.join()
            raise IngestError(
                f"the process that checks it was ended from outside (exit code {process.exitcode}), as when memory is"
                " short; run the command again, and it goes on"
            ) from None
        finally:
            # Nothing more is taken from it, so it must not wait for that.
            process.kill()
        if answer:
            raise answer

    try:
        with ours, ThreadPoolExecutor(1) as pool:
            kept = pool.submit(keep_all)
            try:
                for portion in portions(entries):
                    ours.send(portion)
            except ConnectionError:
                pass  # keep_all knows why the process has ended
            except BaseException:
                process.kill()
                raise
            kept.result()
    finally:
        process.join()


def give_memory_back() -> None:
    """Let Arrow take memory from the system for each table: its own allocators keep what a table has left."""
    pa.set_memory_pool(pa.system_memory_pool())


def portions(entries: Entries) -> Iterator[Any]:
    """Lists of entries; at the end None, or the IngestError that ended them."""
    portion, size = list[tuple[int, Any]](), 0
    failure = None
    try:
        for place, entry in entries:
            portion.append((place, entry))
            size += len(entry) if isinstance(entry, bytes) else 0
            if len(portion) == PORTION or size >= PORTION_BYTES:
                yield portion
                portion, size = [], 0
    except IngestError as error:
        failure = error
    yield portion
    yield failure


def message_of(pipe: Connection) -> Any:
    """The next message of the other process. Raises EOFError if that has ended, be it in the middle of a message."""
    try:
        return pipe.recv()
    except OSError as error:
        raise EOFError from error


def received(pipe: Connection) -> Entries:
    """The entries of all portions. Raises IngestError where reading them has failed."""
    while isinstance(portion := message_of(pipe), list):
        yield from portion
    if portion:
        raise portion


def work(pipe: Connection, reader: Reader, done: int) -> None:
    """Check entries in this process: send batches; at the end None, or the IngestError that ended them."""
    # Ctrl-C reaches this process, too. The one that started it ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    give_memory_back()
    failure = None
    try:
        try:
            for batch in reader.batches(received(pipe), done):
                pipe.send(batch)
                del batch
        except IngestError as error:
            failure = error
        pipe.send(failure)
    except (EOFError, ConnectionError):
        pass  # the process that started this one is gone
