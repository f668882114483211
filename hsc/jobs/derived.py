"""A derived dataset that is to be written: its place, and the record that it will have."""

from __future__ import annotations

from dataclasses import dataclass, field

from hsc.jobs.describing import inherited, lasting
from hsc.jobs.inputs import LocatedInputs
from hsc.jobs.placing import by_path, version_folder
from hsc.layouts import find_facility
from hsc.model import ArraySummary, Dataset, Kind, Pid, now
from hsc.reductions import Outputs
from hsc.store import Manifest


@dataclass(frozen=True, slots=True)
class DerivedPlace:
    """Where a derived dataset will be written; known before anything is reduced."""

    inputs: LocatedInputs
    """What goes in."""
    store: str
    """URL of the store that it goes to."""
    pid: Pid = field(init=False)
    """The PID that it gets."""
    version: int = field(init=False, default=1)
    """Its version."""
    location: str = field(init=False)
    """Its folder below the store."""

    def __post_init__(self) -> None:
        first = self.inputs.first
        year = str((first.collected or first.created).year)
        places = (first.facility, first.instrument, year, first.proposal)
        pid = Pid.generate(find_facility(first.facility).pid_prefix)
        object.__setattr__(self, "pid", pid)
        object.__setattr__(self, "location", version_folder(pid, self.version, places))

    @property
    def url(self) -> str:
        """URL of its folder."""
        return f"{self.store.rstrip('/')}/{self.location}"


@dataclass(frozen=True, slots=True)
class Derived:
    """What came of a reduction, before it is written."""

    reduction: str
    """Name of the reduction."""
    place: DerivedPlace
    """Where it goes."""
    outputs: Outputs
    """What came out."""

    @property
    def inputs(self) -> LocatedInputs:
        """What went in."""
        return self.place.inputs

    def record(self, manifest: Manifest, arrays: list[ArraySummary]) -> Dataset:
        """Word its record, as of what was written."""
        first, every, outputs = self.inputs.first, self.inputs.records, self.outputs
        return Dataset(
            **inherited(first, every, outputs.technique),
            pid=self.place.pid,
            version=self.place.version,
            kind=Kind.DERIVED,
            title=outputs.title,
            created=now(),
            root=manifest.root,
            layout=f"reduction/{self.reduction}",
            location=self.place.url,
            bytes_in=self.inputs.bytes_in,
            bytes_out=manifest.nbytes,
            arrays=by_path(arrays),
            quantities={**lasting(first, every), **outputs.quantities},
            keywords=(self.reduction,),
        )
