"""Reads a member of a 7z archive as a stream."""

import io
import threading
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import IO, Any

import py7zr
from py7zr.exceptions import ArchiveError
from py7zr.io import Py7zIO, WriterFactory


def members(archive: IO[bytes]) -> list[str]:
    """The names of an archive's files. Raises OSError if it can not be read."""
    try:
        with py7zr.SevenZipFile(archive) as opened:
            if opened.needs_password():
                raise OSError("the archive asks for a password")
            found = [info.filename for info in opened.list() if not info.is_directory]
    except ArchiveError as error:
        raise OSError(str(error) or type(error).__name__) from error
    archive.seek(0)
    return found


class Sink(Py7zIO):
    """Where py7zr writes a member: the sending end of a pipe."""

    def __init__(self, sending: Connection) -> None:
        self._sending = sending

    def write(self, s: bytes | bytearray) -> int:
        """Pass a part on. Raises BrokenPipeError once nobody reads any more."""
        if s:
            self._sending.send_bytes(s)
        return len(s)

    def read(self, size: int | None = None) -> bytes:
        """Nothing: a pipe can not be read again."""
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Nothing: a pipe has no positions."""
        return 0

    def flush(self) -> None:
        """Nothing: each part is passed on at once."""

    def size(self) -> int:
        """Unknown."""
        return 0


class Sinks(WriterFactory):
    """Gives py7zr the one sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def create(self, filename: str) -> Py7zIO:
        """The sink."""
        return self._sink


class Extracted(io.RawIOBase):
    """A member of a 7z archive as a stream. py7zr pushes; a thread and a pipe turn that into reading.

    Also a copy of this process can read on (ingest.meanwhile). It has no thread and both ends of the pipe, so the pipe
    itself says that the member ends, by an empty part, and why: the last message is empty, or the reason of a fault.
    """

    def __init__(self, archive: IO[bytes], member: str) -> None:
        self._receiving, sending = Pipe(duplex=False)
        self._part = memoryview(b"")
        self._ended = False

        def extract() -> None:
            reason = ""
            try:
                with py7zr.SevenZipFile(archive) as opened:
                    opened.extract(targets=[member], factory=Sinks(Sink(sending)))
            except BrokenPipeError:
                return  # nobody wants the rest
            except Exception as error:  # told where the member is read
                reason = str(error) or type(error).__name__
            with suppress(BrokenPipeError), sending:
                sending.send_bytes(b"")
                sending.send_bytes(reason.encode())

        self._thread = threading.Thread(target=extract, daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as io.RawIOBase says. Raises OSError with what py7zr raised."""
        if not self._part and not self._ended:
            self._part = memoryview(self._receiving.recv_bytes())
            if not self._part:
                self._ended = True
                if reason := self._receiving.recv_bytes().decode():
                    raise OSError(reason)
        size = min(len(buffer), len(self._part))
        buffer[:size] = self._part[:size]
        self._part = self._part[size:]
        return size

    def close(self) -> None:
        """Let the thread end."""
        self._receiving.close()
        self._thread.join()
        super().close()
