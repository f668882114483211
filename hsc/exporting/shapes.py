"""Shapes: the dataspace of a dataset of HDF5, and its fill value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from h5py import h5s

from hsc.exporting.nodes import Node
from hsc.hdf5 import Carry, element_type


@dataclass(frozen=True, slots=True)
class Shape:
    """The dataspace of a dataset, and how it was stored."""

    shape: tuple[int, ...]
    """Elements along each dimension; empty for a scalar."""
    largest: tuple[int | None, ...]
    """How far each may grow; None for without end."""
    null: bool
    """Whether it has no dataspace at all."""
    facts: Mapping[str, Any]
    """What ``hsc:hdf5`` says of it, with the chunks and filters that a virtual dataset shows."""
    note: str = ""
    """What is not as it was; empty for nothing."""

    def space(self, *, growing: bool) -> Any:
        """Give HDF5's dataspace; one that may grow only where chunks allow it."""
        if self.null:
            return h5s.create(h5s.NULL)
        if not self.shape:
            return h5s.create(h5s.SCALAR)
        if not growing:
            return h5s.create_simple(self.shape)
        most = tuple(h5s.UNLIMITED if n is None else n for n in self.largest)
        return h5s.create_simple(self.shape, most)


def dataset_shape(node: Node, *, as_virtual: bool = False) -> Shape:
    """Give the dataspace of a dataset's node; of one that stays virtual if so told."""
    facts = dict(node.facts)
    null = bool(node.attributes.get("hsc:null"))
    shape = tuple(facts.get("shape", node.document.get("shape", ())))
    largest = tuple(facts.get("maxshape", shape))
    note = ""
    if facts.get("storage") == "virtual" and not as_virtual:
        shown = node.attributes.get("hsc:virtual", {})
        facts |= {name: shown[name] for name in ("chunks", "filters") if shown.get(name)}
        note = "a virtual dataset, written as its values"
        if any(b is None or b > a for a, b in zip(shape, largest, strict=True)):
            facts.setdefault("chunks", _some_chunks(node, shape))
    return Shape(() if null else shape, largest, null, facts, note)


def _some_chunks(node: Node, shape: tuple[int, ...]) -> list[int]:
    grid = node.document.get("chunk_grid", {}).get("configuration", {}).get("chunk_shape", shape)
    return [max(1, min(c, n)) for c, n in zip(grid, shape, strict=False)]


def is_plain_array(node: Node, type_id: Any, shape: Shape) -> bool:
    """Tell whether one array holds the dataset's elements as the numbers that they are."""
    if not node.is_array or shape.null or tuple(node.document["shape"]) != shape.shape:
        return False
    kind = type_id.get_class()
    if kind in (h5py.h5t.ARRAY, h5py.h5t.VLEN) or node.document["data_type"] == "string":
        return False
    return element_type(type_id).carry in (Carry.PLAIN, Carry.BYTES)


def fill_of(node: Node, type_id: Any) -> Any:
    """Give the fill value that somebody defined, as an array; None for HDF5's default.

    Raises
    ------
    TypeError, ValueError
        NumPy has no such type.
    """
    facts = node.facts
    if facts.get("fill") != "user":
        return None
    if "fill_hex" in facts:
        raw = bytes.fromhex(facts["fill_hex"])
        return np.frombuffer(raw, np.dtype(type_id.dtype)).reshape(())
    word = node.document.get("fill_value", "")
    if not isinstance(word, str):
        return None
    if type_id.get_class() != h5py.h5t.STRING:
        return None
    # Of one of fixed length h5py gives HDF5 the address of the text for the text; of a text of
    # variable length HDF5 makes it what the dataset has.
    ascii_only = type_id.get_cset() == h5py.h5t.CSET_ASCII
    return np.array(word.encode(), h5py.string_dtype("ascii" if ascii_only else "utf-8"))
