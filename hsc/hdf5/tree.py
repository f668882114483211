"""The tree of a file: its groups, its datasets as leaves, and what can't be carried over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hsc.hdf5.chunks import ChunkIndex
from hsc.hdf5.names import encode_name, is_plain
from hsc.hdf5.parts import Part
from hsc.hdf5.types import ElementType
from hsc.model import plain_text
from hsc.transcode import Filter

Read = Callable[[str, str], NDArray[Any]]
"""Gives the elements of an array of a file that is no HDF5, by path of the file and of the array in
the tree; a function that can be pickled."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An object or attribute that can't be carried over."""

    path: str
    """Where, ``/group/dataset`` or ``/group@attribute``."""
    reason: str
    """Why."""
    lacking: tuple[str, ...] = ()
    """Files that are not there and would have it, as they are named."""


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """A group of a file."""

    path: str
    """First path that the walk met it under."""
    attributes: dict[str, Any]
    """Attributes as JSON."""
    links: dict[str, dict[str, str]] = field(default_factory=dict)
    """Links that are no children of their own, by name: soft, external, user-defined, further
    hard links. An external link that was followed has a child beside, under the same name."""

    def links_document(self) -> dict[str, dict[str, str]]:
        """Give the links as ``hsc:links`` has them: text in words, bytes that are no UTF-8 too."""
        return {plain_text(name): _told(name, link) for name, link in self.links.items()}


def _told(name: str, link: dict[str, str]) -> dict[str, str]:
    texts = {"name": name, **link}
    exact = {f"{what}_hex": encode_name(t).hex() for what, t in texts.items() if not is_plain(t)}
    return {what: plain_text(text) for what, text in link.items()} | exact


@dataclass(frozen=True, slots=True)
class SourceDataset:
    """A dataset of a file, without its data."""

    path: str
    """First path that the walk met it under."""
    shape: tuple[int, ...]
    """Elements along each dimension; empty for a scalar."""
    maxshape: tuple[int | None, ...]
    """How far each dimension may grow; None for without end."""
    element: ElementType
    """How its elements are carried."""
    itemsize: int
    """Bytes of an element in memory."""
    fill_value: Any
    """What was never written reads as, as a Python value."""
    filters: tuple[Filter, ...]
    """Filter pipeline in the order of writing."""
    storage: str
    """``chunked``, ``contiguous``, ``compact`` or ``virtual``; ``decoded`` when its file is no
    HDF5."""
    index: ChunkIndex
    """Where its chunks lie in the file; for other storage one entry or none."""
    attributes: dict[str, Any]
    """Attributes as JSON."""
    file: int = 0
    """Index into the tree's files: in which it is; 0: the one that was walked."""
    object_path: str = ""
    """Path there of the HDF5 dataset that it is, or is a part of; empty: the same as ``path``."""
    part: Part | None = None
    """Which part of that dataset's elements it is; None for the elements as they are."""
    lenders: tuple[int, ...] = ()
    """Indexes into the tree's files of those that its chunks lie in, as ``index.owners`` counts
    them; empty: all in ``file``."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What ``hsc:hdf5`` says of it beyond its shape and chunks."""
    read: Read | None = None
    """What gives its elements when its file is no HDF5; None: HDF5 does."""


@dataclass(frozen=True, slots=True)
class SourceTree:
    """All of a file but its data."""

    groups: tuple[SourceGroup, ...]
    """Groups, by path, the root first."""
    datasets: tuple[SourceDataset, ...]
    """Datasets, by path."""
    problems: tuple[Problem, ...]
    """What can't be carried over."""
    userblock_nbytes: int = 0
    """Bytes before the HDF5 part of the file."""
    virtual_files: tuple[str, ...] = ()
    """Other files that virtual datasets read from, real paths."""
    files: tuple[Path, ...] = ()
    """Files that hold what is in the tree, real paths: the one that was walked, then others."""
    live: bool = False
    """Whether the file was still flagged as open for a writer that lets others read (SWMR)."""
