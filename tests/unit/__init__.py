"""Tests that need no build: packages, functions of Python models, the ingest command."""
