"""Dimension names: shared where HDF5's dimension scales say so, else unique to the array's path.

xarray refuses a tree where a group and one below it give one name to different things, and an
array that has the name of another's dimension. Where a scale's own name would do that, its path
is the name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hsc.layouts import Run, RunArray
from hsc.model import plain_text


def dimension_names(run: Run) -> dict[str, tuple[str, ...]]:
    """Name the dimensions of a run's arrays, each array by its path.

    Names that a layout gave stay. An array's dimension with a scale has the scale's name, if the
    scale stands in the array's group or one above it; else its path. Labels take the place of
    numbers in names that are unique to a path.
    """
    arrays = {plain_text(array.path): array for array in run.arrays}
    roots = sorted(
        (plain_text(g.path) for g in run.groups if "hsc:file" in g.attributes),
        key=len,
        reverse=True,
    )
    names = {path: list(array.dimension_names or _own(array)) for path, array in arrays.items()}
    uses = [use for path in sorted(arrays) for use in _uses(path, arrays, roots)]
    named: dict[str, dict[str, str]] = {}
    # From the root on, so that what stands above is known.
    for use in sorted(uses, key=lambda each: (each.depth, each.path, each.axis)):
        own, shared = use.scale.rpartition("/")[2], _stem(use.scale)
        near = (own,) if _above(use.group, use.scale) else ()
        name = next((n for n in (*near, shared) if _free(use, n, named, arrays)), None)
        if name is not None and name not in names[use.path]:
            named.setdefault(use.group, {})[name] = use.scale
            names[use.path][use.axis] = name
    return {array.path: tuple(names[plain_text(array.path)]) for array in run.arrays}


@dataclass(frozen=True, slots=True)
class _Use:
    """A dimension of an array, and its scale."""

    path: str
    axis: int
    scale: str

    @property
    def group(self) -> str:
        return _parent(self.path)

    @property
    def depth(self) -> int:
        return self.path.count("/")


def _uses(path: str, arrays: Mapping[str, RunArray], roots: Sequence[str]) -> list[_Use]:
    array = arrays[path]
    if array.dimension_names:
        return []
    if array.attributes.get("CLASS") == "DIMENSION_SCALE" and len(array.shape) == 1:
        return [_Use(path, 0, path)]
    root = next((root for root in roots if path.startswith(f"{root.rstrip('/')}/")), "")
    found = []
    for axis, scale in enumerate(_scales(array)):
        where = f"{root.rstrip('/')}{scale}"
        of = arrays.get(where)
        if scale and of is not None and not of.dimension_names:
            found += [_Use(path, axis, where)] if of.shape == (array.shape[axis],) else []
    return found


def _scales(array: RunArray) -> list[str]:
    """Give the path of the first scale of each dimension; empty for none."""
    attached: Any = array.attributes.get("DIMENSION_LIST")
    columns = attached.get("$columns") if isinstance(attached, Mapping) else None
    if not isinstance(columns, Mapping) or not {"offsets", "values"} <= columns.keys():
        return []
    offsets, values = columns["offsets"], columns["values"]
    if not isinstance(offsets, list) or len(offsets) != len(array.shape) + 1:
        return []
    return [str(values[start]) if start < end else "" for start, end in pairwise(offsets)]


def _own(array: RunArray) -> list[str]:
    """Give names that are unique to the path, with the file's labels where it has some."""
    stem = _stem(plain_text(array.path))
    labels: Any = array.attributes.get("DIMENSION_LABELS")
    told = labels if isinstance(labels, list) and len(labels) == len(array.shape) else []
    texts = [_escaped(label) if isinstance(label, str) else "" for label in told]
    parts = [
        texts[axis] if texts and _telling(texts, axis) else str(axis)
        for axis in range(len(array.shape))
    ]
    return [f"{stem}.{part}" for part in parts]


def _telling(labels: Sequence[str], axis: int) -> bool:
    label = labels[axis]
    return bool(label) and not label.isdigit() and labels.count(label) == 1


def _free(
    use: _Use, name: str, named: Mapping[str, Mapping[str, str]], arrays: Mapping[str, RunArray]
) -> bool:
    """Tell whether a name means nothing else in a group and those above it."""
    group: str | None = use.group
    while group is not None:
        if named.get(group, {}).get(name, use.scale) != use.scale:
            return False
        group = None if group == "/" else _parent(group)
    namesake = f"{use.group.rstrip('/')}/{name}"
    return namesake == use.scale or namesake not in arrays


def _above(group: str, scale: str) -> bool:
    return f"{group.rstrip('/')}/".startswith(f"{_parent(scale).rstrip('/')}/")


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _stem(path: str) -> str:
    return ".".join(_escaped(part) for part in path.strip("/").split("/"))


def _escaped(text: str) -> str:
    # A dot inside a name is escaped, for /a.b and /a/b are two paths.
    return text.replace("%", "%25").replace(".", "%2E").replace("/", "%2F")
