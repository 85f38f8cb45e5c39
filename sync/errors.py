"""The error that publishing raises on purpose."""

from groundswell.errors import GroundswellError


class SyncError(GroundswellError):
    """Publishing failed; see GroundswellError for what the message says."""
