"""Databases under the catalog: the seam, SQLite, PostgreSQL."""

from hsc_catalog.databases.database import Database
from hsc_catalog.databases.postgresql import PostgresqlDatabase
from hsc_catalog.databases.sqlite import SqliteDatabase

__all__ = ["Database", "PostgresqlDatabase", "SqliteDatabase"]
