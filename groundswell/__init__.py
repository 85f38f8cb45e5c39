"""What the commands `ingest` and `sync` and the models of the project share."""
