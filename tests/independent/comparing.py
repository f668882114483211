"""Comparing a file with the version that an ingest made of it: every array, attribute and link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  (registers the filters that files use)
import numpy as np
import zarr
from h5py import h5s, h5t

from independent.attribute_places import ColumnsPlace, TypedPlace, worded
from independent.elements import differences, needs_h5py, number_dtype
from independent.trees import LARGE_NBYTES, ArrayPlace, Tree

_UNREADABLE = (OSError, KeyError, RuntimeError, TypeError, ValueError)


@dataclass
class Comparison:
    """What was found equal, and what was not."""

    arrays: int = 0
    """Datasets that are equal."""
    attributes: int = 0
    """Attributes that are equal."""
    links: int = 0
    """Soft, external and further hard links, and named types, that are told as they are."""
    wrong: list[str] = field(default_factory=list)
    """What differs or is missing, and is no recorded gap."""
    excused: set[str] = field(default_factory=set)
    """Paths of recorded gaps that were met."""


def compare_file(source: Path, folder: Path, gaps: dict[str, str]) -> Comparison:
    """Compare a file with a version's folder.

    Parameters
    ----------
    gaps
        Reason by path, as the version records them.
    """
    done = Comparison()
    with h5py.File(source, "r", locking=False) as file:
        _Walk(file, Tree(folder), gaps, done).run()
    return done


class _Walk:
    def __init__(self, file: h5py.File, tree: Tree, gaps: dict[str, str], done: Comparison) -> None:
        self.file, self.tree, self.gaps, self.done = file, tree, gaps, done
        self.seen = {_identity(file["/"])}

    def run(self) -> None:
        waiting: list[tuple[str, Any]] = [("/", self.file["/"])]
        while waiting:
            path, group = waiting.pop()
            node = self.tree.place(path)
            if node is None:
                self._missing(path, "the group")
                continue
            self._attributes(group, path, node.attrs)
            links = node.attrs.get("hsc:links", {})
            try:
                names = sorted(_raw(name) for name in group)
            except _UNREADABLE:
                self._missing(path, "the list of a group")
                continue
            for name in names:
                where = f"{path.rstrip('/')}/{worded(name)}"
                child = self._link(group, name, where, links.get(worded(name)))
                if isinstance(child, h5py.Group):
                    waiting.append((where, child))
                elif child is not None:
                    self._dataset(child, where)

    def _missing(self, path: str, what: str) -> None:
        if self._gap(path):
            return
        self.done.wrong.append(f"{path}: {what} is not there")

    def _gap(self, path: str) -> bool:
        met = [gap for gap in self.gaps if gap == path or gap.startswith(f"{path}/")]
        self.done.excused.update(met)
        return bool(met)

    def _link(self, group: Any, name: bytes, where: str, told: Any) -> Any:
        """Look at a link; give the object when it is to be found here."""
        try:
            kind = group.id.links.get_info(name).type
            if kind == h5py.h5l.TYPE_SOFT:
                expected: Any = {"soft": worded(group.id.links.get_val(name))}
            elif kind == h5py.h5l.TYPE_EXTERNAL:
                file, target = group.id.links.get_val(name)
                expected = {"external": worded(target), "file": worded(file)}
            elif kind != h5py.h5l.TYPE_HARD:
                return self._told_or_gap(where, told)
            else:
                return self._hard(group[name], where, told)
        except _UNREADABLE:
            return self._missing(where, "what can't be opened")
        if told is not None and expected.items() <= told.items():
            self.done.links += 1
            return None
        return self._missing(where, "the link")

    def _told_or_gap(self, where: str, told: Any) -> None:
        if told is None:
            return self._missing(where, "the link")
        self.done.links += 1
        return None

    def _hard(self, child: Any, where: str, told: Any) -> Any:
        if isinstance(child, h5py.Datatype):
            types = self.tree.nodes["/"].attrs.get("hsc:types", {})
            return self._told_or_gap(where, types.get(where, told))
        again = _identity(child) in self.seen
        self.seen.add(_identity(child))
        if told is None or "hard" not in told:
            return self._missing(where, "the second link") if again else child
        if self.file[told["hard"].encode()] != child:
            self.done.wrong.append(f"{where}: links to {told['hard']}")
        self.done.links += 1
        # The tree may meet the object first at the other path: it is compared there.
        return None

    def _dataset(self, dataset: h5py.Dataset, path: str) -> None:
        place = self.tree.place(path)
        if place is None:
            self._missing(path, "the dataset")
            return
        self._attributes(dataset, path, place.attrs)
        if self._gap(path):
            return
        try:
            found = list(_dataset_differences(dataset, place, self.file))
        except _UNREADABLE as error:
            found = [f"can't be compared: {error}"]
        self.done.wrong += [f"{path}: {what}" for what in found]
        self.done.arrays += not found

    def _attributes(self, node: Any, path: str, ours: dict[str, Any]) -> None:
        types, added = ours.get("hsc:attribute_types", {}), ours.get("hsc:added", ())
        keys = {
            bytes.fromhex(types[key]["name_hex"]) if "name_hex" in types.get(key, {})
            else key.encode(): key
            for key in ours if not key.startswith("hsc:") and key not in added
        }  # fmt: skip
        try:
            names = [_raw(name) for name in node.attrs]
        except _UNREADABLE:
            self._missing(f"{path}@", "the list of attributes")
            return
        for name in names:
            where = f"{path}@{worded(name)}"
            key = keys.get(name)
            if key is None:
                self._missing(where, "the attribute")
                continue
            try:
                attribute = node.attrs.get_id(name)
                found = list(self._attribute(attribute, ours[key], types.get(key, {})))
            except _UNREADABLE as error:
                found = [f"can't be compared: {error}"]
            self.done.wrong += [f"{where}: {what}" for what in found]
            self.done.attributes += not found

    def _attribute(self, attribute: Any, value: Any, record: dict[str, Any]) -> Iterator[str]:
        kind = attribute.get_type()
        yield from _recorded(record, kind)
        if attribute.get_space().get_simple_extent_type() == h5s.NULL:
            if value != {"$null": True}:
                yield "is no null"
            return
        if record.get("shape", []) != list(attribute.shape):
            yield f"its shape is {record.get('shape')}"
        raw, read = _attribute_elements(attribute, kind)
        yield from differences(self._place(value, kind), kind, raw, read, self.file)

    def _place(self, value: Any, kind: Any) -> Any:
        if isinstance(value, dict) and "$array" in value:
            return self.tree.place(value["$array"])
        if isinstance(value, dict) and "$columns" in value:
            return ColumnsPlace(value["$columns"], kind)
        return TypedPlace(value, kind)


def _identity(node: Any) -> tuple[int, int]:
    info = h5py.h5o.get_info(node.id)
    return info.fileno, info.addr


def _raw(name: bytes | str) -> bytes:
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")


def _parts(kind: Any) -> tuple[Any, ...]:
    """Take a type apart: a file of an older format encodes the same one with more bytes."""
    number = kind.get_class()
    if number == h5t.COMPOUND:
        members = range(kind.get_nmembers())
        parts = [(kind.get_member_name(n), kind.get_member_offset(n)) for n in members]
        inner = [_parts(kind.get_member_type(n)) for n in members]
        return (number, kind.get_size(), *zip(parts, inner, strict=True))
    if number == h5t.ENUM:
        names = [kind.get_member_name(n) for n in range(kind.get_nmembers())]
        values = [(name, kind.enum_valueof(name)) for name in names]
        return (number, _parts(kind.get_super()), *values)
    if number == h5t.ARRAY:
        return (number, kind.get_array_dims(), _parts(kind.get_super()))
    if number == h5t.VLEN:
        return (number, _parts(kind.get_super()))
    raw = bytearray(kind.encode())
    raw[2] &= 0x0F  # the upper half is the version of the encoding
    return (number, bytes(raw))


def _recorded(record: dict[str, Any], kind: Any) -> Iterator[str]:
    """Look whether the type can be made again from what is noted of it."""
    if "encoded" in record:
        # Not H5Tequal, which finds a reference in an attribute unlike one in memory.
        if _parts(h5t.decode(bytes.fromhex(record["encoded"]))) != _parts(kind):
            yield "another type is noted"
    elif "dtype" in record and np.dtype(record["dtype"]) != number_dtype(kind):
        yield f"the type {record['dtype']} is noted"


def _attribute_elements(attribute: Any, kind: Any) -> tuple[np.ndarray | None, Any]:
    def read() -> Any:
        found = np.empty(attribute.shape, kind.dtype)
        memory = h5t.py_create(kind.dtype.base)
        if kind.dtype.subdtype is not None:
            memory = h5t.array_create(memory, kind.dtype.shape)
        if found.size:
            attribute.read(found, mtype=memory)
        return found.reshape((int(np.prod(attribute.shape)), *found.shape[len(attribute.shape) :]))

    if needs_h5py(kind):
        return None, read
    raw = np.empty(attribute.shape, f"V{kind.get_size()}")
    attribute.read(raw, mtype=kind)
    return np.frombuffer(raw.tobytes(), "u1").reshape(-1, kind.get_size()), read


def _dataset_differences(
    dataset: h5py.Dataset, place: ArrayPlace, file: h5py.File
) -> Iterator[str]:
    kind = dataset.id.get_type()
    yield from _recorded(place.attrs.get("hsc:hdf5", {}), kind)
    if dataset.shape is None:
        if not place.attrs.get("hsc:null") or place.node().shape != (0,):
            yield "is no null dataspace"
        return
    if dataset.size * kind.get_size() > LARGE_NBYTES:
        yield from _large(dataset, place)
        return
    if isinstance(place.node(), zarr.Array):
        shape = place.node().shape
        if shape[: dataset.ndim] != dataset.shape:
            yield f"its shape is {shape}"
            return
    raw = None if needs_h5py(kind) else _raw_elements(dataset, kind)
    yield from differences(place, kind, raw, lambda: _values(dataset), file)


def _values(dataset: h5py.Dataset) -> Any:
    if dataset.shape == () and dataset.dtype.kind == "O":  # dataset[()] would unpack it
        found = np.empty((), dataset.dtype)
        dataset.id.read(h5s.ALL, h5s.ALL, found)
    else:
        found = np.asarray(dataset[()])
    return found.reshape((dataset.size, *found.shape[dataset.ndim :]))


def _raw_elements(dataset: h5py.Dataset, kind: Any) -> np.ndarray:
    """Read elements as they stand in the file: equal types, so nothing is converted."""
    found = np.empty(dataset.shape, f"V{kind.get_size()}")
    if dataset.size:
        dataset.id.read(h5s.ALL, h5s.ALL, found, mtype=kind)
    return np.frombuffer(found.tobytes(), "u1").reshape(-1, kind.get_size())


def _large(dataset: h5py.Dataset, place: ArrayPlace) -> Iterator[str]:
    """Compare the chunks of a large array that were written, and the fill value of the rest."""
    ours = place.node()
    if isinstance(ours, zarr.Group):
        yield "a large group of columns, which nobody compares here"
        return
    if (ours.shape, ours.dtype) != (dataset.shape, dataset.dtype.newbyteorder("<")):
        yield f"{ours.dtype} {ours.shape}"
        return
    if dataset.chunks is None:
        regions = [tuple(slice(None) for _ in dataset.shape)]
    else:
        regions = []
        dataset.id.chunk_iter(lambda info: regions.append(_region(dataset, info.chunk_offset)))
        if np.asarray(ours.fill_value).tobytes() != np.asarray(dataset.fillvalue).tobytes():
            yield f"its fill value is {ours.fill_value}"
    for region in regions:
        theirs = dataset[region]
        if ours[region].tobytes() != theirs.astype(theirs.dtype.newbyteorder("<")).tobytes():
            yield f"other numbers in {region}"


def _region(dataset: h5py.Dataset, start: tuple[int, ...]) -> tuple[slice, ...]:
    ends = zip(start, dataset.chunks, dataset.shape, strict=True)
    return tuple(slice(at, min(at + length, end)) for at, length, end in ends)
