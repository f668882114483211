"""Hanseatic Science Cloud: facility HDF5 as lazy, checked Zarr, with a history for every number.

The verbs are functions of this package: `connect`, `open`, `search`, `ingest`, `reduce`, `export`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsc.client import connect
    from hsc.jobs import export
    from hsc.verbs import ingest, open, reduce, search

__all__ = ["connect", "export", "ingest", "open", "reduce", "search"]

_LATER = {
    "connect": "hsc.client",
    "export": "hsc.jobs",
    "ingest": "hsc.verbs",
    "open": "hsc.verbs",
    "reduce": "hsc.verbs",
    "search": "hsc.verbs",
}


def __getattr__(name: str) -> Any:
    # `import hsc` stays fast, and brings nothing that the installation comes without.
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'hsc' has no attribute {name!r}")
