"""What the child processes of the fuzz do: one takes a file in, the other looks at both sides."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

LOCATION = "local/u/2026/p/x/v1"


def take_in(path: str, store: str) -> dict[str, str] | str:
    """Ingest a file under quarantine; give its gaps, or the class of the error that refused it."""
    from hsc.errors import HscError
    from hsc.ingestion import commit_plan, write_plan
    from hsc.jobs.planning import read_plan
    from hsc.workers import Silent, ThreadWorkers

    try:
        plan = read_plan(Path(path), None, "UTC", "quarantine")
        written = write_plan(
            plan, store, LOCATION,
            workers=ThreadWorkers(1), progress=Silent(), resumed=False, policy="quarantine",
        )  # fmt: skip
        manifest = commit_plan(plan, store, LOCATION, written.entries, written.gaps)
    except HscError as error:
        return type(error).__name__
    return {gap.path: gap.reason for gap in manifest.gaps}


def compare(path: str, folder: str, gaps: dict[str, str]) -> tuple[list[str], int]:
    """Give what differs and is no gap where h5py reads it, and how many arrays are equal."""
    from independent.comparing import compare_file

    warnings.simplefilter("ignore")
    try:
        found = compare_file(Path(path), Path(folder), gaps)
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        return [f"can't be compared: {error}"], 0
    return [line for line in found.wrong if not _settled(path, folder, line)], found.arrays


def _settled(path: str, folder: str, line: str) -> bool:
    """Tell whether a second look at a dataset finds nothing that h5py reads otherwise."""
    import h5py
    import numpy as np
    import zarr

    name, _, what = line.rpartition(": ")
    if what != "other numbers" and not what.endswith("not bytes"):
        return False
    with h5py.File(path, "r", locking=False) as file:
        dataset = file[name]
        if what == "other numbers":
            return _contradicts_itself(dataset)
        # A type with odd bits that h5py takes for a usual one, as hsc does.
        ours = zarr.open_array(f"{folder}/data.zarr{name}", mode="r")[...]
        theirs = np.asarray(dataset[()])
        return np.asarray(ours).tobytes() == theirs.astype(theirs.dtype.newbyteorder("<")).tobytes()


def _contradicts_itself(dataset: Any) -> bool:
    """Tell whether HDF5 lists chunks that it then does not find: its tree of chunks is damaged.

    Whoever reads through it gets the fill value there, and hsc the chunk.
    """
    listed: list[Any] = []
    if dataset.chunks is not None:
        dataset.id.chunk_iter(listed.append)
    try:
        for chunk in listed:
            dataset.id.read_direct_chunk(chunk.chunk_offset)
    except (OSError, RuntimeError):
        return True
    return False
