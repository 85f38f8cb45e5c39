"""The errors that the collectors raise on purpose."""

from groundswell.errors import GroundswellError


class IngestError(GroundswellError):
    """Collecting failed; see GroundswellError for what the message says."""


class QueryRefusedError(IngestError):
    """The service refuses this query for good; the other queries of the source may go on."""


class StrangeAnswerError(IngestError):
    """A response is none of the service's: a proxy's page, a cut or empty body."""
