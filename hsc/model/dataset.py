"""Dataset: what has a PID, and what is said of its arrays, files and gaps."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from hsc.model.pid import Pid
from hsc.model.quantity import Quantity
from hsc.model.wire import Record, UtcTime


class Kind(StrEnum):
    """What a dataset is in the chain from instrument to result."""

    RAW = "raw"
    DERIVED = "derived"
    CALIBRATION = "calibration"


class Way(StrEnum):
    """How an array's chunks travelled from HDF5 to Zarr."""

    PASSTHROUGH = "passthrough"
    REWRAP = "rewrap"
    RECODE = "recode"
    COMPUTED = "computed"


class ArraySummary(Record):
    """What one array of a dataset is, without its bytes."""

    path: str
    """Where it stands in the tree, with a leading slash, true names."""
    shape: tuple[int, ...]
    """Elements along each dimension."""
    dtype: str
    """NumPy's name of the element type, or ``string``."""
    chunks: tuple[int, ...]
    """Shape of an inner chunk: the smallest part that can be read."""
    shards: tuple[int, ...]
    """Shape of a shard: the part that is one object in the store."""
    way: Way
    """How its chunks came here."""


class Gap(Record):
    """Something of the source that is not in the dataset, and why."""

    path: str
    """Where it stood in the source."""
    reason: str
    """Why it could not be carried over."""


class Dataset(Record):
    """A dataset as the catalog keeps it."""

    format: Literal["hsc.dataset/1"] = "hsc.dataset/1"
    """Name and version of this wire form."""
    pid: Pid
    """The identifier, without a version."""
    version: int = Field(default=1, ge=1)
    """Which version of the dataset this record describes, from 1."""
    kind: Kind
    """Raw, derived or calibration."""
    title: str
    """One line for people."""
    facility: str
    """The facility's short id, as in ``maxiv``."""
    instrument: str | None = None
    """The beamline or instrument; None when the source names none."""
    proposal: str | None = None
    """The proposal's number; None means unknown, and then only its maker sees it."""
    sample: str | None = None
    """The sample's name."""
    technique: str | None = None
    """The technique's usual short name, as in ``SAXS``."""
    created: UtcTime
    """When hsc made the dataset."""
    collected: UtcTime | None = None
    """When the instrument took the data; None when the source does not say."""
    source_id: str | None = None
    """Identity of the run's files (``blake3:...``); None for derived data."""
    root: str
    """BLAKE3 root over keys, sizes, digests and chunk states."""
    layout: str
    """How the source's files were arranged, as in ``dectris``."""
    location: str
    """URL of the version's folder in its store, without credentials."""
    bytes_in: int = Field(ge=0)
    """Bytes of the source files."""
    bytes_out: int = Field(ge=0)
    """Bytes of all objects of the dataset."""
    arrays: tuple[ArraySummary, ...] = ()
    """All arrays, by path."""
    gaps: tuple[Gap, ...] = ()
    """What is missing, with reasons; empty for a whole dataset."""
    quantities: dict[str, Quantity] = Field(default_factory=dict)
    """Numbers to search by, as given, with their units: ``photon_energy``, ``wavelength`` ..."""
    keywords: tuple[str, ...] = ()
    """Words to search by."""
    visibility: Literal["private", "group", "public"] = "private"
    """Who may see it; everything new is private."""

    @property
    def frames(self) -> int | None:
        """Frames in the largest array of three or more dimensions; None without one."""
        stacks = [array for array in self.arrays if len(array.shape) >= 3]
        if not stacks:
            return None

        def pixels(array: ArraySummary) -> int:
            count = 1
            for length in array.shape:
                count *= length
            return count

        return max(stacks, key=pixels).shape[0]
