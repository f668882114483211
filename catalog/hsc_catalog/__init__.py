"""The catalog: records, search and lineage on SQL."""

from hsc_catalog.catalog import SqlCatalog
from hsc_catalog.sql import open_catalog, open_postgresql

__all__ = ["SqlCatalog", "open_catalog", "open_postgresql"]
