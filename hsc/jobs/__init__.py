"""The steps of whole jobs, the same for the command line, Python and flows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hsc.jobs.requests import (
    IngestedDataset,
    IngestReport,
    IngestRequest,
    PathFailure,
    Policy,
    ReducedDataset,
    ReduceRequest,
    Verify,
)

if TYPE_CHECKING:
    from hsc.jobs.doctor import Check, examine
    from hsc.jobs.exporting import export
    from hsc.jobs.ingesting import ingest, ingest_one
    from hsc.jobs.inspecting import Inspection, inspect
    from hsc.jobs.reducing import reduce
    from hsc.jobs.stages import InProcess, Runner, Stage
    from hsc.jobs.telling import open_catalog, tell_failed

__all__ = [
    "Check",
    "InProcess",
    "IngestReport",
    "IngestRequest",
    "IngestedDataset",
    "Inspection",
    "PathFailure",
    "Policy",
    "ReduceRequest",
    "ReducedDataset",
    "Runner",
    "Stage",
    "Verify",
    "examine",
    "export",
    "ingest",
    "ingest_one",
    "inspect",
    "open_catalog",
    "reduce",
    "tell_failed",
]

_LATER = {
    "Check": "doctor",
    "InProcess": "stages",
    "Inspection": "inspecting",
    "Runner": "stages",
    "Stage": "stages",
    "examine": "doctor",
    "export": "exporting",
    "ingest": "ingesting",
    "ingest_one": "ingesting",
    "inspect": "inspecting",
    "open_catalog": "telling",
    "reduce": "reducing",
    "tell_failed": "telling",
}


def __getattr__(name: str) -> Any:
    # Each job brings its own packages; some of them a researcher's installation comes without.
    if name in _LATER:
        return getattr(import_module(f"hsc.jobs.{_LATER[name]}"), name)
    raise AttributeError(name)
