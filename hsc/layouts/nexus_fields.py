"""Fields of a NeXus entry by class or name of the groups around them; nothing leads out of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from hsc.hdf5 import decode_text, inside
from hsc.layouts.fact_table import Number
from hsc.model import Quantity, plain_text

# What h5py raises for links that lead nowhere and for damaged or foreign structures.
UNREADABLE = (KeyError, OSError, RuntimeError, TypeError, ValueError)

_MOST_CHILDREN = 2_000
_LONGEST_TEXT = 10_000
_LONGEST_UNIT = 200


class Fields:
    """The fields of an entry; one that can't be read is as good as absent.

    Parameters
    ----------
    entry
        The group.
    """

    def __init__(self, entry: h5py.Group) -> None:
        self._entry = entry
        self._children: dict[str, list[tuple[str, str, h5py.Group]]] = {}

    def text(self, *paths: str) -> str | None:
        """Give the text of the first path that has one; a whole number is one here."""
        for path in paths:
            said = {text for text in map(_text, self._nodes(path)) if text}
            if len(said) == 1:
                return said.pop()
        return None

    def quantity(self, sought: Number) -> Quantity | None:
        """Give a number with its unit, where all groups that have it agree."""
        for path in sought.paths:
            found = [each for node in self._nodes(path) if (each := _quantity(node, sought.unit))]
            if found:
                return found[0] if all(each == found[0] for each in found) else None
        return None

    def groups(self, path: str) -> list[h5py.Group]:
        """Give the groups at a path, by name."""
        found = [self._entry]
        for part in path.split("/"):
            found = [child for group in found for child in self._matching(group, part)]
        return found

    def _nodes(self, path: str) -> Iterator[h5py.Dataset]:
        around, _, name = path.rpartition("/")
        for group in self.groups(around) if around else [self._entry]:
            try:
                node = inside(group, name)
                if not isinstance(node, h5py.Dataset) or node.shape is None:
                    continue
                if node.size == 1 and node.dtype.kind:
                    yield node
            except UNREADABLE:
                continue

    def _matching(self, group: h5py.Group, part: str) -> list[h5py.Group]:
        # Older files and hand-made ones have groups without a class, under its usual name.
        usual = part.removeprefix("NX")
        return [
            child
            for name, kind, child in self._inner(group)
            if kind == part or (name == usual and not kind) or name == part
        ]

    def _inner(self, group: h5py.Group) -> list[tuple[str, str, h5py.Group]]:
        known = self._children.get(group.name or "")
        if known is not None:
            return known
        found: list[tuple[str, str, h5py.Group]] = []
        try:
            names = sorted(map(str, group))[:_MOST_CHILDREN]
        except UNREADABLE:
            names = []
        for name in names:
            try:
                if group.get(name, getclass=True, getlink=True) is not h5py.HardLink:
                    continue
                if group.get(name, getclass=True) is h5py.Group:
                    child = group[name]
                    found.append((name, one_text(child.attrs.get("NX_class", "")), child))
            except UNREADABLE:
                continue
        self._children[group.name or ""] = found
        return found


def one_text(value: Any) -> str:
    """Give an attribute or element as text; empty when it is none."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    text = (decode_text(value) or "").strip() if isinstance(value, bytes | str) else ""
    return plain_text(text)[:_LONGEST_TEXT]


def _text(node: h5py.Dataset) -> str:
    try:
        if h5py.check_string_dtype(node.dtype) is not None:
            return one_text(np.asarray(node[()], object).ravel()[0])
        if node.dtype.kind in "iu":
            return str(int(np.asarray(node[()]).ravel()[0]))
    except UNREADABLE:
        pass  # as good as absent
    return ""


def _quantity(node: h5py.Dataset, unit: str | None) -> Quantity | None:
    if node.dtype.kind not in "iuf":
        return None
    try:
        value = float(np.asarray(node[()]).ravel()[0])
        written = one_text(node.attrs.get("units", ""))[:_LONGEST_UNIT] or unit
    except UNREADABLE:
        return None
    known = written is not None and np.isfinite(value)
    return Quantity(value=value, unit=written) if known and written is not None else None
