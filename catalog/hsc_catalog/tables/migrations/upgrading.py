"""Taking the steps from a database's tables to those of this release."""

from __future__ import annotations

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hsc_catalog.tables.version import VERSION, schema_version


def upgrade_tables(connection: Connection) -> None:
    """Change the tables of an older release into those of this one, in the given transaction.

    What only Python can compute, as who may see what, is for the caller to fill in.
    """
    scripts = ScriptDirectory(str(Path(__file__).parent))
    context = MigrationContext.configure(connection)
    # Release 0.1.0 knew nothing of alembic: then the first step makes what it lacks.
    done = context.get_current_revision() or "base"
    steps = reversed(list(scripts.iterate_revisions("head", done)))
    with Operations.context(context):
        for step in steps:
            step.module.upgrade()
    context.stamp(scripts, "head")
    connection.execute(schema_version.update().values(version=VERSION))
