"""A pytest plugin: runs scitacean's query tests, which its authors skip for the real SciCat."""

from __future__ import annotations

import pytest

QUERIES = "query_client_test.py"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the skip off the module of query tests."""
    for item in items:
        module = item.getparent(pytest.Module)
        if module is not None and module.path.name == QUERIES:
            for node in (module, item):
                node.own_markers = [mark for mark in node.own_markers if mark.name != "skip"]
