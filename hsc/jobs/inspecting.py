"""Inspecting: what an ingest of a path would do. Nothing is written, no catalog is asked."""

from __future__ import annotations

from pathlib import Path

from hsc import settings
from hsc.ingestion import forecast, summary
from hsc.jobs.planning import plan_ingest
from hsc.jobs.requests import IngestRequest
from hsc.layouts import find_facility
from hsc.model import ArraySummary, Gap, Record, plain_text
from hsc.workers import available_cpus, ending_children


class InspectedArray(ArraySummary):
    """What would become of one array."""

    objects: int
    """Objects that it would become."""
    bytes: int
    """Bytes that they would have; a guess when chunks are encoded anew."""


class Inspection(Record):
    """What would become of a path."""

    path: str
    """The path."""
    layout: str
    """The layout that was found."""
    complete: bool
    """Whether the run is complete."""
    missing: tuple[str, ...]
    """What is not there."""
    notes: tuple[str, ...]
    """What is worth knowing and is neither missing nor lost: files left out, trains lost ..."""
    gaps: tuple[Gap, ...]
    """What could not be carried over, with reasons."""
    source_id: str
    """Identity of the run's files."""
    files: int
    """How many files the run has."""
    bytes_in: int
    """Their bytes."""
    shards: int
    """Shards and single chunks that would be written."""
    objects: int
    """All objects, metadata and manifest included."""
    bytes: int
    """Bytes of all objects."""
    seconds: float
    """A rough time for the ingest."""
    arrays: tuple[InspectedArray, ...]
    """All arrays."""


def inspect(path: str, *, layout: str | None = None, isolate: bool = False) -> Inspection:
    """Tell what an ingest of a path would do.

    Parameters
    ----------
    path
        A file, or a run's folder or master file.
    layout
        Name of the layout; None: found out.
    isolate
        Whether HDF5 is entered only in a child process.

    Raises
    ------
    SourceError
        Something is wrong with the files.
    """
    facility = find_facility(settings.facility())
    request = IngestRequest(paths=(path,), layout=layout, policy="quarantine", isolate=isolate)
    with ending_children():
        plan = plan_ingest(Path(path), request, facility)
    told = forecast(plan, available_cpus())
    arrays = tuple(
        InspectedArray(**dict(summary(each.planned.spec)), objects=each.objects, bytes=each.nbytes)
        for each in sorted(told.arrays, key=lambda array: array.planned.spec.path)
    )
    return Inspection(
        path=path,
        layout=plan.run.layout,
        complete=not plan.run.missing,
        missing=tuple(map(plain_text, plan.run.missing)),
        notes=tuple(map(plain_text, plan.run.notes)),
        gaps=plan.gaps,
        source_id=plan.source_id,
        files=len(plan.run.sources),
        bytes_in=plan.bytes_in,
        shards=sum(each.objects for each in told.arrays),
        objects=told.objects,
        bytes=told.nbytes,
        seconds=round(told.seconds, 1),
        arrays=arrays,
    )
