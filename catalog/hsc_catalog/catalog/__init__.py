"""SqlCatalog: the catalog that can be told and asked, on an SQL database."""

from hsc_catalog.catalog.sql_catalog import SqlCatalog

__all__ = ["SqlCatalog"]
