"""Virtual datasets: their sources, all proved to be there, and the chunks that they lend.

HDF5 gives the fill value for a source that it can't find, at any depth and without a word, and
opens whatever file a source names. So every source is looked at first, below the roots only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hsc.hdf5.chunks import chunk_index, filter_pipeline
from hsc.hdf5.external import has_rooted_names, raw_files
from hsc.hdf5.links import reached_outside, real_path
from hsc.hdf5.names import decode_name
from hsc.hdf5.patterns import names_of, plain_name
from hsc.hdf5.roots import Roots, prefix_obstacle
from hsc.hdf5.selections import Axis, selected_axes
from hsc.hdf5.tiles import LentChunks, Mapping, lay_tiles
from hsc.model import plain_text

_NAMED_REASONS = 10
_FIXED = (h5py.h5t.INTEGER, h5py.h5t.FLOAT)


@dataclass(frozen=True, slots=True)
class VirtualFacts:
    """What is to know of a virtual dataset beside its type."""

    obstacle: str
    """Why it can't be carried over; empty when it can."""
    files: frozenset[Path] = frozenset()
    """Real paths of all files that it reads from, at any depth; its own may be among them."""
    chunks: LentChunks | None = None
    """The chunks of its sources, when they fit whole into one grid."""
    shown: frozenset[tuple[Path, str]] = frozenset()
    """File and path of those sources that it shows all of, in whole chunks."""
    record: tuple[dict[str, Any], ...] = ()
    """Its mappings, as JSON."""
    lacking: tuple[str, ...] = ()
    """Sources' files that are not there, as they are named."""


@dataclass(frozen=True, slots=True)
class _Source:
    reason: str = ""
    found: bool = True
    file: Path = Path()
    path: str = ""
    shape: tuple[int, ...] = ()
    files: frozenset[Path] = frozenset()
    kind: tuple[bytes, bytes] | None = None
    chunks: LentChunks | None = None


@dataclass(slots=True)
class Sources:
    """Sources of virtual datasets, each looked at once.

    Parameters
    ----------
    roots
        Where they may lie.
    live
        Whether the file that shows them was opened beside its writer (SWMR).
    """

    roots: Roots
    live: bool = False
    _known: dict[tuple[Path, str, str], _Source | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.roots = replace(self.roots, as_hdf5=True)

    def facts(self, dataset: h5py.Dataset) -> VirtualFacts:
        """Look at a virtual dataset's sources.

        Ask before the dataset's shape: HDF5 opens the sources itself to find how far an
        unlimited one reaches.
        """
        misled = prefix_obstacle()
        if misled:
            return VirtualFacts(f"where its sources are {misled}")
        here, reasons = real_path(dataset.file), dict[str, None]()
        found: list[tuple[Any, int, str, str, _Source]] = []
        lacking = dict[str, None]()
        for mapping in dataset.virtual_sources():
            for number, name, path in self._names(here, mapping, reasons):
                source = self._look(here, name, path)
                reason = source.reason or _misfit(mapping, source)
                if reason:
                    where = f"{name}:{path}" if source.found else name
                    reasons[f"its source {where} {reason}"] = None
                if not source.found and reason == "is missing":
                    lacking[name] = None
                found.append((mapping, number, name, path, source))
        if reasons:
            more = len(reasons) - _NAMED_REASONS
            listed = list(reasons)[:_NAMED_REASONS] + ([f"and {more} more"] if more > 0 else [])
            return VirtualFacts("; ".join(listed), lacking=tuple(lacking))
        return self._laid(dataset, found)

    def _names(
        self, here: Path, mapping: Any, reasons: dict[str, None]
    ) -> Iterator[tuple[int, str, str]]:
        name, path = map(decode_name, (mapping.file_name, mapping.dset_name))
        if "%b" not in name.replace("%%", "") + path.replace("%%", ""):
            yield -1, plain_name(name), plain_name(path)
            return
        numbers, missing = names_of(name, path, here, self.roots)
        for reason in missing:
            reasons[reason] = None
        yield from numbers

    def _look(self, of: Path, name: str, path: str) -> _Source:
        key = (of, name, path)
        if key in self._known:
            known = self._known[key]
            return known or _Source("leads back to the dataset itself")
        self._known[key] = None
        found = self._looked(of, of.name if name == "." else name, path)
        self._known[key] = found
        return found

    def _looked(self, of: Path, name: str, path: str) -> _Source:
        with reached_outside(of, name, path, self.roots) as place:
            node = place.node
            if node is None:
                return _Source(place.reason, found=place.path != "")
            if not isinstance(node, h5py.Dataset):
                return _Source("is no dataset")
            if node.file.swmr_mode and not self.live:
                return _Source("is still flagged as open for writing")
            files = frozenset(place.passed)
            if node.is_virtual:
                return self._nested(node, place.path, files)
            if node.external:
                return self._raw(node, place.path, files)
            index, filters = chunk_index(node), filter_pipeline(node)
            unknown = [str(each.id) for each in filters if not h5py.h5z.filter_avail(each.id)]
            if unknown and len(index):
                return _Source(f"has no plug-in for filter {', '.join(unknown)}")
            chunks = LentChunks(index, filters, (real_path(node.file),))
            return replace(_plain(node, place.path), files=files, chunks=chunks)

    def _nested(self, node: h5py.Dataset, path: str, files: frozenset[Path]) -> _Source:
        facts = self.facts(node)
        if facts.obstacle:
            return _Source(f"is virtual itself, and {facts.obstacle}")
        return replace(_plain(node, path), files=files | facts.files, chunks=facts.chunks)

    def _raw(self, node: h5py.Dataset, path: str, files: frozenset[Path]) -> _Source:
        found, reason = raw_files(node, self.roots)
        if not reason and not has_rooted_names(node):
            # A source's own files HDF5 looks for there, whatever it is told of the dataset.
            reason = "HDF5 looks for them in the working folder"
        if reason:
            return _Source(f"has raw data: {reason}")
        return replace(_plain(node, path), files=files | frozenset(found))

    def _laid(
        self, dataset: h5py.Dataset, found: list[tuple[Any, int, str, str, _Source]]
    ) -> VirtualFacts:
        files = frozenset(path for *_, source in found for path in source.files)
        axes = [
            _axes(mapping, number, dataset.shape, source) for mapping, number, *_, source in found
        ]
        record = tuple(
            {
                "file": plain_text(name),
                "path": plain_text(path),
                "virtual": [axis.document() for axis in each[0]] if each else None,
                "source": [axis.document() for axis in each[1]] if each else None,
            }
            for (_, _, name, path, _), each in zip(found, axes, strict=True)
        )
        kind = _plain(dataset, "").kind
        mappings = [
            Mapping(*each, source.shape, source.chunks)
            for (*_, source), each in zip(found, axes, strict=True)
            if each and source.chunks and kind and source.kind == kind
        ]
        if not mappings or len(mappings) != len(found) or not dataset.shape:
            return VirtualFacts("", files, record=record)
        chunks = lay_tiles(dataset.shape, mappings)
        shown = _shown([source for *_, source in found], chunks)
        return VirtualFacts("", files, chunks, shown, record)


def _plain(dataset: h5py.Dataset, path: str) -> _Source:
    # Chunks of text and of ragged arrays hold addresses in their own file.
    fixed = dataset.id.get_type().get_class() in _FIXED
    fill = dataset.fillvalue if fixed else None
    return _Source(
        file=real_path(dataset.file),
        path=path,
        shape=dataset.shape,
        kind=(dataset.id.get_type().encode(), np.asarray(fill).tobytes())
        if fill is not None
        else None,
    )


def _axes(
    mapping: Any, number: int, shape: tuple[int, ...], source: _Source
) -> tuple[tuple[Axis, ...], tuple[Axis, ...]] | None:
    virtual = selected_axes(mapping.vspace, shape)
    shown = selected_axes(mapping.src_space, source.shape)
    if virtual is None or shown is None or len(shown) != len(source.shape):
        return None
    if number >= 0:
        virtual = tuple(axis.moved(number) if axis.endless else axis for axis in virtual)
    return virtual, shown


def _misfit(mapping: Any, source: _Source) -> str:
    """Tell whether a source ends before what is shown of it: HDF5 can't read that."""
    if source.reason:
        return ""
    shown = mapping.src_space
    if shown.get_select_type() == h5py.h5s.SEL_ALL:
        # Whatever its shape: as many elements as the virtual dataset has place for.
        axes = selected_axes(mapping.vspace, ())
        if axes is None or any(axis.endless for axis in axes):
            return ""
        wanted, count = mapping.vspace.get_select_npoints(), math.prod(source.shape)
        return f"holds {count} elements, and {wanted} are wanted" if count != wanted else ""
    axes = selected_axes(shown, source.shape)
    if axes is None:
        stops = tuple(int(last) + 1 for last in shown.get_select_bounds()[1])
    else:
        stops = tuple(0 if axis.endless else axis.stop for axis in axes)
    if len(stops) != len(source.shape):
        return f"has {len(source.shape)} dimensions, and {len(stops)} are wanted"
    if any(stop > length for stop, length in zip(stops, source.shape, strict=True)):
        return f"is {source.shape}, and more of it is wanted, up to {stops}"
    return ""


def _shown(sources: list[_Source], chunks: LentChunks | None) -> frozenset[tuple[Path, str]]:
    """Give the sources that lent all of their chunks, when all did."""
    if chunks is None or chunks.index.owners is None:
        return frozenset()
    wanted = {(s.file, s.path): len(s.chunks.index) for s in sources if s.chunks}
    index, owners = chunks.index, chunks.index.owners.astype(np.uint64)
    found = len(np.unique(np.column_stack([owners, index.offsets]), axis=0))
    return frozenset(wanted) if sum(wanted.values()) == len(index) == found else frozenset()
