"""Databases under the catalog: the seam, SQLite, PostgreSQL."""

from hsc_catalog.databases.database import Database, Upgrade
from hsc_catalog.databases.postgresql import PostgresqlDatabase
from hsc_catalog.databases.sqlite import SqliteDatabase, backup_beside

__all__ = ["Database", "PostgresqlDatabase", "SqliteDatabase", "Upgrade", "backup_beside"]
