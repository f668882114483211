"""Links of groups that are no children of their own: soft, hard, external, user-defined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
from h5py import h5p, h5t

from hsc.hdf5 import encode_name, make_user_link


def link_settings(name: bytes) -> Any:
    """Give HDF5's properties of a link: its name's character set."""
    made = h5p.create(h5p.LINK_CREATE)
    if any(byte >= 0x80 for byte in name):
        made.set_char_encoding(h5t.CSET_UTF8)
    return made


def make_link(
    group: h5py.Group, word: str, link: Mapping[str, str], places: Mapping[str, bytes]
) -> str:
    """Make a link of its record in ``hsc:links``.

    Parameters
    ----------
    word
        Its name, in words.
    places
        Path in the file, in bytes, of each object by its path in words.

    Returns
    -------
    reason
        Why it can't be made; empty when it was.
    """
    name = _exact(link, "name", word)
    settings = link_settings(name)
    links = group.id.links
    try:
        if "soft" in link:
            links.create_soft(name, _exact(link, "soft"), lcpl=settings)
        elif "external" in link:
            file, target = _exact(link, "file"), _exact(link, "external")
            links.create_external(name, file, target, lcpl=settings)
        elif "hard" in link:
            place = places.get(link["hard"])
            if place is None:
                return f"a hard link to {link['hard']}, which is not there"
            h5py.h5o.link(h5py.h5o.open(group.file.id, place), group.id, name, lcpl=settings)
        else:
            data = bytes.fromhex(link.get("hex", ""))
            make_user_link(group, name, int(link["class"]), data)
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        return f"the link can't be made: {error}"
    return ""


def _exact(link: Mapping[str, str], what: str, otherwise: str = "") -> bytes:
    told = link.get(f"{what}_hex")
    return bytes.fromhex(told) if told else encode_name(link.get(what, otherwise))
