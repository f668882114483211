"""Leaves: the arrays, and the groups around them, that one HDF5 dataset becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import h5py
import numpy as np

from hsc.hdf5.chunks import ChunkIndex, chunk_index, filter_pipeline
from hsc.hdf5.columns import Column, Columns, columns_of, leaf_type, raw_columns
from hsc.hdf5.elements import check_texts
from hsc.hdf5.fills import fill_facts, fill_value
from hsc.hdf5.parts import Part, RaggedTable, Step
from hsc.hdf5.ragged import levels_of, ragged_tables
from hsc.hdf5.records import type_record
from hsc.hdf5.tree import Problem, SourceDataset, SourceGroup
from hsc.hdf5.types import Carry, ElementType
from hsc.hdf5.written import written_regions

NULL_KEY = "hsc:null"
HDF5_KEY = "hsc:hdf5"
_TEXTS = (Carry.TEXT, Carry.FIXED_TEXT)
_POINTER_NBYTES = 8
_NO_WRITE_INTENT = (
    "HDF5 can't read it: variable-length elements with a fill value of their own, and only some "
    "of their chunks were written"
)


@dataclass(slots=True)
class Leaves:
    """What a dataset becomes."""

    groups: list[SourceGroup] = field(default_factory=list)
    """Groups: none when it stays one array."""
    datasets: list[SourceDataset] = field(default_factory=list)
    """Arrays."""
    problems: list[Problem] = field(default_factory=list)
    """What can't be carried over."""


def leaves_of(dataset: h5py.Dataset, path: str, attributes: dict[str, Any]) -> Leaves:
    """Describe a dataset as the arrays that it becomes.

    Parameters
    ----------
    path
        Where it stands in the tree.
    attributes
        Its attributes as JSON; what ``hsc:`` has to say of a group is added here.
    """
    type_id = dataset.id.get_type()
    columns = columns_of(type_id)
    leaves = Leaves()
    if dataset.shape is None:
        leaves.datasets.append(_null(dataset, path, columns, attributes))
        return leaves
    index = chunk_index(dataset)
    _exact(columns, dataset, index)
    unread = _obstacle(dataset, index)
    leaves.problems += [Problem(_below(path, names), why) for names, why in columns.problems]
    if unread:
        leaves.problems = [Problem(path, unread)]
        return leaves
    tables = _tables(dataset, index, columns, path, leaves.problems)
    leaves.groups = _groups(dataset, path, columns, attributes)
    for column in columns.leaves:
        held = _with_table(column, tables)
        if held is not None:
            leaves.datasets.append(_leaf(dataset, path, held, index, attributes))
    return leaves


def _below(path: str, names: Sequence[str]) -> str:
    return "/".join([path, *names])


def _null(
    dataset: h5py.Dataset, path: str, columns: Columns, attributes: dict[str, Any]
) -> SourceDataset:
    """Describe a dataset without a dataspace: an array of no elements that says so."""
    plain = [c.part.element for c in columns.leaves if not c.names and not c.part.row_shape]
    element = plain[0] if plain else ElementType("uint8", view="|u1", nbytes=1)
    attributes[NULL_KEY] = True
    empty = np.zeros((0, 1), np.int64)
    nothing = np.zeros(0, np.uint64)
    return SourceDataset(
        path=path,
        shape=(0,),
        maxshape=(0,),
        element=element,
        itemsize=max(1, element.nbytes or _POINTER_NBYTES),
        fill_value=_nothing(element),
        filters=(),
        storage=_storage(dataset),
        index=ChunkIndex(None, empty, nothing, nothing, nothing.astype(np.uint32)),
        attributes=attributes,
        object_path=path,
        part=Part(element),
        facts={**element.record, **type_record(dataset.id.get_type())},
    )


def _nothing(element: ElementType) -> Any:
    return np.dtype(element.view).type(0).item() if element.view else ""


def _obstacle(dataset: h5py.Dataset, index: ChunkIndex) -> str:
    """Tell why no data of a dataset can be read; an empty text when they can."""
    filters = filter_pipeline(dataset)
    unknown = [str(each.id) for each in filters if not h5py.h5z.filter_avail(each.id)]
    return f"no plug-in for filter {', '.join(unknown)}" if unknown and len(index) else ""


def _exact(columns: Columns, dataset: h5py.Dataset, index: ChunkIndex) -> None:
    """Carry as bytes what is no exact text.

    Texts are read and decoded once for that: whether they are UTF-8 stands nowhere else.
    """
    if not len(index):
        return
    for column in [c for c in columns.leaves if c.part.element.carry in _TEXTS]:
        reason = _text_obstacle(dataset, index, column.part)
        if reason:
            columns.leaves.remove(column)
            if reason is _NO_WRITE_INTENT:
                columns.problems.append((column.names, reason))
                continue
            raw = raw_columns(column, leaf_type(dataset.id.get_type(), column.part.steps))
            columns.groups |= raw.groups
            columns.leaves += raw.leaves


def _text_obstacle(dataset: h5py.Dataset, index: ChunkIndex, part: Part) -> str:
    for start, stop in written_regions(dataset, index):
        try:
            check_texts(dataset.id, part, start, stop)
        except ValueError as error:
            return str(error)
        except OSError as error:
            # Damage, as in any other data: an ingest says so while it reads them, with the place.
            return _NO_WRITE_INTENT if "no write intent" in str(error) else ""
    return ""


def _tables(
    dataset: h5py.Dataset, index: ChunkIndex, columns: Columns, path: str, problems: list[Problem]
) -> dict[tuple[Step, ...], RaggedTable]:
    """Count the rows of ragged leaves; what can't be counted is a problem."""
    tables: dict[tuple[Step, ...], RaggedTable] = {}
    by_start: dict[tuple[Step, ...], dict[tuple[Step, ...], None]] = {}
    for column in columns.leaves:
        levels = list(levels_of(column.part))
        for level in levels:
            by_start.setdefault(levels[0], {})[level] = None
    for first, levels_below in by_start.items():
        try:
            tables |= ragged_tables(dataset, index, list(levels_below))
        except (OSError, RuntimeError, TypeError, ValueError, KeyError) as error:
            named = [str(step[1]) for step in first if step[0] == "field"]
            why = _NO_WRITE_INTENT if "no write intent" in str(error) else f"{error}"
            problems.append(Problem(_below(path, named), f"its data can't be read: {why}"))
    return tables


def _with_table(column: Column, tables: dict[tuple[Step, ...], RaggedTable]) -> Column | None:
    levels = list(levels_of(column.part))
    if not levels:
        return column
    table = tables.get(levels[-1])
    if table is None:
        return None
    if not column.part.offsets:
        table = RaggedTable(table.rows, table.values_before)
    return replace(column, part=replace(column.part, table=table))


def _groups(
    dataset: h5py.Dataset, path: str, columns: Columns, attributes: dict[str, Any]
) -> list[SourceGroup]:
    groups = []
    for names, own in columns.groups.items():
        held = {} if names else attributes
        held |= own
        if not names:
            held[HDF5_KEY] = {
                **type_record(dataset.id.get_type()),
                **storage_facts(dataset),
                "shape": list(dataset.shape),
            }
        groups.append(SourceGroup(_below(path, names), held))
    return groups


def storage_facts(dataset: h5py.Dataset) -> dict[str, Any]:
    """Give how a dataset is stored, as ``hsc:hdf5`` says it."""
    facts: dict[str, Any] = {"storage": _storage(dataset), **fill_facts(dataset)}
    if dataset.chunks is not None:
        facts["chunks"] = list(dataset.chunks)
    if dataset.maxshape != dataset.shape:
        facts["maxshape"] = list(dataset.maxshape)
    filters = filter_pipeline(dataset)
    if filters:
        facts["filters"] = [[stage.id, list(stage.values)] for stage in filters]
    return facts


def _storage(dataset: h5py.Dataset) -> str:
    return {
        h5py.h5d.CHUNKED: "chunked",
        h5py.h5d.CONTIGUOUS: "contiguous",
        h5py.h5d.COMPACT: "compact",
        h5py.h5d.VIRTUAL: "virtual",
    }[dataset.id.get_create_plist().get_layout()]


def _leaf(
    dataset: h5py.Dataset,
    path: str,
    column: Column,
    index: ChunkIndex,
    attributes: dict[str, Any],
) -> SourceDataset:
    part, element = column.part, column.part.element
    whole = not column.names
    value = fill_value(dataset, part)
    rows, most = _rows(dataset, part)
    plain = whole and not part.row_shape and element.carry in (Carry.PLAIN, Carry.BYTES)
    facts = dict(element.record)
    if whole:
        facts |= storage_facts(dataset)
        if part.row_shape:
            facts["shape"] = list(dataset.shape)
            facts |= type_record(dataset.id.get_type())
    return SourceDataset(
        path=_below(path, column.names),
        shape=(*rows, *part.row_shape),
        maxshape=(*most, *part.row_shape),
        element=element,
        itemsize=1 if element.tail else element.nbytes or _POINTER_NBYTES,
        fill_value=_nothing(element) if value is None else value,
        filters=filter_pipeline(dataset) if plain else (),
        storage=_storage(dataset),
        index=_leaf_index(index, part, (*rows, *part.row_shape), every=value is None),
        attributes=attributes if whole else {},
        object_path=path,
        part=None if plain and element.carry is Carry.PLAIN else part,
        facts=facts,
    )


def _rows(dataset: h5py.Dataset, part: Part) -> tuple[tuple[int, ...], tuple[int | None, ...]]:
    if part.table is None:
        return dataset.shape, dataset.maxshape
    rows = (part.table.before[-1] + (1 if part.offsets else 0),)
    return rows, rows


def _leaf_index(
    index: ChunkIndex, part: Part, shape: tuple[int, ...], *, every: bool
) -> ChunkIndex:
    """Give which chunks of a leaf were written, from those of its dataset."""
    if not part.ragged and not part.row_shape and not every:
        return index
    if part.ragged or every or index.chunks is None:
        written = 0 not in shape and (part.ragged or every or len(index) > 0)
        count = 1 if written else 0
        nothing = np.zeros(count, np.uint64)
        return ChunkIndex(
            None,
            np.zeros((count, len(shape)), np.int64),
            nothing,
            nothing,
            np.zeros(count, np.uint32),
        )
    more = np.zeros((len(index), len(part.row_shape)), np.int64)
    return replace(
        index,
        chunks=(*index.chunks, *part.row_shape),
        places=np.concatenate([index.places, more], axis=1),
    )
