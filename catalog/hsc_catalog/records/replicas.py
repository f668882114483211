"""Replicas: keeping how each now stands, and listing those of a version."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hsc.model import Pid, Replica
from hsc_catalog import tables
from hsc_catalog.access import Sight
from hsc_catalog.auditing import Change
from hsc_catalog.records.reading import get_version

_row = tables.replica.c


def put_replica(connection: Connection, sight: Sight, pid: Pid, replica: Replica) -> list[Change]:
    """Keep how a replica now stands, in place of what was known of its location.

    Returns
    -------
    What changed.

    Raises
    ------
    DatasetNotFoundError
        There is no such version.
    """
    version = get_version(connection, sight, pid)
    row = version.row
    key = {"dataset": row, "location": replica.location}
    document = tables.written(replica)
    same = (_row.dataset == row, _row.location == replica.location)
    before = connection.scalar(select(_row.json).where(*same))
    if before == document:
        return []
    tables.insert_or_update(connection, tables.replica, key, {"json": document})
    # Not its location: that may hold somebody's name.
    return [Change("register", "replica", str(version.pid), before, document)]


def list_replicas(connection: Connection, sight: Sight, pid: Pid) -> list[Replica]:
    """List the replicas of a version, the place where it was made first.

    Raises
    ------
    DatasetNotFoundError
        There is no such version.
    """
    version = get_version(connection, sight, pid)
    dataset = version.dataset()
    kept = connection.scalars(
        select(_row.json).where(_row.dataset == version.row).order_by(_row.id)
    )
    here = dataset.location.rstrip("/")
    found = {here: Replica(location=here, since=dataset.created)} if here else {}
    for text in kept:
        replica = tables.read(Replica, text)
        found[replica.location] = replica
    return list(found.values())
