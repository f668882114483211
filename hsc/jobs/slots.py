"""Slots: which version of which dataset a state of a run becomes.

A run that grew, by a file that came late, becomes the next version of the dataset that its earlier
state became, if all files of that are in it unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hsc.ingestion import Plan
from hsc.jobs.waiting import Waiting
from hsc.model import Pid
from hsc.store import MANIFEST_KEY, Claim, ObjectStore, read_claim, slot_name


@dataclass(frozen=True, slots=True)
class Place:
    """A version that may be written, and the slot to take for it."""

    pid: Pid
    """The dataset, without a version."""
    version: int
    """Which version of it."""
    location: str
    """Folder of the version below the store."""
    slot: str = ""
    """Its slot; empty: it needs none."""
    held: Claim | None = None
    """The last claim of that slot, which is abandoned; None: the slot was never taken."""


def find_place(objects: ObjectStore, plan: Plan, first: Place, waiting: Waiting) -> Place | None:
    """Find the version that a run's state becomes; None when that had to wait for somebody.

    Parameters
    ----------
    first
        Where it goes as the first version of a dataset of its own.
    waiting
        Waits for who ingests an earlier state of the run.
    """
    if not plan.run_key:
        return first
    mine, before, version = set(plan.files), None, 1
    while True:
        slot = slot_name(plan.run_key, version)
        last = read_claim(objects, slot)
        if last is None or not is_committed(objects, last):
            break
        before, version = last, version + 1
    if last is not None and last.state != "given_up" and not last.abandoned():
        if not set(last.files) <= mine:
            return first
        waiting.wait(last)
        return None
    if before is None:
        return replace(first, slot=slot, held=last)
    if not set(before.files) < mine:  # another run of that name, or one that lost files
        return first
    # A folder whose attempt failed is not used again: a write-once store keeps what is in it.
    turn = "" if last is None else f".{last.turn + 1}"
    parent = before.location.rpartition("/")[0]
    return Place(before.pid, version, f"{parent}/v{version}{turn}", slot, last)


def place_again(objects: ObjectStore, last: Claim) -> Place | None:
    """Give the place of an attempt that is gone on with; None when its slot is somebody else's."""
    held = read_claim(objects, last.slot) if last.slot else None
    if last.slot and (held is None or held.location != last.location or not held.abandoned()):
        return None
    return Place(last.pid, last.version, last.location, last.slot, held)


def version_before(objects: ObjectStore, run_key: str, version: int) -> str:
    """Give the folder of the version before one of a run that grew; empty: there is none."""
    last = read_claim(objects, slot_name(run_key, version - 1)) if version > 1 else None
    return last.location if last is not None and is_committed(objects, last) else ""


def is_committed(objects: ObjectStore, claim: Claim) -> bool:
    """Tell whether the version that a claim names is there."""
    there = objects.size(f"{claim.location}/{MANIFEST_KEY}") is not None
    return claim.state == "open" and there
