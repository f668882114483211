"""Migrations: the steps from the tables of each release to those of the next, by alembic."""

from hsc_catalog.tables.migrations.upgrading import upgrade_tables

__all__ = ["upgrade_tables"]
