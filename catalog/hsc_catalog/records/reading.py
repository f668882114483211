"""Reading one dataset, by its PID, as its caller may see it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hsc.errors import DatasetNotFoundError
from hsc.model import Dataset, Pid
from hsc_catalog import tables
from hsc_catalog.access import Sight

_row = tables.dataset.c


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a dataset as it stands in the tables."""

    row: int
    """Its row."""
    pid: Pid
    """Its PID with the version."""
    revision: int
    """How often anything of it was changed, from 1."""
    registered: int
    """When it was registered, in microseconds since 1970."""
    updated: int
    """When it was last changed, likewise."""
    text: str
    """Its document, exactly as it was posted or as an amendment left it."""

    def dataset(self) -> Dataset:
        """Read its record."""
        return tables.read(Dataset, self.text)


def get_version(connection: Connection, sight: Sight, pid: Pid) -> Version:
    """Give the version that a PID names, else the newest, if the caller may see it.

    Raises
    ------
    DatasetNotFoundError
        There is none, or none that the caller may see: that is the same.
    """
    latest = str(pid.latest())
    wanted = _row.newest if pid.version is None else _row.version == pid.version
    see = sight.datasets()
    columns = (_row.id, _row.version, _row.revision, _row.registered, _row.updated)
    found = connection.execute(
        select(*columns, tables.dataset_document.c.json)
        .join(tables.dataset_document)
        .where(_row.pid == latest, wanted, see)
    ).one_or_none()
    if found is not None:
        row, version, revision, registered, updated, text = found
        return Version(row, pid.at(version), revision, registered, updated, text)
    newest = connection.scalar(select(_row.version).where(_row.pid == latest, _row.newest, see))
    raise DatasetNotFoundError(
        f"there is no dataset {pid}",
        next_step="`hsc search` lists the known ones"
        if newest is None
        else f"the newest version is {pid.at(newest)}",
    )


def get_dataset(connection: Connection, sight: Sight, pid: Pid) -> Dataset:
    """Give the record of the version that a PID names, else of the newest.

    Raises
    ------
    DatasetNotFoundError
        There is none that the caller may see.
    """
    return get_version(connection, sight, pid).dataset()
