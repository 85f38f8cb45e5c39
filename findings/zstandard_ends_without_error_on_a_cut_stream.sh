#!/usr/bin/env bash
# zstandard 0.25.0; beside it backports.zstd 1.8.0, the code of Python 3.14.
#
# Guess: to read a .zst file whose end is missing raises an error, as it does for .gz, .bz2 and .xz.
# Seen: stream_reader, open and copy_stream of zstandard give the bytes before the cut and then an end of file, as if the
# file were whole. A download that broke off in the middle looks complete. backports.zstd raises EOFError.
# What we do: ingest/opening.py reads with backports.zstd.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zstandard==0.25.0 backports.zstd==1.8.0
"$folder/venv/bin/python" - <<'PY'
import io
import random
import sys
from importlib.metadata import version

import zstandard
from backports import zstd

for name in ("zstandard", "backports.zstd"):
    print(name, version(name))
chance = random.Random(1)
data = b"".join(b"%030x\n" % chance.getrandbits(120) for _ in range(100_000))
whole = zstandard.ZstdCompressor(write_checksum=True).compress(data)
cut = whole[: len(whole) // 2]


def outcome(read):
    try:
        return f"{read():,} bytes and no error"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def copied():
    target = io.BytesIO()
    zstandard.ZstdDecompressor().copy_stream(io.BytesIO(cut), target)
    return len(target.getvalue())


print(f"whole: {len(data):,} bytes; of the packed file one half is left")
silent = {
    "zstandard, stream_reader": outcome(lambda: len(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(cut)).read())),
    "zstandard, open": outcome(lambda: len(zstandard.open(io.BytesIO(cut)).read())),
    "zstandard, copy_stream": outcome(copied),
}
loud = {"backports.zstd, ZstdFile": outcome(lambda: len(zstd.ZstdFile(io.BytesIO(cut)).read()))}
for name, what in {**silent, **loud}.items():
    print(f"{name}: {what}")
if all("no error" in what for what in silent.values()) and all("EOFError" in what for what in loud.values()):
    print("As stated: zstandard ends without an error.")
else:
    print("Changed.")
    sys.exit(1)
PY
