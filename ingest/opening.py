"""Opens a file, a pipe or standard input: unpacks it by its first bytes, and turns its text into UTF-8."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from backports import zstd

from ingest.errors import IngestError

# What is looked at to recognise a file. Longer than the first line of any dump that we know.
HEAD = 1 << 20
# A packed file in a packed file in a packed file is read; what is packed more often is no dump.
LAYERS = 3
# Pushshift and Arctic Shift compress with windows of 2 GB. The default of zstd allows 128 MB.
LONGEST_WINDOW: Mapping[int, int] = {zstd.DecompressionParameter.window_log_max: 31}
# How a packed stream begins, what the packing is called, and what reads it. A stream of zst may begin with a frame to
# skip.
PACKINGS: tuple[tuple[re.Pattern[bytes], str, Callable[[IO[bytes]], Any]], ...] = (
    (re.compile(rb"\x1f\x8b"), "gz", lambda stream: gzip.GzipFile(fileobj=stream)),
    (
        re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
        "zst",
        lambda stream: zstd.ZstdFile(stream, options=LONGEST_WINDOW),
    ),
    (re.compile(rb"BZh"), "bz2", bz2.BZ2File),
    (re.compile(rb"\xfd7zXZ\0"), "xz", lzma.LZMAFile),
)
# What the libraries raise for a damaged or cut file.
UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError, zipfile.BadZipFile, tarfile.TarError)
# Files that people take for text, by their first bytes.
KNOWN_BINARIES = {
    b"SQLite format 3\0": "a SQLite database",
    b"%PDF": "a PDF",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"Rar!": "a RAR archive",
}


@dataclass
class Content:
    """What a file holds, unpacked.

    stream: the bytes; a text is in UTF-8.
    head: the first bytes of the stream, up to HEAD; reading the stream gives them again.
    packed: how it was packed, as in "zst, " or "Posts.xml in 7z, "; empty if it was not.
    names: the names of the file, of its folder, and of the members that were unpacked.
    position: how many bytes of the file have been read.
    size: the bytes of the file; None for a pipe.
    """

    stream: IO[bytes]
    head: bytes
    packed: str
    names: tuple[str, ...]
    position: Callable[[], int]
    size: int | None


class Joined(io.RawIOBase):
    """A head that was read already, then the rest of the stream, or the error that reading the head ended with."""

    def __init__(self, head: bytes, rest: IO[bytes], error: Exception | None = None) -> None:
        self._head, self._rest, self._error = memoryview(head), rest, error

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as io.RawIOBase says."""
        if self._head:
            part: Any = self._head[: len(buffer)]
            self._head = self._head[len(part) :]
        elif self._error:
            raise self._error
        else:
            part = self._rest.read1(len(buffer))  # type: ignore[attr-defined]
        buffer[: len(part)] = part
        return len(part)


class Recoded(io.RawIOBase):
    """A text in UTF-16 or UTF-32, read as UTF-8."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream, self._decoder = stream, codecs.getincrementaldecoder(encoding)("replace")
        self._left = b""

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as io.RawIOBase says."""
        while not self._left and (part := self._stream.read1(1 << 16)):  # type: ignore[attr-defined]
            self._left = self._decoder.decode(part).encode("utf-8", "replace")
        part, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


class Counted(io.RawIOBase):
    """A stream that counts what is read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.read_so_far = stream, 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer, as io.RawIOBase says."""
        part = self._stream.read1(len(buffer))  # type: ignore[attr-defined]
        buffer[: len(part)] = part
        self.read_so_far += len(part)
        return len(part)


def refuse(name: str, reason: object) -> IngestError:
    """The error for a file that can not be read."""
    return IngestError(f"{name} can not be read: {' '.join(str(reason).split()) or type(reason).__name__}")


@contextmanager
def opened(name: str) -> Iterator[Content]:
    """Open a file by its path, or standard input by `-`. Raises IngestError."""
    with ExitStack() as stack:
        if name == "-":
            file: IO[bytes] = sys.stdin.buffer
        elif not name:
            raise IngestError("--file is empty: name a file, or - for standard input")
        else:
            path = Path(name)
            if not path.exists():
                raise IngestError(f"{name} is no file")
            if path.is_dir():
                raise IngestError(f"{name} is a folder: name its files, as {name.rstrip('/')}/*")
            try:
                file = stack.enter_context(path.open("rb"))
            except OSError as error:
                raise refuse(name, error.strerror) from error
        size = None if name == "-" or not Path(name).is_file() else Path(name).stat().st_size
        counted = Counted(file)
        names = (Path(name).absolute().parent.name, Path(name).name)
        try:
            stream, head, packed, members = unpacked(stack, io.BufferedReader(counted, 1 << 20), file, name)
        except UNREADABLE as error:
            raise refuse(name, error) from error
        yield Content(stream, head, packed, names + members, lambda: counted.read_so_far, size)


def unpacked(
    stack: ExitStack, stream: IO[bytes], file: IO[bytes], name: str
) -> tuple[IO[bytes], bytes, str, tuple[str, ...]]:
    """The unpacked stream, its head, how it was packed, and the members' names. Raises IngestError or UNREADABLE."""
    packed, members = "", tuple[str, ...]()
    for layer in range(LAYERS + 1):
        head, stream = head_of(stream)
        if layer == LAYERS:
            break
        packing = next(((kind, unpack) for start, kind, unpack in PACKINGS if start.match(head)), None)
        if packing:
            kind, unpack = packing
            stream, packed = stack.enter_context(unpack(stream)), f"{packed}{kind}, "
        elif archived := archive_kind(head):
            archive = file if layer == 0 and file.seekable() else spooled(stack, stream)
            archive.seek(0)
            stream, member = from_archive(stack, archive, archived, name)
            packed, members = f"{packed}{member} in {archived}, ", (*members, member)
        else:
            break
    stream, head, encoding = as_utf8(stream, head)
    return stream, head, packed + encoding, members


def archive_kind(head: bytes) -> str | None:
    """What an archive of files is, by its first bytes; None for anything else."""
    if head.startswith(b"7z\xbc\xaf\x27\x1c"):
        return "7z"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    return "tar" if head[257:262] == b"ustar" else None


def head_of(stream: IO[bytes]) -> tuple[bytes, IO[bytes]]:
    """The first HEAD bytes of a stream, fewer only at its end, and a stream of the whole.

    An error after the first bytes is raised once the stream comes to it: what stands before it can be read.
    """
    head, error = bytearray(), None
    try:
        # read() would lose what it has read before an error.
        while len(head) < HEAD and (part := stream.read1(HEAD - len(head))):  # type: ignore[attr-defined]
            head += part
    except UNREADABLE as raised:
        if not head:
            raise
        error = raised
    return bytes(head), io.BufferedReader(Joined(bytes(head), stream, error), 1 << 16)


def spooled(stack: ExitStack, stream: IO[bytes]) -> IO[bytes]:
    """A temporary file with the rest of a stream, for formats that are read from their end."""
    file = cast("IO[bytes]", stack.enter_context(tempfile.TemporaryFile()))
    shutil.copyfileobj(stream, file, 1 << 20)
    file.seek(0)
    return file


def from_archive(stack: ExitStack, archive: IO[bytes], kind: str, name: str) -> tuple[IO[bytes], str]:
    """The one member of an archive that holds posts: Posts.xml, or the only file. Raises IngestError or UNREADABLE."""
    if kind == "7z":
        # Few files need it, and each process would take 40 ms to load it.
        from ingest import seven_zip

        found = seven_zip.members(archive)
    elif kind == "tar":
        tar = stack.enter_context(tarfile.open(fileobj=archive, mode="r:"))
        found = [member.name for member in tar if member.isfile()]
    else:
        zipped = zipfile.ZipFile(archive)
        found = [info.filename for info in zipped.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    if "xl/workbook.xml" in found:
        raise refuse(name, "it is an Excel workbook: save its table as CSV")
    # Systems leave files of their own behind, as .DS_Store.
    found = [member for member in found if not Path(member).name.startswith(".")]
    posts = [member for member in found if Path(member).name.lower() == "posts.xml"] or found
    if len(posts) != 1:
        listed = ", ".join(sorted(posts)[:5]) + ("…" if len(posts) > 5 else "")
        reason = f"the archive holds {len(posts):,} files ({listed}): unpack it, and name those with posts"
        raise refuse(name, reason if posts else "the archive is empty")
    if kind == "7z":
        extracted = stack.enter_context(seven_zip.Extracted(archive, posts[0]))
        return io.BufferedReader(extracted, 1 << 16), posts[0]
    if kind == "tar" and (member := tar.extractfile(posts[0])):
        return stack.enter_context(member), posts[0]
    try:
        return stack.enter_context(zipped.open(posts[0])), posts[0]
    except (RuntimeError, NotImplementedError) as error:
        raise refuse(name, error) from error


def as_utf8(stream: IO[bytes], head: bytes) -> tuple[IO[bytes], bytes, str]:
    """The stream and its head in UTF-8, without a mark of their encoding, and the encoding's name if it was another."""
    if head.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
        return stream, head[len(codecs.BOM_UTF8) :], ""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        encoding = "utf-32"
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif re.match(rb"(?:[\t\n\r -~]\0{3}){2}", head):
        encoding = "utf-32-le"
    elif re.match(rb"(?:\0{3}[\t\n\r -~]){2}", head):
        encoding = "utf-32-be"
    elif re.match(rb"(?:[\t\n\r -~]\0){4}", head):
        encoding = "utf-16-le"
    elif re.match(rb"(?:\0[\t\n\r -~]){4}", head):
        encoding = "utf-16-be"
    else:
        return stream, head, ""
    head, whole = head_of(io.BufferedReader(Recoded(stream, encoding), 1 << 16))
    # XML says in its first line what it was written in.
    if head.startswith(b"<?xml") and (end := head.find(b"?>", 0, 200)) > 0:
        whole.read(end + 2)
        head = head[end + 2 :]
    return whole, head, f"{encoding[:6].upper()}, "


def binary(head: bytes) -> str | None:
    """What a file without text is, as in "a picture"; None if the head is text."""
    for start, kind in KNOWN_BINARIES.items():
        if head.startswith(start):
            return kind
    return "no text" if b"\0" in head[:4096] else None
