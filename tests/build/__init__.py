"""Tests that run `dbt build`."""
