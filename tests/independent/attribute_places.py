"""Attributes by their JSON, taken as what it stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
from h5py import h5t

from independent.elements import number_dtype


def worded(name: bytes | str) -> str:
    """Word a name as JSON holds it."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace")


class AttributePlace:
    """The JSON of an attribute, taken as what it stands for."""

    def __init__(self, value: Any, dtype: np.dtype | None, columns: bool) -> None:
        self._value, self._dtype, self._columns = value, dtype, columns

    def below(self, name: str) -> AttributePlace | None:
        """Give a column, or the columns below a name."""
        if not isinstance(self._value, dict):
            return None
        if name in self._value:
            return AttributePlace(self._value[name], None, columns=False)
        inner = {
            key.removeprefix(f"{name}/"): value
            for key, value in self._value.items()
            if key.startswith(f"{name}/")
        }
        return AttributePlace(inner, None, columns=True) if inner else None

    def array(self) -> np.ndarray | None:
        """Give the values; None for columns."""
        value = self._value
        if self._columns:
            return None
        if isinstance(value, dict) and value.get("$t") == "string":
            texts = value["$hex"] if isinstance(value["$hex"], list) else [value["$hex"]]
            return np.array([bytes.fromhex(text) for text in texts], object)
        if isinstance(value, dict):
            return np.frombuffer(bytes.fromhex(value["$hex"]), value["$t"])
        return np.array(value, self._dtype if self._dtype is not None else object)


class TypedPlace(AttributePlace):
    """An attribute's value, or a column of one, of a known HDF5 type."""

    def __init__(self, value: Any, kind: Any) -> None:
        while kind.get_class() == h5t.ARRAY:
            kind = kind.get_super()
        simple = kind.get_class() not in (h5t.STRING, h5t.REFERENCE, h5t.COMPOUND, h5t.VLEN)
        dtype = number_dtype(kind) if simple else None
        raw = simple and dtype is None
        super().__init__(value, np.dtype("u1") if raw else dtype, columns=False)

    def array(self) -> np.ndarray | None:
        found = super().array()
        if found is not None and found.dtype == object and found.size:
            numbers = all(isinstance(each, int) for each in found.ravel())
            return found.astype(np.uint8) if numbers else found  # text as its bytes
        if found is not None and found.dtype != object and found.dtype.byteorder == ">":
            return found.astype(found.dtype.newbyteorder("<"))
        return found


class ColumnsPlace:
    """Columns of an attribute, with the type that gives each its own."""

    def __init__(self, columns: dict[str, Any], kind: Any) -> None:
        self._columns, self._kind = columns, kind

    def array(self) -> None:
        return None

    def below(self, name: str) -> Any:
        inner = {
            key.removeprefix(name).lstrip("/"): value
            for key, value in self._columns.items()
            if key == name or key.startswith(f"{name}/")
        }
        kind = self._inner(name)
        if kind is None or not inner:
            return None
        if list(inner) == [""]:
            return TypedPlace(inner[""], kind)
        return ColumnsPlace(inner, kind)

    def _inner(self, name: str) -> Any:
        kind = self._kind
        while kind.get_class() == h5t.ARRAY:
            kind = kind.get_super()
        if kind.get_class() == h5t.COMPOUND:
            for number in range(kind.get_nmembers()):
                raw = worded(kind.get_member_name(number))
                if name in (raw, raw.replace("%", "%25").replace("/", "%2F")):
                    return kind.get_member_type(number)
            return None
        if kind.get_class() == h5t.VLEN and name == "values":
            return kind.get_super()
        return h5t.NATIVE_UINT8 if name == "values" else h5t.NATIVE_INT64
