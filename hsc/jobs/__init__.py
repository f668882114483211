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
    from hsc.jobs.fetching import Fetched, FetchRequest, fetch
    from hsc.jobs.ingesting import ingest, ingest_one
    from hsc.jobs.inspecting import Inspection, inspect
    from hsc.jobs.locating import (
        Located,
        folder_url,
        locate,
        locate_folder,
        locate_named,
        read_checksums,
    )
    from hsc.jobs.rebuilding import Rebuilt, rebuild
    from hsc.jobs.reducing import reduce
    from hsc.jobs.replicating import ReplicateRequest, Replication, replicate
    from hsc.jobs.reproducing import reproduce
    from hsc.jobs.reproduction import ReproduceRequest, Reproduction
    from hsc.jobs.retrying import request_again, retry
    from hsc.jobs.stages import InProcess, Runner, Stage
    from hsc.jobs.store_doctor import StoreCheck, StoreReport, examine_store
    from hsc.jobs.telling import open_catalog, tell_failed
    from hsc.jobs.verified import Verification, VerifiedReplica, VerifyRequest
    from hsc.jobs.verifying import verify, verify_folder

__all__ = [
    "Check",
    "Collection",
    "FetchRequest",
    "Fetched",
    "InProcess",
    "IngestReport",
    "IngestRequest",
    "IngestedDataset",
    "Inspection",
    "Located",
    "PathFailure",
    "Policy",
    "Rebuilt",
    "ReduceRequest",
    "ReducedDataset",
    "Remains",
    "ReplicateRequest",
    "Replication",
    "ReproduceRequest",
    "Reproduction",
    "Runner",
    "Stage",
    "StoreCheck",
    "StoreReport",
    "Verification",
    "VerifiedReplica",
    "Verify",
    "VerifyRequest",
    "collect",
    "examine",
    "examine_store",
    "export",
    "fetch",
    "folder_url",
    "ingest",
    "ingest_one",
    "inspect",
    "locate",
    "locate_folder",
    "locate_named",
    "open_catalog",
    "read_checksums",
    "rebuild",
    "reduce",
    "replicate",
    "reproduce",
    "request_again",
    "retry",
    "tell_failed",
    "verify",
    "verify_folder",
]

_LATER = {
    "Check": "doctor",
    "Collection": "collecting",
    "FetchRequest": "fetching",
    "Fetched": "fetching",
    "InProcess": "stages",
    "Inspection": "inspecting",
    "Located": "locating",
    "Rebuilt": "rebuilding",
    "Remains": "collecting",
    "ReplicateRequest": "replicating",
    "Replication": "replicating",
    "ReproduceRequest": "reproduction",
    "Reproduction": "reproduction",
    "Runner": "stages",
    "Stage": "stages",
    "Verification": "verified",
    "VerifiedReplica": "verified",
    "VerifyRequest": "verified",
    "collect": "collecting",
    "examine": "doctor",
    "examine_store": "store_doctor",
    "StoreCheck": "store_doctor",
    "StoreReport": "store_doctor",
    "export": "exporting",
    "fetch": "fetching",
    "folder_url": "locating",
    "ingest": "ingesting",
    "ingest_one": "ingesting",
    "inspect": "inspecting",
    "locate": "locating",
    "locate_folder": "locating",
    "locate_named": "locating",
    "open_catalog": "telling",
    "read_checksums": "locating",
    "rebuild": "rebuilding",
    "reduce": "reducing",
    "replicate": "replicating",
    "reproduce": "reproducing",
    "request_again": "retrying",
    "retry": "retrying",
    "tell_failed": "telling",
    "verify": "verifying",
    "verify_folder": "verifying",
}


def __getattr__(name: str) -> Any:
    # Each job brings its own packages; some of them a researcher's installation comes without.
    if name in _LATER:
        return getattr(import_module(f"hsc.jobs.{_LATER[name]}"), name)
    raise AttributeError(name)
