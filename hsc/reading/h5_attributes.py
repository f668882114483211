"""Attributes as h5py gives them: NumPy's values of the type that they had in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import PathMissingError
from hsc.reading.h5_values import H5Empty, as_h5py

Json = Mapping[str, Any]
ReadArray = Callable[[str], NDArray[Any]]


class H5Attributes(Mapping[str, Any]):
    """The attributes of a group or dataset by name, sorted as HDF5 sorts them.

    Parameters
    ----------
    attributes
        As they stand in Zarr's metadata.
    read
        Reads an array of the tree by its path, for attributes that are too large for metadata.
    """

    def __init__(self, attributes: Json, read: ReadArray) -> None:
        self._attributes, self._read = attributes, read
        self._types: Json = attributes.get("hsc:attribute_types", {})
        added = attributes.get("hsc:added", ())  # for stock readers; the file has them not
        keys = [key for key in attributes if not key.startswith("hsc:") and key not in added]
        named = {self._name(key): key for key in keys}
        order = sorted(named, key=lambda name: name.encode("utf-8", "surrogateescape"))
        self._keys = {name: named[name] for name in order}

    def _name(self, key: str) -> str:
        raw = self._types.get(key, {}).get("name_hex")
        return bytes.fromhex(raw).decode("utf-8", "surrogateescape") if raw else key

    def __getitem__(self, name: str) -> Any:
        if name not in self._keys:
            raise PathMissingError(f"there is no attribute {name!r}")
        key = self._keys[name]
        record = self._types.get(key, {})
        return _value(self._attributes[key], record, self._read)

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<Attributes of HDF5 object: {', '.join(self)}>"


def _value(value: Any, record: Json, read: ReadArray) -> Any:
    described = record.get("type")
    shape = tuple(record.get("shape", ()))
    if isinstance(value, dict) and "$null" in value:
        if described is not None and described["class"] in ("compound", "variable-length"):
            return H5Empty(f"V{described['bytes']}")
        return H5Empty(_leaf([], described, record, (0,)).dtype)
    if isinstance(value, dict) and "$columns" in value:
        found = _built(described or {}, value["$columns"], "", shape)
    elif isinstance(value, dict) and "$array" in value:
        found = as_h5py(read(value["$array"]), record)
        found = found.reshape(shape + found.shape[1:]) if not shape else found
    else:
        found = _leaf(value, described, record, shape)
    if "length" in record.get("string", {}) or found.dtype != object:
        return found[()]
    texts = "string" in record or isinstance(value, str)
    decoded = _decoded(found) if texts else found
    return decoded[()]


def _decoded(found: NDArray[Any]) -> NDArray[Any]:
    """Give text of variable length as str, as h5py does in attributes alone."""
    made = np.empty(found.size, object)
    made[:] = [
        each.decode("utf-8", "surrogateescape") if isinstance(each, bytes) else each
        for each in found.ravel()
    ]
    return made.reshape(found.shape)


def _leaf(value: Any, described: Json | None, facts: Json, shape: tuple[int, ...]) -> NDArray[Any]:
    """Give values of one type that is not made of others, array types apart."""
    if isinstance(value, str) and not facts:
        return _objects([value], ())
    dims: tuple[int, ...] = ()
    while described is not None and described["class"] == "array":
        dims, described = (*dims, *described["shape"]), described["of"]
    if described is not None and not {"dtype", "string", "reference"} & set(facts):
        facts = described_facts(described)
    whole = (*shape, *dims)
    if "string" in facts:
        return _texts(value, facts, whole)
    if "reference" in facts:
        return _objects(_flat(value, len(whole)), whole)
    if isinstance(value, dict):
        numbers = np.frombuffer(bytes.fromhex(value["$hex"]), value["$t"])
        return numbers.astype(facts.get("dtype", numbers.dtype)).reshape(whole)
    if "dtype" in facts:
        return np.array(value, facts["dtype"]).reshape(whole)
    if "type" in facts:
        nbytes = facts["type"]["bytes"]
        return as_h5py(np.array(value, np.uint8).reshape((*whole, nbytes)), facts)
    return np.array(value).reshape(whole)


def _texts(value: Any, facts: Json, shape: tuple[int, ...]) -> NDArray[Any]:
    coded = value["$hex"] if isinstance(value, dict) else value
    texts = _flat(coded, len(shape))
    raw = isinstance(value, dict)
    found = [bytes.fromhex(t) if raw else t.encode("utf-8", "surrogateescape") for t in texts]
    if "length" in facts["string"]:
        return np.array(found, f"S{facts['string']['length']}").reshape(shape)
    return _objects(found, shape)


def _flat(value: Any, depth: int) -> list[Any]:
    found = [value]
    for _ in range(depth):
        found = [each for row in found for each in (row if isinstance(row, list) else [row])]
    return found


def _objects(values: list[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    made = np.empty(len(values), object)
    made[:] = values
    return made.reshape(shape)


def _built(described: Json, columns: Json, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Build values of a type that is made of others from its columns."""
    if name in columns:
        return _leaf(columns[name], described, {}, shape)
    kind = described["class"]
    if kind == "array":
        return _built(described["of"], columns, name, (*shape, *described["shape"]))
    prefix = f"{name}/" if name else ""
    if kind == "compound":
        parts = {}
        for field in described["fields"]:
            own = field["name"]
            column = own.replace("%", "%25").replace("/", "%2F") if "/" in own else own
            parts[own] = _built(field["type"], columns, f"{prefix}{column}", shape)
        formats = [(own, each.dtype, each.shape[len(shape) :]) for own, each in parts.items()]
        made = np.empty(shape, formats)
        for own, each in parts.items():
            made[own] = each
        return made
    offsets = columns[f"{prefix}offsets"]
    ends = np.array(offsets, np.int64).ravel().tolist()
    inner = described.get("of", {"class": "integer", "bytes": 1, "order": "none", "signed": False})
    values = _built(inner, columns, f"{prefix}values", (ends[-1],))
    rows = [values[begin:end] for begin, end in pairwise(ends)]
    texts = kind == "string"
    return _objects([row.tobytes() for row in rows] if texts else rows, shape)


def described_facts(described: Json) -> Json:
    """Give what ``hsc:hdf5`` would say of a type that is described in full."""
    kind, size = described["class"], described["bytes"]
    order = ">" if described.get("order") == "big" else "<"
    if kind == "string":
        known = {
            key: described[key] for key in ("charset", "length", "padding") if key in described
        }
        return {"string": known}
    if kind == "reference":
        return {"reference": described.get("to", "object")}
    if kind == "enum":
        return described_facts(described["of"])
    if kind in ("compound", "complex") and size in (8, 16):
        return {"dtype": f"{_part_order(described)}c{size}"}
    if kind == "bitfield" and size in (1, 2, 4, 8):
        return {"dtype": f"{order}u{size}"}
    if kind == "integer" and size in (1, 2, 4, 8):
        return {"dtype": f"{order}{'i' if described.get('signed') else 'u'}{size}"}
    if kind == "float" and size in (2, 4, 8) and described.get("norm", "implied") == "implied":
        return {"dtype": f"{order}f{size}"}
    return {"type": described}


def _part_order(described: Json) -> str:
    part = described.get("of") or described["fields"][0]["type"]
    return ">" if part.get("order") == "big" else "<"
