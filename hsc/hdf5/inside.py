"""Looking something up in a file without being led out of it."""

from __future__ import annotations

from typing import Any

import h5py


def inside(group: h5py.Group, path: str) -> Any | None:
    """Give what stands at a path below a group, along hard links only; None when nothing does.

    Soft and external links are not followed: a crafted file could point to another's data with
    them, and what is looked up so ends up in a catalog. Virtual datasets read from elsewhere too.
    """
    node: Any = group
    for name in path.strip("/").split("/"):
        if not isinstance(node, h5py.Group) or name not in node:
            return None
        if not isinstance(node.get(name, getlink=True), h5py.HardLink):
            return None
        node = node[name]
    return None if isinstance(node, h5py.Dataset) and node.is_virtual else node
