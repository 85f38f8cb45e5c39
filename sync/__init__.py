"""Publishes gold to PocketBase, and runs the bundled server with its board."""
