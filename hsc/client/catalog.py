"""The seam to a catalog: all that it can be told and asked."""

from __future__ import annotations

from typing import Protocol, Self

from hsc.client.finder import Finder
from hsc.client.registrar import Registrar
from hsc.client.steward import Steward


class Catalog(Registrar, Finder, Steward, Protocol):
    """A catalog that can be told and asked; use it in a ``with`` block or close it."""

    url: str
    """Where it is, without credentials."""

    def close(self) -> None:
        """Let go of connections."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
