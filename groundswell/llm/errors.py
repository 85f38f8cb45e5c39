"""Errors of language models."""


class AnswerError(ValueError):
    """A check rejected an answer. The message says why; the model and the readers of the table see it."""


class UnreadableError(Exception):
    """A model answered, and what it sent can not be read. The provider may charge for it."""


class ModelError(Exception):
    """A person must act; the message is one line that says what to do."""

    # dbt-duckdb prints the traceback of an error in a Python model. Users need the message only.
    __traceback__ = None
