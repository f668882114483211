"""Virtual datasets that come back as such, for their sources are files of the same run."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
from h5py import h5s

from hsc.exporting.nodes import Node
from hsc.hdf5 import encode_name

_MOST_SOFT_LINKS = 16


@dataclass(frozen=True, slots=True)
class Mapped:
    """One mapping of a virtual dataset."""

    virtual: Any
    """What it fills, a dataspace."""
    file: bytes
    """The source's file, as it is named."""
    path: bytes
    """The source's path there."""
    source: Any
    """What of the source it shows, a dataspace."""


def virtual_mappings(
    node: Node, shape: tuple[int, ...], of: str, files: Mapping[str, Node]
) -> list[Mapped] | None:
    """Give the mappings of a virtual dataset whose sources are all in the run.

    Parameters
    ----------
    node, shape
        The dataset, and its shape.
    of
        Name of its file in the run's folder.
    files
        Root of each file of the run, by its name in the folder.

    Returns
    -------
    mappings
        None when it has none that can be made again.
    """
    told = node.attributes.get("hsc:virtual", {}).get("mappings", ())
    made = [_mapped(each, shape, of, files) for each in told]
    whole = [each for each in made if each is not None]
    return whole if whole and len(whole) == len(made) else None


def _mapped(
    told: Mapping[str, Any], shape: tuple[int, ...], of: str, files: Mapping[str, Node]
) -> Mapped | None:
    if not told.get("virtual") or not told.get("source"):
        return None
    named: str = told["file"]
    where = of if named == "." else posixpath.normpath(
        posixpath.join(posixpath.dirname(of), named)
    )  # fmt: skip
    root = files.get(where)
    source = None if root is None else _found(root, told["path"])
    extent = None if source is None else _shape(source)
    if extent is None or len(extent) != len(told["source"]) or len(shape) != len(told["virtual"]):
        return None
    virtual = _space(shape, told["virtual"])
    return Mapped(
        virtual, encode_name(named), encode_name(told["path"]), _space(extent, told["source"])
    )


def _found(root: Node, path: str) -> Node | None:
    """Follow a path within a file, through soft and further hard links."""
    node: Node | None = root
    words, followed = [word for word in path.split("/") if word not in ("", ".")][::-1], 0
    while words and node is not None:
        word = words.pop()
        link = node.links.get(word, {})
        target = link.get("hard") or link.get("soft")
        if target is None:
            node = node.children.get(word)
            continue
        followed += 1
        if followed > _MOST_SOFT_LINKS:
            return None
        words += [step for step in target.split("/") if step not in ("", ".")][::-1]
        node = root if target.startswith("/") else node
    return node


def _shape(node: Node) -> tuple[int, ...] | None:
    if not node.is_dataset:
        return None
    return tuple(node.facts.get("shape", node.document.get("shape", ())))


def _space(shape: tuple[int, ...], axes: list[list[int | None]]) -> Any:
    """Give a dataspace with what the axes select of it."""
    most = tuple(
        h5s.UNLIMITED if None in axis[2:] else n for n, axis in zip(shape, axes, strict=True)
    )
    space = h5s.create_simple(shape, most)
    start, stride, count, block = (
        tuple(h5s.UNLIMITED if axis[which] is None else axis[which] for axis in axes)
        for which in range(4)
    )
    space.select_hyperslab(start, count, stride, block)
    return space


def set_mappings(properties: h5py.h5p.PropDCID, mappings: list[Mapped]) -> None:
    """Make a dataset to be virtual."""
    for each in mappings:
        properties.set_virtual(each.virtual, each.file, each.path, each.source)
