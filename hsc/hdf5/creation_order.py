"""Creation order: the order in which a file remembers that links and attributes were made."""

from __future__ import annotations

from typing import Any

import h5py
from h5py import h5, h5a, h5p

from hsc.hdf5.attributes import attribute_keys
from hsc.hdf5.names import decode_name
from hsc.model import plain_text

ORDER_KEY = "hsc:order"


def creation_order(node: Any) -> dict[str, Any]:
    """Give what a group or dataset keeps of creation order; nothing for one that keeps none.

    Returns
    -------
    order
        ``links`` and ``attributes``: ``tracked`` or ``indexed``; ``link_names`` and
        ``attribute_names`` in that order, attributes under their names in JSON.
    """
    if not isinstance(node, h5py.Group | h5py.Dataset):
        return {}
    created = node.id.get_create_plist()
    order: dict[str, Any] = {}
    if isinstance(node, h5py.Group) and (flags := created.get_link_creation_order()):
        found: list[bytes] = []
        node.id.links.iterate(found.append, idx_type=h5.INDEX_CRT_ORDER)
        order["links"] = _kept(flags)
        order["link_names"] = [plain_text(decode_name(name)) for name in found]
    if flags := created.get_attr_creation_order():
        names: list[bytes] = []

        def take(name: bytes, *_: object) -> None:
            names.append(name)

        h5a.iterate(node.id, take, index_type=h5.INDEX_CRT_ORDER)
        order["attributes"] = _kept(flags)
        made = [decode_name(name) for name in names]
        keys = attribute_keys(sorted(made))
        order["attribute_names"] = [keys[name] for name in made]
    return order


def _kept(flags: int) -> str:
    return "indexed" if flags & h5p.CRT_ORDER_INDEXED else "tracked"
