"""Claims: one source makes one dataset in a store, whoever ingests it.

A claim is an object ``.claims/<source id>`` that names the dataset; it is created atomically and
never changed, so that of two who start at once one finds the other's.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from hsc.errors import ManifestError, ObjectExistsError, ObjectMissingError
from hsc.model import Pid, Record, UtcTime, canonical_json, now
from hsc.provenance import alive
from hsc.store.objects import ObjectStore

_LEASE = timedelta(hours=12)
_held: set[str] = set()


class Claim(Record):
    """Who makes which dataset of a source."""

    source_id: str
    """Identity of the source, ``blake3:`` and 64 hexadecimal digits."""
    pid: Pid
    """The dataset that is made of it."""
    location: str
    """Folder of its first version, below the store."""
    attempt: str
    """ULID of the activity that made the claim."""
    host: str
    """Machine that it runs on."""
    process: int
    """Process that it runs in."""
    made: UtcTime
    """When the claim was made."""

    @property
    def key(self) -> str:
        """Key of the claim's object."""
        return claim_key(self.source_id)

    def abandoned(self) -> bool:
        """Tell whether its maker is gone: dead on this machine, or past its lease elsewhere."""
        if self.host != platform.node():
            return now() - self.made > _LEASE
        if self.process == os.getpid():
            return self.attempt not in _held
        return not alive(self.process)


@contextmanager
def holding(attempt: str) -> Iterator[None]:
    """Hold the claims of an attempt of this process for as long as the block runs."""
    _held.add(attempt)
    try:
        yield
    finally:
        _held.discard(attempt)


def claim_key(source_id: str) -> str:
    """Give the key of a source's claim."""
    return f".claims/{source_id.removeprefix('blake3:')}"


def make_claim(source_id: str, pid: Pid, location: str, attempt: str) -> Claim:
    """Word a claim by this process."""
    return Claim(
        source_id=source_id,
        pid=pid,
        location=location,
        attempt=attempt,
        host=platform.node(),
        process=os.getpid(),
        made=now(),
    )


def place_claim(objects: ObjectStore, claim: Claim) -> Claim:
    """Place a claim; give it back, or the one that was there first."""
    try:
        objects.put_new(claim.key, canonical_json(claim.document()))
    except ObjectExistsError:
        standing = read_claim(objects, claim.source_id)
        if standing is None:  # taken back between our two looks: the place is free again
            return place_claim(objects, claim)
        return standing
    return claim


def read_claim(objects: ObjectStore, source_id: str) -> Claim | None:
    """Read a source's claim; None when there is none."""
    key = claim_key(source_id)
    try:
        data = objects.get(key)
    except ObjectMissingError:
        return None
    try:
        return Claim(**json.loads(data))
    except (AttributeError, TypeError, ValueError) as error:
        raise ManifestError(
            "a claim can't be read",
            where=f"{objects.url}/{key}",
            next_step="look who wrote it; remove it only when no dataset was made of it",
        ) from error
