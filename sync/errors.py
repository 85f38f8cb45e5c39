"""The one error that publishing raises on purpose."""


class SyncError(Exception):
    """Something a person must act on: the message says what, where and what to do, in one line."""
