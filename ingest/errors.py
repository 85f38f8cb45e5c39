"""The errors that the collectors raise on purpose."""

from groundswell.errors import GroundswellError


class IngestError(GroundswellError):
    """Collecting failed; GroundswellError says what the message holds."""


class QueryRefusedError(IngestError):
    """The service refuses one query for good. Other queries of the source may still work."""


class StrangeResponseError(IngestError):
    """The response does not come from the service: a proxy's page, or a body that is cut or empty."""
