"""A catalog by its URL, and the seams to it."""

from hsc.client.catalog import Catalog, Finder, Registrar
from hsc.client.connecting import connect

__all__ = ["Catalog", "Finder", "Registrar", "connect"]
