"""Listing the files of a dataset of hsc's as SciCat words them: the objects of its manifest."""

from __future__ import annotations

from typing import Any

from hsc.model import Dataset
from hsc.store import Manifest
from hsc_catalog.faces.scicat.wording import instant


def file_list(record: Dataset, manifest: Manifest) -> dict[str, Any]:
    """Give size, files and digests; an object that is absent because it is empty is no file."""
    time = instant(record.created)
    there = [entry for entry in manifest.entries if any(entry.digest)]
    return {
        "size": sum(entry.nbytes for entry in there),
        "chkAlg": "blake3",
        "dataFileList": [
            {"path": entry.key, "size": entry.nbytes, "time": time, "chk": entry.digest.hex()}
            for entry in there
        ],
    }
