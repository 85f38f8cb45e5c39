"""What may go wrong with a language model."""


class AnswerError(ValueError):
    """An answer that does not pass; the message tells the model, and the reader of the table, what is wrong."""


class ModelError(Exception):
    """Something a person must act on, in one line."""

    # dbt-duckdb prints the traceback of what a Python model raises; the line says it all.
    __traceback__ = None
