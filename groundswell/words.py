"""Words of messages that people read."""


def count(number: int, one: str, many: str) -> str:
    """A number and its noun: 1 person, 2 people."""
    return f"{number:,} {one if number == 1 else many}"
