"""Reads a member of a 7z archive as a stream."""

import io
import os
import threading
from collections.abc import Iterator
from typing import IO, Any, cast

import py7zr
from py7zr.exceptions import ArchiveError
from py7zr.io import Py7zIO, WriterFactory

from ingest.meanwhile import by_a_copy

# Bytes that are passed on at once.
PART = 1 << 20


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
    """Where py7zr writes a member: the writing end of a pipe."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def write(self, s: bytes | bytearray) -> int:
        """Pass a part on. Raises BrokenPipeError once nobody reads any more."""
        return self._pipe.write(s)

    def read(self, size: int | None = None) -> bytes:
        """Nothing: a pipe can not be read again."""
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Nothing: a pipe has no positions."""
        return 0

    def flush(self) -> None:
        """Pass on what is left."""
        self._pipe.flush()

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
    """A member of a 7z archive as a stream, which a copy of this process unpacks.

    So any other copy can go on reading it. Raises OSError where the archive is damaged.
    """

    def __init__(self, archive: IO[bytes], member: str) -> None:
        self._parts, self._left = by_a_copy(parts(archive, member)), b""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as io.RawIOBase says."""
        self._left = self._left or next(self._parts, b"")
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Let the copy end."""
        self._parts.close()
        super().close()


def parts(archive: IO[bytes], member: str) -> Iterator[bytes]:
    """A member of an archive in parts. Raises OSError where the archive is damaged."""
    with Pulled(archive, member) as stream:
        while part := stream.read(PART):
            yield part


class Pulled(io.RawIOBase):
    """A member of a 7z archive as a stream. py7zr pushes; a thread and a pipe turn that into reading.

    A copy of this process would have the pipe, but not the thread.
    """

    def __init__(self, archive: IO[bytes], member: str) -> None:
        reading, writing = _pipe()
        self._reading, self._error = reading, cast("BaseException | None", None)

        def extract() -> None:
            try:
                with writing, py7zr.SevenZipFile(archive) as opened:
                    opened.extract(targets=[member], factory=Sinks(Sink(writing)))
            except BrokenPipeError:
                pass  # nobody wants the rest
            except Exception as error:  # raised again where the member is read
                self._error = error

        self._thread = threading.Thread(target=extract, daemon=True)
        self._thread.start()

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as io.RawIOBase says. Raises what py7zr raised."""
        part = self._reading.read(len(buffer))
        if not part:
            self._thread.join()
            if self._error:
                raise OSError(str(self._error) or type(self._error).__name__) from self._error
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        """Let the thread end."""
        self._reading.close()
        self._thread.join()
        super().close()


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    """A pipe: its reading and its writing end."""
    reading, writing = os.pipe()
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=1 << 16)
