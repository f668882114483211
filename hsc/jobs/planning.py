"""Planning an ingest: a run read, all but its data, here or in a child process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hsc.errors import HscError, SourceError
from hsc.ingestion import Plan, check_unchanged, make_plan
from hsc.jobs.requests import IngestRequest
from hsc.layouts import read_run
from hsc.model import Facility
from hsc.workers import Isolation, Limits


def plan_ingest(path: Path, request: IngestRequest, facility: Facility) -> Plan:
    """Read all of a run but its data, and plan what will be written.

    Raises
    ------
    SourceError
        Something is wrong with the files.
    """
    asked = (path, request.layout, facility.time_zone, request.policy)
    isolation = _isolation(path, request)
    if isolation is None:
        plan = read_plan(*asked)
    else:
        made = isolation.call(read_plan, *asked, doing="reading its structure")
        plan = replace(made, isolation=isolation)
    check_unchanged(plan)
    return plan


def read_plan(path: Path, layout: str | None, time_zone: str, policy: str) -> Plan:
    """Read a run and plan its ingest, wherever this runs.

    Raises
    ------
    SourceError
        Something is wrong with the files.
    """
    try:
        return make_plan(read_run(path, layout=layout, time_zone=time_zone), policy=policy)
    except (KeyError, ValueError, RuntimeError, OSError) as error:
        if isinstance(error, HscError):
            raise
        # h5py raises these for structures that a damaged file promises and does not have.
        raise SourceError(
            f"the file can't be understood: {error}",
            where=str(path),
            next_step="copy it again from where it was written; if it is whole, this is a defect",
        ) from error


def _isolation(path: Path, request: IngestRequest) -> Isolation | None:
    """Give how HDF5 is entered; None: in the process that works."""
    if not request.isolate:
        return None
    limits = Limits() if request.memory is None else Limits(memory_bytes=request.memory)
    return Isolation(str(path), limits)
