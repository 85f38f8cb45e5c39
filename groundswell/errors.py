"""The base of the errors that the project raises on purpose."""


class GroundswellError(Exception):
    """An error that a person must act on. The message is one line: what is wrong, where, and what to do."""
