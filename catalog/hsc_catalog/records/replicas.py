"""Replicas: keeping how each now stands, and listing those of a version."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hsc.model import Pid, Replica
from hsc_catalog import tables
from hsc_catalog.auditing import Change
from hsc_catalog.records.reading import get_dataset

_row = tables.replica.c


def put_replica(connection: Connection, pid: Pid, replica: Replica) -> list[Change]:
    """Keep how a replica now stands, in place of what was known of its location.

    Returns
    -------
    What changed.

    Raises
    ------
    DatasetNotFoundError
        There is no such version.
    """
    dataset = get_dataset(connection, pid)
    row = _dataset_row(connection, dataset.pid, dataset.version)
    key = {"dataset": row, "location": replica.location}
    document = tables.written(replica)
    same = (_row.dataset == row, _row.location == replica.location)
    before = connection.scalar(select(_row.json).where(*same))
    if before == document:
        return []
    tables.insert_or_update(connection, tables.replica, key, {"json": document})
    # Not its location: that may hold somebody's name.
    key_of = str(dataset.pid.at(dataset.version))
    return [Change("register", "replica", key_of, before, document)]


def list_replicas(connection: Connection, pid: Pid) -> list[Replica]:
    """List the replicas of a version, the place where it was made first.

    Raises
    ------
    DatasetNotFoundError
        There is no such version.
    """
    dataset = get_dataset(connection, pid)
    row = _dataset_row(connection, dataset.pid, dataset.version)
    kept = connection.scalars(select(_row.json).where(_row.dataset == row).order_by(_row.id))
    here = dataset.location.rstrip("/")
    found = {here: Replica(location=here, since=dataset.created)}
    for text in kept:
        replica = tables.read(Replica, text)
        found[replica.location] = replica
    return list(found.values())


def _dataset_row(connection: Connection, pid: Pid, version: int) -> int:
    table = tables.dataset.c
    wanted = select(table.id).where(table.pid == str(pid), table.version == version)
    return int(connection.scalars(wanted).one())
