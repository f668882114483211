"""What the child processes of the fuzz do: one takes a file in, the other looks at both sides."""

from __future__ import annotations

import warnings
from pathlib import Path

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
    return found.wrong, found.arrays
