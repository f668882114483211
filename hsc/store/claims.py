"""Claims: one source makes one dataset in a store, whoever ingests it.

A claim is an object ``.claims/<source id>`` that names the dataset; it is created atomically and
never changed, so that of two who start at once one finds the other's. Who goes on where another
died places the next claim of the chain, ``.claims/<source id>.1`` and so on: of two who want to,
one does. The last claim of the chain says who is at it. Who gives up says so by a claim, too.

The versions of a run that grew have slots, ``.claims/run-<digest>-v<n>``, with chains like those of
sources: of two states of a run that are taken in at once each gets a version of its own.

A chain is removed by placing a last claim, ``closing``, then deleting the first one, then the
others from the end. All claims of a chain bear the name of its first attempt, so that what a
removal that died left over is never taken for the end of a new chain.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from hsc.errors import ManifestError, ObjectExistsError, ObjectMissingError
from hsc.model import Pid, canonical_json
from hsc.store.leases import Lease, lease_facts
from hsc.store.objects import ObjectStore

ClaimState = Literal["open", "given_up", "closing"]
"""Being worked on or done; failed, so that nothing of it counts; being removed."""


class Claim(Lease):
    """Who makes which dataset of a source."""

    source_id: str
    """Identity of the source, ``blake3:`` and 64 hexadecimal digits; or the name of a slot."""
    pid: Pid
    """The dataset that is made of it."""
    version: int = 1
    """Which version of it."""
    location: str
    """Folder of that version, below the store."""
    files_state: str
    """BLAKE3 over size, time and inode of the source's files: shards of an earlier attempt count
    only while these are the same."""
    made_with: str = ""
    """Releases that decide on the shards' bytes: those of an earlier attempt count only while these
    are the same, too."""
    turn: int = 0
    """Place in the chain of claims: 0 for the first."""
    chain: str
    """ULID of the chain's first attempt."""
    state: ClaimState = "open"
    """What became of it."""
    slot: str = ""
    """Slot of the version among those of its run; empty for a run that has one state only."""
    files: tuple[str, ...] = ()
    """In a slot: digests of the run's files."""

    @property
    def key(self) -> str:
        """Key of the claim's object."""
        return claim_key(self.source_id, self.turn)


def claim_key(source_id: str, turn: int = 0) -> str:
    """Give the key of a source's claim."""
    key = f".claims/{source_id.removeprefix('blake3:')}"
    return f"{key}.{turn}" if turn else key


def slot_name(run_key: str, version: int) -> str:
    """Give the name of a version's slot among those of its run, as claims have it."""
    return f"run-{run_key.removeprefix('blake3:')[:32]}-v{version}"


def make_claim(
    source_id: str,
    pid: Pid,
    location: str,
    attempt: str,
    files_state: str,
    **facts: Any,
) -> Claim:
    """Word the first claim of a source by this process; ``facts`` are other fields of it."""
    return Claim(
        source_id=source_id,
        pid=pid,
        location=location,
        files_state=files_state,
        chain=attempt,
        **facts,
        **lease_facts(attempt),
    )


def place_claim(objects: ObjectStore, claim: Claim) -> Claim | None:
    """Place the first claim of a source; None when somebody else was faster."""
    return claim if _placed(objects, claim) else None


def take_over(
    objects: ObjectStore,
    dead: Claim,
    attempt: str,
    files_state: str,
    **facts: object,
) -> Claim | None:
    """Go on in place of an abandoned claim; None when somebody else was faster.

    Parameters
    ----------
    facts
        Other fields of the claim that change, as where the dataset goes instead.
    """
    return _follow(objects, dead, attempt, files_state=files_state, state="open", **facts)


def give_up(objects: ObjectStore, last: Claim, attempt: str) -> Claim | None:
    """Say that nothing of a claim's dataset counts; None when somebody else went on with it."""
    return _follow(objects, last, attempt, state="given_up")


def drop_claims(objects: ObjectStore, last: Claim, attempt: str) -> bool:
    """Remove a chain of claims whose dataset never came to be; False when somebody went on."""
    closing = _follow(objects, last, attempt, state="closing")
    if closing is None:
        return False
    for turn in (0, *range(closing.turn, 0, -1)):
        objects.delete(claim_key(last.source_id, turn))
    return True


def read_claim(objects: ObjectStore, source_id: str) -> Claim | None:
    """Read the last claim of a source's chain; None when there is none."""
    last = _read(objects, source_id, 0)
    while last is not None:
        claim = _read(objects, source_id, last.turn + 1)
        if claim is None or claim.chain != last.chain:
            return last
        last = claim
    return None


def claim_keys(objects: ObjectStore, source_id: str) -> tuple[list[str], list[str]]:
    """Give the keys of a source's chain, and of what a removal that died left of an earlier one."""
    last = read_claim(objects, source_id)
    chain = range(0 if last is None else last.turn + 1)
    first = turn = max(1, len(chain))
    while (claim := _read(objects, source_id, turn)) is not None:
        if last is not None and claim.chain == last.chain:  # placed just now
            break
        turn += 1
    return [claim_key(source_id, n) for n in chain], [
        claim_key(source_id, n) for n in range(first, turn)
    ]


def _follow(objects: ObjectStore, last: Claim, attempt: str, **facts: object) -> Claim | None:
    changed = {**facts, **lease_facts(attempt), "turn": last.turn + 1}
    mine = last.model_copy(update=changed)
    if not _placed(objects, mine):
        return None
    first = _read(objects, last.source_id, 0)
    if first is not None and first.chain == last.chain:
        return mine
    objects.delete(mine.key)  # the chain was removed before this was placed
    return None


def _placed(objects: ObjectStore, claim: Claim) -> bool:
    while True:
        try:
            objects.put_new(claim.key, canonical_json(claim.document()))
        except ObjectExistsError:
            there = _read(objects, claim.source_id, claim.turn)
            if there is None:  # removed in between
                continue
            if there == claim:  # our own: the answer to an earlier try was lost
                return True
            if not claim.turn or there.chain == claim.chain:
                return False
            objects.delete(claim.key)  # left by a removal that died
        else:
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
