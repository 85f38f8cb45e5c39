"""The errors that the collectors raise on purpose."""


class IngestError(Exception):
    """Something a person must act on: the message says what, where and what to do, in one line."""


class QueryRefusedError(IngestError):
    """The service refuses this query for good; the other queries of the source may go on."""


class StrangeAnswerError(IngestError):
    """A response is none of the service's: a proxy's page, a cut or empty body."""
