"""References: where each key of a packed tree lies, as stock fsspec and zarr understand it.

The format is fsspec's "reference" file system, version 1 (``fsspec.readthedocs.io``, "References
specification"). URLs are below the template ``v``, the version's folder, which whoever opens it
gives: so a version may be copied elsewhere whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hsc.model import canonical_json
from hsc.store.manifest import ObjectEntry, pack_key

REFERENCES_KEY = "references.json"


def references(entries: Sequence[ObjectEntry], folder: str) -> bytes:
    """Give the references of a version's tree.

    Parameters
    ----------
    entries
        All objects of the version.
    folder
        The tree's folder in the version.
    """
    below = f"{folder}/"
    told = {
        entry.key.removeprefix(below): _target(entry)
        for entry in entries
        if entry.key.startswith(below) and not entry.absent
    }
    # fsspec words templates by str.format: a brace of a key needs one of its own.
    return canonical_json({"version": 1, "templates": {"o": "{", "c": "}"}, "refs": told})


def _target(entry: ObjectEntry) -> list[Any]:
    if entry.packed:
        return [f"{{{{v}}}}/{pack_key(entry.pack)}", entry.pack_offset, entry.nbytes]
    parts = ("{{o}}" if c == "{" else "{{c}}" if c == "}" else c for c in entry.key)
    return [f"{{{{v}}}}/{''.join(parts)}"]
