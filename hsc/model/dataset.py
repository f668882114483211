"""Dataset: what has a PID, and what is said of its arrays, files and gaps."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from hsc.model.access import AccessClass, Visibility
from hsc.model.limits import LARGEST, LISTED, PARTS, JsonObject, Name, Text
from hsc.model.person import Person
from hsc.model.pid import Pid
from hsc.model.quantity import Quantity
from hsc.model.technique import Iri, Technique
from hsc.model.wire import Record, UtcTime, VersionedRecord


class Kind(StrEnum):
    """What a dataset is in the chain from instrument to result."""

    RAW = "raw"
    DERIVED = "derived"
    CALIBRATION = "calibration"
    SIMULATION = "simulation"
    REFERENCE = "reference"


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


class Origin(Record):
    """Where a dataset lies that hsc has the record of, and another catalog the data."""

    catalog: Iri
    """Address of that catalog."""
    pid: Name
    """Its identifier there."""
    folder: Text | None = None
    """Folder of its files there, as that catalog words it."""


class Gap(Record):
    """Something of the source that is not in the dataset, and why."""

    path: str
    """Where it stood in the source."""
    reason: str
    """Why it could not be carried over."""


class Dataset(VersionedRecord):
    """A dataset as the catalog keeps it."""

    grown: ClassVar[frozenset[str]] = frozenset(
        {
            "description",
            "started",
            "ended",
            "people",
            "license",
            "techniques",
            "access_class",
            "embargo_until",
            "level",
            "scientific_metadata",
            "origin",
        }
    )

    format: Literal["hsc.dataset/1"] = "hsc.dataset/1"
    """Name and version of this wire form."""
    pid: Pid
    """The identifier, without a version."""
    version: int = Field(default=1, ge=1, le=999_999_999)
    """Which version of the dataset this record describes, from 1."""
    kind: Kind
    """Raw, derived, calibration, simulation or reference."""
    title: Text
    """One line for people."""
    description: Text | None = None
    """More than a line for people."""
    facility: Name
    """The facility's short id, as in ``maxiv``."""
    instrument: Text | None = None
    """The beamline or instrument; None when the source names none."""
    proposal: Text | None = None
    """The proposal's number; None means unknown, and then only its maker sees it."""
    sample: Text | None = None
    """The sample's name."""
    technique: Text | None = None
    """The technique's usual short name, as in ``SAXS``."""
    techniques: tuple[Technique, ...] = Field(default=(), max_length=LISTED)
    """All techniques, as terms; the first is the one that ``technique`` names."""
    people: tuple[Person, ...] = Field(default=(), max_length=LISTED)
    """Who measured or made it, with their roles."""
    created: UtcTime
    """When hsc made the dataset; for one of another catalog, when that made it."""
    collected: UtcTime | None = None
    """When the instrument took the data; None when the source does not say."""
    started: UtcTime | None = None
    """When the measurement began; None when the source does not say."""
    ended: UtcTime | None = None
    """When it ended; None when the source does not say."""
    source_id: Text | None = None
    """Identity of the run's files (``blake3:...``); None for derived data."""
    root: Text = ""
    """BLAKE3 root over keys, sizes, digests and chunk states; empty only with an ``origin``."""
    layout: Text = ""
    """How the source's files were arranged, as in ``dectris``; empty only with an ``origin``."""
    location: Text = ""
    """URL of the version's folder in its store, without credentials; empty only with an
    ``origin``."""
    origin: Origin | None = None
    """Where it lies, for what another catalog has; None: it lies in a store of hsc's."""
    bytes_in: int = Field(ge=0, le=LARGEST)
    """Bytes of the source files."""
    bytes_out: int = Field(ge=0, le=LARGEST)
    """Bytes of all objects of the dataset."""
    arrays: tuple[ArraySummary, ...] = Field(default=(), max_length=PARTS)
    """All arrays, by path."""
    gaps: tuple[Gap, ...] = Field(default=(), max_length=PARTS)
    """What is missing, with reasons; empty for a whole dataset."""
    quantities: dict[Text, Quantity] = Field(default_factory=dict, max_length=LISTED)
    """Numbers to search by, as given, with their units: ``photon_energy``, ``wavelength`` ..."""
    scientific_metadata: JsonObject = Field(default_factory=dict)
    """What is known of the measurement beyond this, as it was given."""
    keywords: tuple[Text, ...] = Field(default=(), max_length=LISTED)
    """Words to search by."""
    level: int | None = Field(default=None, ge=0, le=4)
    """How far it is processed, from 0 (as the detector gave it) to 4 (a result)."""
    license: Name | None = None
    """SPDX identifier of the licence, as in ``CC-BY-4.0``; None: none was given."""
    visibility: Visibility = "private"
    """Who shall see it, as it was asked; how it stands is its `Access`."""
    access_class: AccessClass | None = None
    """What the data is for rules of access, as it was asked; None: open."""
    embargo_until: UtcTime | None = None
    """Until when it shall not become public, as it was asked."""

    @model_validator(mode="after")
    def _lies_somewhere(self) -> Dataset:
        absent = [name for name in ("root", "layout", "location") if not getattr(self, name)]
        if absent and self.origin is None:
            raise ValueError(f"{', '.join(absent)} may be absent only with an origin")
        if self.started and self.ended and self.ended < self.started:
            raise ValueError("it ended before it started")
        return self

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
