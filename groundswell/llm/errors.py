"""Errors of language models."""


class AnswerError(ValueError):
    """A check rejected an answer. The message says why; the model and the readers of the table see it."""


class CutOffError(AnswerError):
    """An answer is longer than the tokens that it may have. A longer one may pass."""


class FinalError(AnswerError):
    """The same question would be answered in the same way: a correction does not help."""


class UnreadableError(Exception):
    """A model answered, and what it sent can not be read. The provider may charge for it."""


class ModelError(Exception):
    """A person must act; the message is one line that says what to do."""

    # dbt-duckdb prints the traceback of an error in a Python model. Users need the message only.
    __traceback__ = None


def storable(text: str) -> str:
    """A text of a server without halves of letters (surrogates), which no table and no request can hold."""
    return text.encode(errors="replace").decode()
