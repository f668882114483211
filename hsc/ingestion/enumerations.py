"""Enumerations: names of an array's values for stock readers, as the CF conventions have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ADDED_KEY = "hsc:added"
_NAMES = ("flag_values", "flag_meanings")
_MOST_MEMBERS = 1000


def told_members(facts: Mapping[str, Any], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give attributes that name the values of an enumeration (CF conventions, section 3.5).

    They are no part of the file: ``hsc:added`` lists them. A file's own ones are left alone.

    Parameters
    ----------
    facts
        What ``hsc:hdf5`` says of the array.
    attributes
        Its attributes, as JSON.
    """
    members: Mapping[str, int] = facts.get("enum") or {}
    if not 0 < len(members) <= _MOST_MEMBERS or any(name in attributes for name in _NAMES):
        return {}
    # CF parts the names at blanks.
    words = ("_".join(name.split()) or "_" for name in members)
    told = {"flag_values": list(members.values()), "flag_meanings": " ".join(words)}
    return {**told, ADDED_KEY: list(_NAMES)}
