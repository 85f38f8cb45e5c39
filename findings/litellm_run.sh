#!/usr/bin/env bash
# What the scripts about LiteLLM share: runs the program on stdin with a LiteLLM of its own, the packages that are named, and
# litellm_server.py beside.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check litellm==1.106.2 "$@"
PYTHONPATH=$(dirname "$0") PYTHONDONTWRITEBYTECODE=1 "$folder/venv/bin/python" -W ignore -
