"""One parser of dates for all results of queries: agate makes two for each result that dbt reads with it."""

from functools import cache

import parsedatetime


def keep_date_parsers() -> None:
    """Call it before dbt reads the project."""
    parsedatetime.Constants = cache(parsedatetime.Constants)
