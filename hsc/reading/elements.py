"""Elements: compounds and ragged data put together again, as h5py would give them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import RoleMissingError
from hsc.reading.opened import OpenedDataset


def elements(dataset: OpenedDataset, path: str) -> NDArray[Any]:
    """Read what was one HDF5 dataset, in its own shape, byte order and fields.

    Parameters
    ----------
    dataset
        A dataset that was ingested.
    path
        Path of the HDF5 dataset: here an array, or a group with ``hsc:compound`` or
        ``hsc:ragged``.

    Returns
    -------
    elements
        A structured array for a compound, one of objects (arrays, or bytes of a text) for
        variable length; else the array. Fields lie packed: their offsets in the file are in
        ``hsc:compound``. All is read at once.

    Raises
    ------
    RoleMissingError
        There is no such dataset at that path.
    DamageError
        Bytes are missing or not those that were written.
    """
    facts = _attributes(dataset, path).get("hsc:hdf5", {})
    return _read(dataset, path, tuple(facts.get("shape", ())))


def _attributes(dataset: OpenedDataset, path: str) -> Mapping[str, Any]:
    document = dataset.documents.get(path, {"attributes": {}, "node_type": "group"})
    attributes: Mapping[str, Any] = document["attributes"]
    made_of_others = "hsc:compound" in attributes or "hsc:ragged" in attributes
    if document["node_type"] == "group" and not made_of_others:
        raise RoleMissingError(
            f"there is no HDF5 dataset at {path}",
            where=str(dataset.record.pid),
            next_step=f"`hsc show {dataset.record.pid}` lists the arrays",
        )
    return attributes


def _read(dataset: OpenedDataset, path: str, shape: tuple[int, ...]) -> NDArray[Any]:
    attributes = _attributes(dataset, path)
    if "hsc:compound" in attributes:
        return _compound(dataset, path, shape, attributes["hsc:compound"])
    if "hsc:ragged" in attributes:
        return _ragged(dataset, path, shape, attributes["hsc:ragged"])
    values = dataset.array(path).read()
    noted = attributes.get("hsc:hdf5", {}).get("dtype")
    return values.astype(noted) if noted and values.dtype != object else values


def _compound(
    dataset: OpenedDataset, path: str, shape: tuple[int, ...], facts: Mapping[str, Any]
) -> NDArray[Any]:
    rows = (*shape, *facts.get("element_shape", ()))
    columns = {
        field["name"]: _read(dataset, f"{path}/{field.get('column', field['name'])}", rows)
        for field in facts["fields"]
    }
    formats = [(name, each.dtype, each.shape[len(rows) :]) for name, each in columns.items()]
    made = np.empty(rows, formats)
    for name, column in columns.items():
        made[name] = column
    return made


def _ragged(
    dataset: OpenedDataset, path: str, shape: tuple[int, ...], facts: Mapping[str, Any]
) -> NDArray[Any]:
    rows = (*shape, *facts.get("element_shape", ()))
    offsets = dataset.array(f"{path}/offsets").read()
    values = _read(dataset, f"{path}/values", (int(offsets[-1]),))
    made = np.empty(math.prod(rows), object)
    for number, (start, stop) in enumerate(pairwise(offsets)):
        part = values[start:stop]
        made[number] = part.tobytes() if "string" in facts else part
    return made.reshape(rows)
