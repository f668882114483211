"""The walk: every group, dataset and link of a file, each object once; of data, only small text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import h5py

from hsc.errors import DamagedSourceError
from hsc.hdf5.attributes import read_attributes
from hsc.hdf5.chunks import chunk_index, filter_pipeline
from hsc.hdf5.texts import text_obstacle
from hsc.hdf5.tree import Problem, SourceDataset, SourceGroup, SourceTree
from hsc.hdf5.types import (
    AMBIGUOUS_NAME,
    ElementType,
    ambiguous_names,
    decode_name,
    decode_text,
    element_type,
    encode_name,
)
from hsc.hdf5.virtual import virtual_files, virtual_obstacle

# What h5py raises for structures that a damaged or foreign file promises and does not have.
_UNREADABLE = (OSError, KeyError, RuntimeError, TypeError, ValueError)


def walk(file: h5py.File) -> SourceTree:
    """Walk a file by object identity: cycles end, and a second hard link is a link.

    Raises
    ------
    DamagedSourceError
        Not even the root group can be opened.
    """
    try:
        walker = _Walker(file)
    except _UNREADABLE as error:
        raise DamagedSourceError(
            f"the root group can't be opened: {error}",
            where=file.filename,
            next_step="copy the file again from where it was written",
        ) from error
    walker.run()
    return SourceTree(
        groups=tuple(sorted(walker.groups, key=lambda group: group.path)),
        datasets=tuple(sorted(walker.datasets, key=lambda dataset: dataset.path)),
        problems=tuple(sorted(walker.problems, key=lambda problem: problem.path)),
        userblock_nbytes=file.userblock_size,
        virtual_files=tuple(sorted(walker.virtual_files)),
        files=(Path(os.path.realpath(os.fsdecode(file.filename))),),
    )


class _Walker:
    def __init__(self, file: h5py.File) -> None:
        self.groups: list[SourceGroup] = []
        self.datasets: list[SourceDataset] = []
        self.problems: list[Problem] = []
        self.virtual_files: set[str] = set()
        self._seen = {_identity(file["/"]): "/"}
        self._waiting: list[tuple[str, Any]] = [("/", file["/"])]

    def run(self) -> None:
        while self._waiting:
            path, group = self._waiting.pop()
            links: dict[str, dict[str, str]] = {}
            # In the order of names, so that the first path of an object is the same each time.
            names = self._names(group, path)
            ambiguous = ambiguous_names(names)
            for name in names:
                if name in ambiguous:
                    where = f"{path.rstrip('/')}/{name}"
                    self.problems.append(Problem(where, AMBIGUOUS_NAME))
                    continue
                link = self._follow(group, path, name)
                if link is not None:
                    links[name] = link
            self.groups.append(SourceGroup(path, self._attributes(group, path), links))

    def _names(self, group: Any, path: str) -> list[str]:
        try:
            return sorted(map(decode_name, group))
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the group can't be listed: {error}"))
            return []

    def _follow(self, group: Any, parent: str, name: str) -> dict[str, str] | None:
        """Take up a child; give a link's description when it is none."""
        path = f"{parent.rstrip('/')}/{name}"
        raw = encode_name(name)
        try:
            kind = group.id.links.get_info(raw).type
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the link can't be read: {error}"))
            return None
        if kind == h5py.h5l.TYPE_SOFT:
            return {"soft": decode_name(group.id.links.get_val(raw))}
        if kind == h5py.h5l.TYPE_EXTERNAL:
            file, target = group.id.links.get_val(raw)
            return {"external": decode_name(target), "file": decode_name(file)}
        if kind != h5py.h5l.TYPE_HARD:
            self.problems.append(Problem(path, f"a user-defined link of class {kind}"))
            return None
        return self._take(group, path, name)

    def _take(self, group: Any, path: str, name: str) -> dict[str, str] | None:
        try:
            child = group[encode_name(name)]
            identity = _identity(child)
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the object can't be opened: {error}"))
            return None
        if identity in self._seen:
            return {"hard": self._seen[identity]}
        self._seen[identity] = path
        if isinstance(child, h5py.Group):
            self._waiting.append((path, child))
        elif isinstance(child, h5py.Dataset):
            self._describe(child, path)
        else:
            self.problems.append(Problem(path, "a named type"))
        return None

    def _describe(self, dataset: h5py.Dataset, path: str) -> None:
        attributes = self._attributes(dataset, path)
        try:
            described, reason = _described(dataset, path, attributes)
        except _UNREADABLE as error:
            self.problems.append(Problem(path, f"the dataset can't be described: {error}"))
            return
        if described is None or reason:
            self.problems.append(Problem(path, reason))
            return
        self.datasets.append(described)
        if described.storage == "virtual":
            self.virtual_files |= virtual_files(dataset)

    def _attributes(self, node: Any, path: str) -> dict[str, Any]:
        attributes, problems = read_attributes(node, path)
        self.problems += [Problem(where, reason) for where, reason in problems]
        return attributes


def _described(
    dataset: h5py.Dataset, path: str, attributes: dict[str, Any]
) -> tuple[SourceDataset | None, str]:
    """Describe a dataset, or tell why it can't be carried over."""
    # First of all, for a virtual dataset's shape may be asked of its sources.
    reason = virtual_obstacle(dataset) if _storage(dataset) == "virtual" else ""
    if reason:
        return None, reason
    described = _dataset(dataset, path, attributes)
    reason = _obstacle(dataset, described)
    if not reason and described.element.zarr == "string" and len(described.index):
        reason = text_obstacle(dataset)
    return described, reason


def _dataset(dataset: h5py.Dataset, path: str, attributes: dict[str, Any]) -> SourceDataset:
    element = element_type(dataset.id.get_type(), dataset.dtype)
    null = dataset.shape is None
    return SourceDataset(
        path=path,
        shape=() if null else dataset.shape,
        maxshape=() if null else dataset.maxshape,
        element=ElementType(None, reason="a null dataspace") if null else element,
        itemsize=dataset.dtype.itemsize,
        fill_value=_fill_value(dataset) if element.zarr and not null else None,
        filters=filter_pipeline(dataset),
        storage=_storage(dataset),
        index=chunk_index(dataset),
        attributes=attributes,
        object_path=path,
    )


def _storage(dataset: h5py.Dataset) -> str:
    return {
        h5py.h5d.CHUNKED: "chunked",
        h5py.h5d.CONTIGUOUS: "contiguous",
        h5py.h5d.COMPACT: "compact",
        h5py.h5d.VIRTUAL: "virtual",
    }[dataset.id.get_create_plist().get_layout()]


def _obstacle(dataset: h5py.Dataset, described: SourceDataset) -> str:
    if described.element.zarr is None:
        return described.element.reason
    if dataset.external:
        return "its data lie in an external raw file"
    unknown = [f.id for f in described.filters if not h5py.h5z.filter_avail(f.id)]
    if unknown and len(described.index):
        return f"no plug-in for filter {', '.join(map(str, unknown))}"
    return ""


def _fill_value(dataset: h5py.Dataset) -> Any:
    created = dataset.id.get_create_plist()
    if h5py.check_string_dtype(dataset.dtype) is not None:
        user = created.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED
        return _fill_text(dataset) if user else ""
    if created.fill_value_defined() == h5py.h5d.FILL_VALUE_UNDEFINED:
        return dataset.dtype.type(0).item()
    value = dataset.fillvalue
    return value.item() if hasattr(value, "item") else value


def _fill_text(dataset: h5py.Dataset) -> str:
    text = decode_text(dataset.fillvalue)
    if text is None:
        raise ValueError("its fill value is a text that is no UTF-8")
    return text


def _identity(node: Any) -> tuple[int, int]:
    info = h5py.h5o.get_info(node.id)
    return info.fileno, info.addr
