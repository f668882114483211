"""Activity and agent: what was done, by whom, with which code and on which machine (PROV)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from hsc.model.limits import Name, Text
from hsc.model.pid import Pid
from hsc.model.wire import Record, UtcTime, VersionedRecord, plain_json


class ActivityState(StrEnum):
    """Where an activity stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Agent(Record):
    """A person or a program that an activity was associated with."""

    kind: Literal["person", "software"]
    """Person or software."""
    id: str
    """Account name, ORCID, or ``name@version`` of a program."""


class Environment(Record):
    """The code and machine of an activity."""

    packages: dict[str, str]
    """Distribution name to version, for the packages that can change a result."""
    python: str
    """Version of Python."""
    platform: str
    """Operating system and processor."""
    host: str
    """Name of the machine."""
    process: int
    """Number of the process on that machine."""
    process_space: str = ""
    """What that number counts in, as a digest: the machine, or a container that has its name; empty
    where that is not known."""
    cpus: int
    """Processors of the machine."""
    source_commit: str | None = None
    """Commit of hsc's own source when it runs from a checkout; ``+changes`` when edited."""
    lock_digest: str | None = None
    """BLAKE3 over the sorted ``name==version`` lines of everything installed."""


class Failure(Record):
    """Why an activity failed."""

    error: str
    """Class name of the error."""
    message: str
    """What was wrong."""
    where: str = ""
    """File, HDF5 path, chunk or PID."""
    next: str = ""
    """What can be done."""


class Activity(VersionedRecord):
    """Something that was done: an ingest, a reduction (prov:Activity)."""

    grown: ClassVar[frozenset[str]] = frozenset({"retry_of", "facility", "instrument", "proposal"})

    format: Literal["hsc.activity/1"] = "hsc.activity/1"
    """Name and version of this wire form."""
    id: str
    """A ULID."""
    type: str
    """``ingest``, ``reduce`` ..."""
    state: ActivityState
    """Running, done or failed."""
    started: UtcTime
    """When it began."""
    ended: UtcTime | None = None
    """When it ended; None while it runs."""
    parameters: Annotated[dict[str, Any], AfterValidator(plain_json)] = Field(default_factory=dict)
    """Everything that was asked, defaults written out; values that JSON can hold."""
    environment: Environment
    """With which code, where."""
    agents: tuple[Agent, ...] = ()
    """Who it was associated with."""
    used: tuple[str, ...] = ()
    """PIDs with version, or source ids, that went in."""
    generated: tuple[Pid, ...] = ()
    """Datasets that came out."""
    input_roots: tuple[str, ...] = ()
    """Roots of the datasets that went in, in the order of ``used``."""
    output_roots: tuple[str, ...] = ()
    """Roots of the datasets that came out, in the order of ``generated``."""
    bytes_in: int = 0
    """Bytes read."""
    bytes_out: int = 0
    """Bytes written."""
    runner: str = "process"
    """``process`` or ``prefect``."""
    flow_run_id: str | None = None
    """Prefect's id of the run, when a flow did it."""
    failure: Failure | None = None
    """Why it failed; None unless it did."""
    retry_of: str | None = None
    """ULID of the failed activity that it tries again; None: it is a first try."""
    facility: Name | None = None
    """Where its data were measured; None: not known, or told by what came out."""
    instrument: Text | None = None
    """On which instrument of that facility, as far as was known."""
    proposal: Text | None = None
    """For which proposal of that facility, as far as was known."""
