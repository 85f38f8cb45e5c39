"""The code that `ingest`, `sync` and the dbt models share: clock, database, HTTP, progress bars, language models."""

__version__ = "0.2.0"
