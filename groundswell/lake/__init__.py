"""The lake: tables that several machines share. DuckLake has its catalog in Postgres, and Parquet files elsewhere.

Nothing here is imported unless GROUNDSWELL_LAKE is set, or a command is about the lake.
"""

from groundswell.errors import GroundswellError


class LakeError(GroundswellError):
    """The lake can not be used. The message is one line, and never holds a password."""
