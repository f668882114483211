"""Trees: a version as stock zarr opens it, by true names, and attributes by their JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import zarr

LARGE_NBYTES = 64 * 10**6


def open_version(folder: Path) -> zarr.Group:
    """Open a version's tree as ``docs/reference/zarr-mapping.md`` tells strangers to."""
    v = str(folder)
    if not (folder / "references.json").exists():
        return zarr.open_group(f"{v}/data.zarr", mode="r")
    o = {
        "fo": f"{v}/references.json",
        "template_overrides": {"v": v},
        "remote_options": {"asynchronous": True},
    }
    return zarr.open_group("reference://", mode="r", storage_options=o)


class Tree:
    """A version's nodes by true path, read from the consolidated metadata once."""

    def __init__(self, folder: Path) -> None:
        self.nodes: dict[str, Any] = {}
        waiting: list[tuple[str, zarr.Group]] = [("", open_version(folder))]
        while waiting:
            path, group = waiting.pop()
            self.nodes[path or "/"] = group
            for key, node in group.members():
                true = f"{path}/{node.attrs.get('hsc:name', key)}"
                if isinstance(node, zarr.Group):
                    waiting.append((true, node))
                else:
                    self.nodes[true] = node

    def place(self, path: str) -> ArrayPlace | None:
        """Give what stands at a path; None for nothing."""
        return ArrayPlace(self, path) if path in self.nodes else None


class ArrayPlace:
    """A node of a tree."""

    def __init__(self, tree: Tree, path: str) -> None:
        self._tree, self._path = tree, path

    @property
    def attrs(self) -> dict[str, Any]:
        """Attributes, hsc's own notes among them."""
        return dict(self._tree.nodes[self._path].attrs)

    def below(self, name: str) -> ArrayPlace | None:
        """Give the node below under a name."""
        return self._tree.place(f"{self._path}/{name}")

    def node(self) -> Any:
        """Give zarr's own object."""
        return self._tree.nodes[self._path]

    def array(self) -> np.ndarray | None:
        """Read the array; None for a group."""
        node = self.node()
        if isinstance(node, zarr.Group):
            return None
        found = node[...]
        # NumPy's own text would lose nulls at its end.
        values = np.array(found, object) if isinstance(found, str) else np.asarray(found)
        return values.astype(object) if values.dtype.kind in "TU" else values
