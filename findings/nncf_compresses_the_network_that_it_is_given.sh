#!/usr/bin/env bash
# NNCF 3.4.0 with OpenVINO 2026.4.1, numpy 2.4.6.
#
# Guess: compress_weights returns a smaller network and leaves its argument as it is, as nncf.quantize does. So one may compare the
# two afterwards.
# Seen: it changes the network that it is given and returns the same object. Who measures the loss against "the original"
# measures 0, whatever the loss, and a second mode tried on the same network starts from 8-bit weights. The signature
# returns a network, and its description does not say that the argument changes.
# What we do: the network is converted anew for each precision (groundswell/encoder.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nncf==3.4.0 openvino==2026.4.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import logging
from importlib.metadata import version

import nncf
import numpy as np
import openvino
from openvino import opset13 as nodes

nncf.set_log_level(logging.ERROR)
core, generator = openvino.Core(), np.random.default_rng(0)
weights = generator.normal(size=(256, 256)).astype("float32")
texts = generator.normal(size=(4, 256)).astype("float32")


def network():
    given = nodes.parameter([-1, 256], np.float32)
    return openvino.Model([nodes.matmul(given, nodes.constant(weights), False, True)], [given], "finding")


def answers(made):
    return core.compile_model(made, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(texts)[0].copy()


def loss(one, other):
    return float(abs(answers(one) - answers(other)).max())


print("nncf", version("nncf"), "| openvino", version("openvino"))
given, quantised = network(), network()
returned = nncf.compress_weights(given)
of_quantize = nncf.quantize(quantised, nncf.Dataset([texts]))
seen = {
    "compress_weights: loss against its argument": loss(returned, given),
    "compress_weights: loss against a new network": loss(returned, network()),
    "quantize: change of its argument": loss(quantised, network()),
    "quantize: loss against its argument": loss(of_quantize, quantised),
}
for name, value in seen.items():
    print(f"{name}: {value:.3f}")
raise SystemExit(0 if returned is given and [value > 0 for value in seen.values()] == [False, True, False, True] else "Changed.")
PY
echo "As stated: compress_weights changes its argument."
