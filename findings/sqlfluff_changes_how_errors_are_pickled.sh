#!/usr/bin/env bash
# sqlfluff 4.4.0 (with tblib 3.2.2) and lxml 6.1.3.
#
# Guess: to import a linter changes nothing for other code of the process; pickle leaves out what led to an exception.
# Seen: `import sqlfluff` lets tblib register all exceptions with pickle. From then on an exception takes its cause, its
# context and its traceback along. An error that was raised while lxml's XMLSyntaxError was handled can be pickled before
# the import, and not after it, also with `from None`: lxml's list of errors can not be pickled.
# Whoever sends errors from process to process beside a linter, as in tests, loses the error.
# What we do: an error is sent without its cause, context and traceback (ingest/meanwhile.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlfluff==4.4.0 tblib==3.2.2 lxml==6.1.3
"$folder/venv/bin/python" - <<'PY'
import pickle
from importlib.metadata import version

from lxml import etree


def fault():
    """An error that was raised while one of lxml was handled."""
    try:
        etree.fromstring("<posts><row></posts>")
    except etree.XMLSyntaxError:
        try:
            raise ValueError("not XML") from None
        except ValueError as error:
            return error


print("sqlfluff", version("sqlfluff"), "tblib", version("tblib"), "lxml", version("lxml"))
before = repr(pickle.loads(pickle.dumps(fault())))
print("before the import:", before)
import sqlfluff  # noqa: E402, F401

try:
    after = repr(pickle.loads(pickle.dumps(fault())))
except TypeError as error:
    after = str(error)
print("after it:", after)
assert before == "ValueError('not XML')"
assert after == "cannot pickle 'lxml.etree._ListErrorLog' object"
PY
