"""A catalog's database, a clock that is turned by hand, and a caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hsc_catalog.access import ALL_SCOPES, Caller
from hsc_catalog.databases import Database
from hsc_catalog.sql import open_database


@dataclass
class Clock:
    """Tells the time that it was set to."""

    at: datetime = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go_on(self, **length: float) -> None:
        self.at += timedelta(**length)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def anna() -> Caller:
    """Give somebody signed in, who may do whatever is not administration."""
    return Caller("anna", scopes=ALL_SCOPES - {"admin"})


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Database]:
    """Give an empty catalog's database."""
    database = open_database(f"sqlite:///{tmp_path}/catalog.sqlite", 5.0)
    yield database
    database.close()
