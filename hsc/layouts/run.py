"""Run: what a layout makes of a facility's files, ready to be planned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from hsc.hdf5 import FileState, Problem, SourceDataset, SourceGroup, SourceTree
from hsc.model import Kind, Person, Quantity, Technique


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file of a run."""

    name: str
    """Name relative to the run's folder, with slashes."""
    path: Path
    """Where it is."""
    state: FileState
    """Size and time when it was first looked at."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A dataset in a file, as a part of an array."""

    file: int
    """Index into the run's files."""
    dataset: SourceDataset
    """The dataset."""
    owners: tuple[int, ...] = ()
    """Indexes into the run's files of those that its chunks lie in, as ``index.owners`` counts
    them; empty: all in ``file``."""


@dataclass(frozen=True, slots=True)
class RunArray:
    """An array of a run: one dataset, or several stacked along the first dimension."""

    path: str
    """Where it stands in the run's tree."""
    pieces: tuple[Piece, ...]
    """Its datasets, in order."""
    dimension_names: tuple[str, ...] = ()
    """Names of its dimensions, when the layout knows them."""
    attributes: Mapping[str, object] = field(default_factory=dict)
    """Attributes, as JSON."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each dimension."""
        first = self.pieces[0].dataset.shape
        if len(self.pieces) == 1:
            return first
        return (sum(piece.dataset.shape[0] for piece in self.pieces), *first[1:])


@dataclass(frozen=True, slots=True)
class Asset:
    """Bytes of a run that are no array, carried as they are under ``files/``."""

    name: str
    """Name relative to the run's folder, with slashes."""
    path: Path
    """The file that they stand in."""
    state: FileState
    """Size and time of that file when it was first looked at."""
    start: int = 0
    """First byte."""
    stop: int | None = None
    """End of the last byte; None for the file's end."""

    @property
    def nbytes(self) -> int:
        """How many bytes it has."""
        return (self.state.nbytes if self.stop is None else self.stop) - self.start


@dataclass(frozen=True, slots=True)
class Facts:
    """What the files say of the measurement, for the catalog."""

    title: str = ""
    """Title of the entry."""
    instrument: str | None = None
    """Name of the beamline or instrument."""
    proposal: str | None = None
    """Number of the proposal."""
    sample: str | None = None
    """Name of the sample."""
    sample_description: str | None = None
    """What the sample is."""
    formula: str | None = None
    """Chemical formula of the sample."""
    collected: datetime | None = None
    """When the measurement began."""
    ended: datetime | None = None
    """When it ended."""
    people: tuple[Person, ...] = ()
    """Who measured, without addresses."""
    technique: Technique | None = None
    """What the NeXus definition says was measured."""
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    """Numbers to search by."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Texts worth keeping beside them, in groups: of the detector, the source ..."""


@dataclass(frozen=True, slots=True)
class Run:
    """One acquisition as its layout understands it."""

    layout: str
    """Name of the layout."""
    files: tuple[RunFile, ...]
    """All files, the one that was named first."""
    groups: tuple[SourceGroup, ...]
    """Groups of the tree."""
    arrays: tuple[RunArray, ...]
    """Arrays of the tree."""
    problems: tuple[Problem, ...] = ()
    """What can't be carried over."""
    missing: tuple[str, ...] = ()
    """What a complete run would have and this one has not; empty when complete."""
    assets: tuple[Asset, ...] = ()
    """What is carried byte for byte."""
    facts: Facts = field(default_factory=Facts)
    """What the files say of the measurement."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """What arrays are for: role to path."""
    kind: Kind = Kind.RAW
    """What becomes of it in the catalog."""
    folder: Path | None = None
    """The folder that was named; None when it was a file."""
    key: str = ""
    """What all states of the run have in common and no other run has, as in ``p700000/r0238``: a
    file that comes late leaves it as it is. Empty: name and content of the first file say it."""
    notes: tuple[str, ...] = ()
    """What is worth knowing and is neither missing nor lost: what was left out, and why."""

    @property
    def path(self) -> Path:
        """The path that was named."""
        return self.folder or self.files[0].path

    @property
    def name(self) -> str:
        """What people call the run: the name of the folder or file that was named."""
        return self.folder.name if self.folder else self.files[0].name

    @property
    def sources(self) -> tuple[RunFile, ...]:
        """All files whose bytes the dataset has: the HDF5 files, then those of assets."""
        taken = {file.path for file in self.files}
        found = {a.path: RunFile(a.name, a.path, a.state) for a in self.assets}
        return (*self.files, *(file for path, file in found.items() if path not in taken))


class Layout(Protocol):
    """How a facility's files are arranged."""

    @property
    def name(self) -> str:
        """Short name, as in ``dectris``."""
        ...

    def recognises(self, path: Path) -> bool:
        """Tell from a file whether it is arranged so."""
        ...

    def read(self, path: Path, time_zone: str) -> Run:
        """Read all of a run but its data.

        Raises
        ------
        SourceError
            A file is missing or damaged, or not arranged as the layout says.
        """
        ...


def outside(tree: SourceTree, known: Collection[str] = ()) -> list[Problem]:
    """Give the external links of a file that nothing follows.

    Parameters
    ----------
    tree
        The file's tree.
    known
        Paths of external links that the layout takes care of.
    """
    problems = []
    for group in tree.groups:
        for name, link in group.links.items():
            path = f"{group.path.rstrip('/')}/{name}"
            if "external" in link and path not in known:
                problems.append(Problem(path, f"an external link to {link['file']}"))
    return problems
