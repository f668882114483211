"""A catalog by its URL, and the seams to it."""

from hsc.client.catalog import Catalog
from hsc.client.connecting import connect
from hsc.client.delivering import Delivers
from hsc.client.exchange import without_credentials
from hsc.client.finder import Finder
from hsc.client.http import HttpCatalog
from hsc.client.registrar import Registrar
from hsc.client.searching import Bounds, Searching, make_query
from hsc.client.steward import Steward

__all__ = [
    "Bounds",
    "Catalog",
    "Delivers",
    "Finder",
    "HttpCatalog",
    "Registrar",
    "Searching",
    "Steward",
    "connect",
    "make_query",
    "without_credentials",
]
