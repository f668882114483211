"""Reading one dataset, by its PID."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hsc.errors import DatasetNotFoundError
from hsc.model import Dataset, Pid
from hsc_catalog import tables

_row = tables.dataset.c


def get_dataset(connection: Connection, pid: Pid) -> Dataset:
    """Give a dataset: the version that the PID names, else the newest.

    Raises
    ------
    DatasetNotFoundError
        There is none.
    """
    wanted = _row.newest if pid.version is None else _row.version == pid.version
    documents = select(tables.dataset_document.c.json).join(tables.dataset)
    found = connection.scalar(documents.where(_row.pid == str(pid.latest()), wanted))
    if found is not None:
        return tables.read(Dataset, found)
    newest = connection.scalar(
        select(_row.version).where(_row.pid == str(pid.latest()), _row.newest)
    )
    raise DatasetNotFoundError(
        f"there is no dataset {pid}",
        next_step="`hsc search` lists the known ones"
        if newest is None
        else f"the newest version is {pid.at(newest)}",
    )
