"""Collects public posts into bronze.raw_items."""
