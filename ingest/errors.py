"""The one error the collectors raise on purpose."""


class IngestError(Exception):
    """Something a person must act on: the message says what, where and what to do, in one line."""
