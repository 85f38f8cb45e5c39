"""Tests of publishing: the push to a real PocketBase, and the board in a real browser."""
