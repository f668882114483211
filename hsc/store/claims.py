"""Claims: one source makes one dataset in a store, whoever ingests it.

A claim is an object ``.claims/<source id>`` that names the dataset; it is created atomically and
never changed, so that of two who start at once one finds the other's. Who goes on where another
died places the next claim of the chain, ``.claims/<source id>.1`` and so on: of two who want to,
one does. The last claim of the chain says who is at it.
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
    files_state: str
    """BLAKE3 over size, time and inode of the source's files: shards of an earlier attempt count
    only while these are the same."""
    turn: int = 0
    """Place in the chain of claims: 0 for the first."""

    @property
    def key(self) -> str:
        """Key of the claim's object."""
        return claim_key(self.source_id, self.turn)

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


def claim_key(source_id: str, turn: int = 0) -> str:
    """Give the key of a source's claim."""
    key = f".claims/{source_id.removeprefix('blake3:')}"
    return f"{key}.{turn}" if turn else key


def make_claim(source_id: str, pid: Pid, location: str, attempt: str, files_state: str) -> Claim:
    """Word the first claim of a source by this process."""
    return Claim(
        source_id=source_id,
        pid=pid,
        location=location,
        attempt=attempt,
        host=platform.node(),
        process=os.getpid(),
        made=now(),
        files_state=files_state,
    )


def take_over(objects: ObjectStore, dead: Claim, attempt: str, files_state: str) -> Claim | None:
    """Go on in place of an abandoned claim; None when somebody else was faster."""
    worded = make_claim(dead.source_id, dead.pid, dead.location, attempt, files_state)
    mine = worded.model_copy(update={"turn": dead.turn + 1})
    return mine if _placed(objects, mine) else None


def drop_claims(objects: ObjectStore, last: Claim) -> None:
    """Remove a chain of claims whose dataset never came to be, the first one first."""
    for turn in range(last.turn + 1):
        objects.delete(claim_key(last.source_id, turn))


def place_claim(objects: ObjectStore, claim: Claim) -> Claim | None:
    """Place the first claim of a source; None when somebody else was faster."""
    return claim if _placed(objects, claim) else None


def read_claim(objects: ObjectStore, source_id: str) -> Claim | None:
    """Read the last claim of a source's chain; None when there is none."""
    last: Claim | None = None
    turn = 0
    while (claim := _read(objects, source_id, turn)) is not None:
        last, turn = claim, turn + 1
    return last


def _placed(objects: ObjectStore, claim: Claim) -> bool:
    try:
        objects.put_new(claim.key, canonical_json(claim.document()))
    except ObjectExistsError:
        return False
    return True


def _read(objects: ObjectStore, source_id: str, turn: int) -> Claim | None:
    key = claim_key(source_id, turn)
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
