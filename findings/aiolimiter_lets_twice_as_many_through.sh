#!/usr/bin/env bash
# aiolimiter 1.3.0.
#
# Guess: AsyncLimiter(30, 60) lets 30 requests through in any 60 seconds: the parameters are called max_rate and time_period,
# and the documentation has bursts of max_rate at most.
# Seen: 30 go at once, and from then on their places come back, one each two seconds: 59 in the first minute. A limit of a
# service, such as GitHub's 30 searches a minute, is passed twice over after each pause, and the service answers 403 or 429.
# AsyncLimiter(1, 2) keeps to 30 a minute.
# What we do: a request counts from its answer on, in the span that the service names (ingest/allowance.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiolimiter==1.3.0
"$folder/venv/bin/python" - <<'PY'
import asyncio
import time
from importlib.metadata import version

from aiolimiter import AsyncLimiter


async def most(rate, period):
    """The most requests in any three seconds, of at least four times as many as a period allows."""
    limiter = AsyncLimiter(rate, period)
    times = []
    for _ in range(max(4 * rate, 20)):
        async with limiter:
            times.append(time.monotonic())
    return max(sum(start <= at < start + 3 for at in times) for start in times)


burst = asyncio.run(most(30, 3))
even = asyncio.run(most(1, 0.1))
print("aiolimiter", version("aiolimiter"), "| most in 3 seconds: AsyncLimiter(30, 3):", burst, "| AsyncLimiter(1, 0.1):", even)
raise SystemExit(0 if 50 <= burst <= 60 and even <= 31 else "Changed.")
PY
echo "As stated: nearly twice as many go through."
