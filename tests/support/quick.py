"""A pytest plugin for mutation testing: leaves out tests that build a database, start a server or take long."""

import pytest

# Every fixture that builds, serves or starts commands requests one of the first three; in_order groups random days.
SLOW_FIXTURES = frozenset({"shared", "project", "loopback", "in_order"})
# Their tests are about mutants, and their server answers in no time.
ALL_QUICK = ("test_delivery.py", "test_edges.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that use a slow fixture."""
    quick = [
        item
        for item in items
        if isinstance(item, pytest.Function)
        and (item.path.name in ALL_QUICK or SLOW_FIXTURES.isdisjoint(item.fixturenames))
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in quick])
    items[:] = quick
