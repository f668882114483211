"""A dataset as an xarray.DataTree of lazy dask arrays."""

from __future__ import annotations

from collections.abc import Callable

import xarray as xr

import hsc.reading.accessor  # noqa: F401  (registers ``tree.hsc``)
from hsc.reading.card import show_html, show_text
from hsc.reading.nodes import Choices, Nodes
from hsc.reading.opened import OpenedDataset
from hsc.reading.origin import ORIGIN, Origin
from hsc.reading.regions import Gaps

# What xarray makes of a tree, as by ``isel``, is of its class too, and lacks this.
_WHOLE = "_whole"


class OpenedTree(xr.DataTree):
    """A tree that hsc opened: an xarray.DataTree that shows what it is."""

    def __repr__(self) -> str:  # type: ignore[override]
        return self._card(show_text) or super().__repr__()

    # xarray has a function of its own for it, which knows nothing of the other.
    __str__ = __repr__

    def _repr_html_(self) -> str:
        return self._card(show_html) or str(super()._repr_html_())  # type: ignore[no-untyped-call]

    def _card(self, show: Callable[[OpenedDataset], str]) -> str:
        """Show what the tree is; nothing for one that xarray made of it, as a part."""
        origin = self.encoding.get(ORIGIN)
        if not isinstance(origin, Origin) or _WHOLE not in self.__dict__:
            return ""
        return show(origin.dataset)


def open_tree(dataset: OpenedDataset, *, gaps: Gaps = "raise", scaled: bool = True) -> OpenedTree:
    """Open a dataset as a tree.

    Each group is a node, each array a variable of its group under its own name, and so is each
    link that leads to an array. An array's blocks are at most 128 MB decoded, or one inner chunk,
    and never cross a shard. Nothing is read but metadata. Coordinates have no index before
    `HscAccessor.indexed` makes one. A group named ``..`` stands under its store name, for xarray
    takes that name as the parent.

    Parameters
    ----------
    dataset
        The dataset.
    gaps
        What reads as the fill value or not at all: ``raise``, ``fill``, or ``mask``, which puts
        a boolean ``<name>_gap`` beside each array that has gaps.
    scaled
        Whether NeXus's scale factors and offsets are applied to the fields that have some.

    Returns
    -------
    tree
        With the accessor ``.hsc``.
    """
    origin, choices = Origin(dataset, gaps), Choices(gaps, scaled)
    tree = OpenedTree()
    nodes: dict[str, xr.DataTree] = {"/": tree}
    children: dict[str, dict[str, xr.DataTree]] = {}
    for path, node in Nodes(origin.fields, dataset.record.root[-16:], choices):
        if path == "/":
            tree.dataset = node
            continue
        nodes[path] = xr.DataTree(node)
        shown = origin.place(path).rpartition("/")[2]
        children.setdefault(path.rpartition("/")[0] or "/", {})[shown] = nodes[path]
    # From the root on: xarray looks at a whole branch again when it is put into a tree.
    for parent, below in children.items():
        nodes[parent].children = below
    tree.name = f"{dataset.record.pid.ulid}@{dataset.record.version}"
    # Encoding is where xarray keeps what a tree was read from; it is not shown.
    tree.encoding = {ORIGIN: origin}
    tree.__dict__[_WHOLE] = True
    return tree
