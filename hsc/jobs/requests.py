"""What is asked of a job and what it answers: plain records, the same for CLI, Python and flows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hsc.model import ArraySummary, Gap, Pid, Record

Policy = Literal["strict", "quarantine"]
Verify = Literal["none", "sample", "full"]


class IngestRequest(Record):
    """What to take in, and how."""

    paths: tuple[str, ...]
    """Absolute paths of files, run folders or master files of runs; each becomes one dataset."""
    facility: str | None = None
    """Facility's short id; None: ``HSC_FACILITY``, else ``local``."""
    proposal: str | None = None
    """Proposal number; None: as the files say."""
    sample: str | None = None
    """Sample's name; None: as the files say."""
    layout: str | None = None
    """Name of the layout; None: found out."""
    policy: Policy = "strict"
    """``strict`` stops at what can't be carried over, ``quarantine`` records it as a gap."""
    verify: Verify = "sample"
    """How much is read back and compared with the source."""
    preview: bool = False
    """Whether to make previews of image stacks; ``verify`` ``full`` makes them anyway."""
    workers: int | None = Field(default=None, ge=1)
    """Threads or processes at work; None: as many as there are processors."""
    isolate: bool | None = None
    """Whether HDF5 is entered only in a child process; None: in flows, and not elsewhere."""
    max_rate: int | None = Field(default=None, ge=1)
    """Bytes a second written to the store, all workers together; None: as fast as it goes."""
    memory: int | None = Field(default=None, ge=1)
    """Bytes that shards being made may take, all workers together; None: not bounded."""
    max_wait_s: float = Field(default=12 * 3600.0, ge=0)
    """How long to wait for somebody else who ingests the same source, in seconds."""


class IngestedDataset(Record):
    """What came of one path."""

    pid: Pid
    """The dataset's identifier."""
    version: int
    """Its version."""
    layout: str
    """The layout that was found."""
    root: str
    """BLAKE3 root of what was written."""
    bytes_in: int
    """Bytes of the source files."""
    bytes_out: int
    """Bytes of all objects of the dataset."""
    seconds: float
    """Time from start to registration."""
    arrays: tuple[ArraySummary, ...]
    """All arrays, by path."""
    gaps: tuple[Gap, ...]
    """What is missing, with reasons."""
    notes: tuple[str, ...] = ()
    """What is worth knowing and is neither missing nor lost: files left out, trains lost ..."""
    existing: bool = False
    """The same source was there already; nothing was written."""
    copied: int = 0
    """How many objects were copied from the version before inside the store, not made again; those
    that an earlier attempt copied are not counted."""
    source: str
    """The path that was asked for."""


class PathFailure(Record):
    """What went wrong with one path."""

    path: str
    """The path that was asked for."""
    error: str
    """Class name of the error."""
    message: str
    """What is wrong."""
    where: str = ""
    """File, HDF5 path, chunk."""
    next: str = ""
    """What to do."""


class IngestReport(Record):
    """What came of a whole ingest."""

    datasets: tuple[IngestedDataset, ...] = ()
    """What went in, in the order asked."""
    errors: tuple[PathFailure, ...] = ()
    """What did not."""


class ReduceRequest(Record):
    """Which reduction to run on what."""

    name: str
    """Name of the reduction."""
    inputs: tuple[tuple[str, Pid], ...]
    """Role and dataset; the role is empty when the reduction has only one."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Parameters that differ from what the dataset and the defaults say."""
    recipe: dict[str, Any] = Field(default_factory=dict)
    """Parameters of a recipe; those of ``parameters`` go before them."""
    workers: int | None = Field(default=None, ge=1)
    """Threads or processes at work; None: as many as there are processors."""

    @property
    def given(self) -> dict[str, Any]:
        """All parameters that were given, the recipe's among them."""
        return {**self.recipe, **self.parameters}

    @property
    def sources(self) -> dict[str, str]:
        """Where each of them was given: ``-p`` or ``recipe``."""
        return dict.fromkeys(self.recipe, "recipe") | dict.fromkeys(self.parameters, "-p")


class ReducedDataset(Record):
    """What came of a reduction."""

    pid: Pid
    """The derived dataset."""
    reduction: str
    """Name of the reduction."""
    inputs: tuple[str, ...]
    """PIDs with version that went in."""
    root: str
    """BLAKE3 root of what was written."""
    seconds: float
    """Time from start to registration."""
    results: dict[str, Any] = Field(default_factory=dict)
    """The few numbers people ask for first, as in ``rg_nm``."""
    files: tuple[str, ...] = ()
    """Names of what lies below its ``files/``: reports, columns."""
