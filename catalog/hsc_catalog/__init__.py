"""The catalog: records, access, search and lineage on SQL, and its faces over HTTP."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsc_catalog.catalog import SqlCatalog
    from hsc_catalog.sql import open_catalog, open_postgresql

__all__ = ["SqlCatalog", "open_catalog", "open_postgresql"]

_LATER = {
    "SqlCatalog": "hsc_catalog.catalog",
    "open_catalog": "hsc_catalog.sql",
    "open_postgresql": "hsc_catalog.sql",
}


def __getattr__(name: str) -> Any:
    # The packages below import this one first, and must not get all of the catalog with it.
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'hsc_catalog' has no attribute {name!r}")
