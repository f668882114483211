"""Attributes: written as HDF5 had them, from JSON and ``hsc:attribute_types``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from h5py import h5a, h5s

from hsc.exporting.elements import Resolve, Rows, image
from hsc.exporting.failures import UNWRITABLE, end_unless_own
from hsc.exporting.leaves import JsonLeaves
from hsc.exporting.ordering import attribute_order
from hsc.exporting.types import made_type
from hsc.hdf5 import encode_name, write_memory
from hsc.reading import OpenedDataset

_TYPES = "hsc:attribute_types"


def write_attributes(
    node: Any,
    attributes: Mapping[str, Any],
    dataset: OpenedDataset,
    resolve: Resolve,
    tell: Callable[[str, str], None],
) -> None:
    """Write all attributes of an object that are its own.

    Parameters
    ----------
    node
        Identifier of the object that was made.
    attributes
        As JSON, those of hsc among them, which are left out.
    tell
        Is told the name and the reason of each that HDF5 does not take.
    """
    types: Mapping[str, Any] = attributes.get(_TYPES, {})
    added = attributes.get("hsc:added", ())  # for stock readers; the file had them not
    for key in attribute_order(attributes):
        if key.startswith("hsc:") or key in added:
            continue
        record = types.get(key, {})
        name = bytes.fromhex(record["name_hex"]) if "name_hex" in record else encode_name(key)
        try:
            _write(node, name, attributes[key], record, dataset, resolve)
        except UNWRITABLE as error:
            end_unless_own(error, name.decode("utf-8", "backslashreplace"))
            tell(key, f"the attribute can't be written: {error}")


def _write(
    node: Any,
    name: bytes,
    value: Any,
    record: Mapping[str, Any],
    dataset: OpenedDataset,
    resolve: Resolve,
) -> None:
    type_id = made_type(record, _natural(value))
    if isinstance(value, dict) and "$null" in value:
        h5a.create(node, name, type_id, h5s.create(h5s.NULL))
        return
    shape = _shape(value, record)
    space = h5s.create_simple(shape) if shape else h5s.create(h5s.SCALAR)
    made = h5a.create(node, name, type_id, space)
    if not math.prod(shape):
        return
    # Attributes are read whole: as a scalar's, whatever their shape.
    elements = image(type_id, "", Rows(-1, shape), JsonLeaves(dataset, value), resolve)
    values = np.ascontiguousarray(elements.values).reshape(shape)
    if elements.held:
        write_memory(made, elements.memory, values)
    else:
        made.write(values, mtype=elements.memory)


def _shape(value: Any, record: Mapping[str, Any]) -> tuple[int, ...]:
    if record or not isinstance(value, list):
        return tuple(record.get("shape", ()))
    # What a reduction wrote: lists as they are.
    lengths = [len(value)]
    while value and isinstance(value[0], list):
        value = value[0]
        lengths.append(len(value))
    return tuple(lengths)


def _natural(value: Any) -> str:
    """Name the type of a value of JSON that has no note."""
    while isinstance(value, list) and value:
        value = value[0]
    for kind, name in ((bool, "bool"), (int, "int64"), (float, "float64")):
        if isinstance(value, kind):
            return name
    return "string"
