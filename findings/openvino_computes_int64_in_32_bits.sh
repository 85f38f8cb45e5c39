#!/usr/bin/env bash
# OpenVINO 2026.4.1, device CPU, numpy 2.4.6.
#
# Guess: a network whose tensors are int64 computes in 64 bits; float64 is as exact as in numpy, or refused.
# Seen: the CPU plugin computes int64 in 32 bits and float64 in 32 bits, and hands the result over as int64 and float64. 3000000000 + 1
# is -1294967295, 4294967301 == 5 is true, and 100000000.0 + 1.0 is 100000000.0. An id of a post, a hash or a time in
# milliseconds that passes through a network is another one, without a warning. A network that only hands on its input is right.
# Known: https://github.com/openvinotoolkit/openvino/issues/35823, open.
# What we do: only numbers of tokens, below 31,000, enter the network; ids stay outside (groundswell/encoder.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import numpy as np
import openvino
from openvino import opset13 as nodes

core = openvino.Core()


def computed(number, operation, other):
    given = nodes.parameter([1], type(number))
    network = openvino.Model([operation(given, nodes.constant(other))], [given], "finding")
    return core.compile_model(network, "CPU")(np.array([number]))[0][0]


print("openvino", version("openvino"))
seen = []
for number, operation, other, name in (
    (np.int64(3_000_000_000), nodes.add, np.int64(1), "+"),
    (np.int64(70_000), nodes.multiply, np.int64(70_000), "*"),
    (np.int64(2**32 + 5), nodes.equal, np.int64(5), "=="),
    (np.float64(1e8), nodes.add, np.float64(1), "+"),
):
    result = computed(number, operation, other)
    print(f"{number.dtype}: {number} {name} {other} is {result} ({result.dtype})")
    seen.append(result)
raise SystemExit(0 if seen == [3_000_000_001 - 2**32, 70_000**2 - 2**32, True, 1e8] else "Changed.")
PY
echo "As stated: numbers of 64 bits are computed in 32."
