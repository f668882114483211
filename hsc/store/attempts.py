"""Attempts: the store's own log of who set out to write which version.

Before its first byte every attempt places the object ``.attempts/<n>``, n from 0 without a hole.
So leftovers and committed versions are found by walking the log; a bucket is never listed. The
log is only ever added to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from hsc.errors import ManifestError, ObjectExistsError, ObjectMissingError
from hsc.model import Pid, canonical_json
from hsc.store.leases import Lease, lease_facts
from hsc.store.objects import ObjectStore

_FOLDER = ".attempts"

AttemptKind = Literal["ingest", "reduce", "replicate"]
"""What an attempt is a part of."""


class Attempt(Lease):
    """One attempt to write a version of a dataset."""

    number: int
    """Its place in the log."""
    kind: AttemptKind
    """What it is a part of."""
    source_id: str | None = None
    """Identity of the source; None for derived data."""
    pid: Pid
    """The dataset."""
    version: int
    """Which version of it."""
    location: str
    """Folder of the version below the store."""
    slot: str = ""
    """Slot of the version among those of its run; empty where it has none."""


def place_attempt(
    objects: ObjectStore,
    kind: AttemptKind,
    pid: Pid,
    version: int,
    location: str,
    *,
    activity: str,
    source_id: str | None = None,
    slot: str = "",
) -> Attempt:
    """Add an attempt of this process to the store's log; nothing may be written before."""
    number = _tail(objects)
    while True:
        attempt = Attempt(
            number=number,
            kind=kind,
            source_id=source_id,
            pid=pid,
            version=version,
            location=location,
            slot=slot,
            **lease_facts(activity),
        )
        try:
            objects.put_new(_key(number), canonical_json(attempt.document()))
        except ObjectExistsError:
            if read_attempt(objects, number) != attempt:  # somebody else's, in between
                number += 1
                continue
            # Our own: the answer to an earlier try was lost.
        return attempt


def count_attempts(objects: ObjectStore) -> int:
    """Give how many attempts the store's log has, those among them whose lines were lost."""
    end = _tail(objects)
    while True:
        steps = (*range(1, 9), *(2**power for power in range(4, 17)))
        later = (end + step for step in steps if objects.size(_key(end + step)) is not None)
        found = next(later, None)
        if found is None:
            return end
        end = _tail(objects, found)


def read_attempt(objects: ObjectStore, number: int) -> Attempt | None:
    """Read one line of the store's log; None past its end.

    Raises
    ------
    ManifestError
        The line can't be read.
    """
    key = _key(number)
    try:
        data = objects.get(key)
    except ObjectMissingError:
        return None
    try:
        return Attempt(**json.loads(data))
    except (AttributeError, TypeError, ValueError) as error:
        raise ManifestError(
            "a line of the store's log can't be read",
            where=f"{objects.url}/{key}",
            next_step="look who wrote it; restore it from a copy of the store",
        ) from error


def read_attempts(objects: ObjectStore) -> Iterator[Attempt]:
    """Read the store's log from its beginning.

    Raises
    ------
    ManifestError
        A line can't be read.
    """
    number = 0
    while (attempt := read_attempt(objects, number)) is not None:
        yield attempt
        number += 1


def _tail(objects: ObjectStore, first: int = 0) -> int:
    """Find a free place, the first where no line was lost: by steps that double, then by halves."""

    def taken(number: int) -> bool:
        return objects.size(_key(number)) is not None

    if not taken(first):
        return first
    last, step = first, 1
    while taken(last + step):
        last, step = last + step, step * 2
    free = last + step
    while free - last > 1:
        middle = (last + free) // 2
        last, free = (middle, free) if taken(middle) else (last, middle)
    return free


def _key(number: int) -> str:
    return f"{_FOLDER}/{number}"
