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
    from hsc.jobs.collecting import Collection, Remains, collect
    from hsc.jobs.doctor import Check, examine
    from hsc.jobs.exporting import export
    from hsc.jobs.ingesting import ingest, ingest_one
    from hsc.jobs.inspecting import Inspection, inspect
    from hsc.jobs.rebuilding import Rebuilt, rebuild
    from hsc.jobs.reducing import reduce
    from hsc.jobs.stages import InProcess, Runner, Stage
    from hsc.jobs.telling import open_catalog, tell_failed

__all__ = [
    "Check",
    "Collection",
    "InProcess",
    "IngestReport",
    "IngestRequest",
    "IngestedDataset",
    "Inspection",
    "PathFailure",
    "Policy",
    "Rebuilt",
    "ReduceRequest",
    "ReducedDataset",
    "Remains",
    "Runner",
    "Stage",
    "Verify",
    "collect",
    "examine",
    "export",
    "ingest",
    "ingest_one",
    "inspect",
    "open_catalog",
    "rebuild",
    "reduce",
    "tell_failed",
]

_LATER = {
    "Check": "doctor",
    "Collection": "collecting",
    "InProcess": "stages",
    "Inspection": "inspecting",
    "Runner": "stages",
    "Stage": "stages",
    "Rebuilt": "rebuilding",
    "Remains": "collecting",
    "collect": "collecting",
    "examine": "doctor",
    "export": "exporting",
    "ingest": "ingesting",
    "ingest_one": "ingesting",
    "inspect": "inspecting",
    "open_catalog": "telling",
    "rebuild": "rebuilding",
    "reduce": "reducing",
    "tell_failed": "telling",
}


def __getattr__(name: str) -> Any:
    # Each job brings its own packages; some of them a researcher's installation comes without.
    if name in _LATER:
        return getattr(import_module(f"hsc.jobs.{_LATER[name]}"), name)
    raise AttributeError(name)
