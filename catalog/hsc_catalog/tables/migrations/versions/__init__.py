"""One file per step; alembic finds them here."""
