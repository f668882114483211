"""Comparing a committed version with the source that it was made of: both decoded, bit by bit."""

from __future__ import annotations

from pathlib import Path

from hsc.errors import SourceChangedError, VerificationError
from hsc.ingestion import verify_written
from hsc.jobs.planning import plan_ingest
from hsc.jobs.requests import IngestRequest
from hsc.layouts import find_facility
from hsc.model import Dataset
from hsc.store import Damage, damage, open_version
from hsc.workers import Progress, Workers


def compare_source(
    path: str, record: Dataset, location: str, workers: Workers, progress: Progress
) -> tuple[int, list[Damage]]:
    """Decode every chunk of a version and of its source, apart, and compare their bits.

    Parameters
    ----------
    path
        The file or run.
    record
        The dataset.
    location
        URL of the version's folder to read.

    Returns
    -------
    count
        How many chunks were compared.
    damaged
        The first that differs, if any does.

    Raises
    ------
    SourceError
        The source can't be read, or the dataset was not made of it.
    """
    request = IngestRequest(
        paths=(path,), layout=record.layout, policy="quarantine" if record.gaps else "strict"
    )
    plan = plan_ingest(Path(path), request, find_facility(record.facility))
    if plan.source_id != record.source_id:
        raise SourceChangedError(
            f"{record.pid}@{record.version} was not made of this: the source is {plan.source_id}, "
            f"the dataset's was {record.source_id}",
            where=path,
            next_step="name the file or run that `hsc lineage` tells, as it was then",
        )
    entries = open_version(location).manifest.entries
    try:
        done = verify_written(
            plan, location, entries, how="full", workers=workers, progress=progress
        )
    except VerificationError as error:
        told = VerificationError(
            "what is stored differs from the source, and is what was once written",
            where=error.where,
            next_step="find out whether the source was changed since; if not, report it: it is "
            "a defect",
        )
        return 0, [damage(told.where, told)]
    return done.compared, []
