"""Order of creation: kept in a file that is made where the source kept it (``hsc:order``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
from h5py import h5p

from hsc.exporting.links import link_settings
from hsc.hdf5 import encode_name

_ORDER = "hsc:order"
_FLAGS = {
    "tracked": h5p.CRT_ORDER_TRACKED,
    "indexed": h5p.CRT_ORDER_TRACKED | h5p.CRT_ORDER_INDEXED,
}
_MOVING = b".hsc-moving"


def keep_order(properties: Any, attributes: Mapping[str, Any]) -> Any:
    """Have a group or dataset that will be made keep the order of creation as its source did.

    Parameters
    ----------
    properties
        Those that it will be made with (``h5py.h5p``); they are changed, and given back.
    attributes
        Its attributes, as JSON.
    """
    order: Mapping[str, Any] = attributes.get(_ORDER, {})
    if "attributes" in order:
        properties.set_attr_creation_order(_FLAGS[order["attributes"]])
    if "links" in order:
        properties.set_link_creation_order(_FLAGS[order["links"]])
    return properties


def attribute_order(attributes: Mapping[str, Any]) -> list[str]:
    """Give the names of attributes in the order in which they were made, else sorted."""
    order: Mapping[str, Any] = attributes.get(_ORDER, {})
    places = {name: place for place, name in enumerate(order.get("attribute_names", ()))}
    return sorted(attributes, key=lambda name: (places.get(name, len(places)), name))


def order_links(
    group: h5py.Group, attributes: Mapping[str, Any], names: Mapping[str, bytes]
) -> None:
    """Put the links of a group into the order in which they were made.

    They are moved away and back, one after the other: HDF5 counts a moved link as a new one.

    Parameters
    ----------
    attributes
        The group's attributes, as JSON.
    names
        Names of its links that are no UTF-8, by their words.

    Raises
    ------
    OSError, RuntimeError, KeyError
        HDF5 can't move one, as links of a user's class.
    """
    order: Mapping[str, Any] = attributes.get(_ORDER, {})
    links = group.id.links
    for word in order.get("link_names", ()):
        name = names.get(word, encode_name(word))
        if not links.exists(name):
            continue
        away = name + _MOVING
        links.move(name, group.id, away, lcpl=link_settings(away))
        links.move(away, group.id, name, lcpl=link_settings(name))
