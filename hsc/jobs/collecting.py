"""Collecting what dead attempts left in a store: found by its log, listed, removed on demand."""

from __future__ import annotations

from ulid import ULID

from hsc.errors import ConfigurationError, HscError
from hsc.jobs.logs import walk_log
from hsc.jobs.requests import PathFailure
from hsc.model import Pid, Record, UtcTime
from hsc.store import (
    MANIFEST_KEY,
    Attempt,
    Claim,
    KeepsStrays,
    ObjectStore,
    abandon_version,
    claim_keys,
    clear_remains,
    drop_claims,
    find_remains,
    give_up,
    holding,
    open_objects,
    read_claim,
)


class Remains(Record):
    """What attempts at one version left."""

    pid: Pid
    """The dataset."""
    version: int
    """Which version of it."""
    kind: str
    """``ingest`` or ``reduce``."""
    location: str
    """Folder of the version below the store."""
    committed: bool
    """Whether the version is there: then only its journal is left over."""
    host: str
    """Machine of the last attempt."""
    process: int
    """Its process there."""
    made: UtcTime
    """When it began."""
    keys: tuple[str, ...]
    """Keys of the objects below the store."""
    bytes: int
    """Their bytes, as far as they are known without reading them."""


class Collection(Record):
    """What was found in a store that nobody needs any more, and whether it was removed."""

    store: str
    """URL of the store."""
    removed: bool
    """Whether all of it was removed."""
    attempts: int = 0
    """How many attempts the store's log has."""
    remains: tuple[Remains, ...] = ()
    """What dead attempts left."""
    strays: tuple[str, ...] = ()
    """Temporary objects of dead writers."""
    running: tuple[Remains, ...] = ()
    """What looks alike and belongs to somebody who is still at it: left alone."""
    skipped: tuple[PathFailure, ...] = ()
    """What could not be looked at, or not be removed, and why."""


def collect(store: str, *, remove: bool = False) -> Collection:
    """Find what failed, killed and abandoned attempts left in a store; remove it on demand.

    Only attempts whose lease has run out count: their process is gone from this machine, or is on
    another one and began more than 12 hours ago. Committed versions are never touched.

    Parameters
    ----------
    store
        URL of the store.
    remove
        Whether to remove what is found.

    Raises
    ------
    ConfigurationError
        The URL is one that a store is only read by.
    """
    if store.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"{store!r} is an address to read by; nothing is written or cleared through it",
            next_step="name the bucket or the folder itself, as HSC_STORE does where it is written",
        )
    objects = open_objects(store)
    remains: list[Remains] = []
    running: list[Remains] = []
    attempts: dict[str, list[Attempt]] = {}
    lines, skipped = walk_log(objects)
    for attempt in lines:
        attempts.setdefault(attempt.location, []).append(attempt)
    for location, tries in attempts.items():
        try:
            found, busy = _examine(objects, tries)
            if found is not None:
                (running if busy else remains).append(found)
                if remove and not busy:
                    _remove(objects, tries, found)
        except HscError as error:
            skipped.append(PathFailure(path=location, **error.document()))
    strays = _strays(objects)
    if remove:
        for key in strays:
            objects.delete(key)
    return Collection(
        store=store,
        removed=remove and not skipped,
        attempts=len(lines),
        remains=tuple(remains),
        strays=tuple(strays),
        running=tuple(running),
        skipped=tuple(skipped),
    )


def _strays(objects: ObjectStore) -> list[str]:
    return [key for key, _ in objects.strays()] if isinstance(objects, KeepsStrays) else []


def _examine(objects: ObjectStore, tries: list[Attempt]) -> tuple[Remains | None, bool]:
    """Give what is left of a version's attempts, and whether somebody is still at it."""
    last = tries[-1]
    committed = objects.size(f"{last.location}/{MANIFEST_KEY}") is not None
    left = find_remains(objects, last.location)
    chains: list[Claim] = []
    claims: list[str] = []
    if not committed:
        chains, claims = _claims(objects, last)
    keys = [key for key, _ in left] + claims
    if not keys:
        return None, False
    given_up = any(claim.state == "given_up" for claim in chains)
    busy = not given_up and any(not each.abandoned() for each in (*tries, *chains))
    found = Remains(
        pid=last.pid,
        version=last.version,
        kind=last.kind,
        location=last.location,
        committed=committed,
        host=last.host,
        process=last.process,
        made=last.made,
        keys=tuple(keys),
        bytes=sum(nbytes for _, nbytes in left),
    )
    return found, busy


def _claims(objects: ObjectStore, last: Attempt) -> tuple[list[Claim], list[str]]:
    """Give the last claims that name an attempt's folder, and the keys of claims to remove."""
    ours: list[Claim] = []
    keys: list[str] = []
    for name in filter(None, (last.source_id, last.slot)):
        claim = read_claim(objects, name)
        chain, torn = claim_keys(objects, name)
        if claim is not None and claim.location == last.location:
            ours.append(claim)
            keys += chain
        keys += torn
    return ours, keys


def _remove(objects: ObjectStore, tries: list[Attempt], found: Remains) -> None:
    last, me = tries[-1], str(ULID())
    if found.committed:
        clear_remains(objects, last.location)
        return
    with holding(me):
        given_up = []
        for claim in _claims(objects, last)[0]:
            # Of us and somebody who goes on with it, one places the next claim.
            after = give_up(objects, claim, me) if claim.state == "open" else claim
            if after is None:
                return
            given_up.append(after)
        if not abandon_version(objects, last.location):
            return
        for claim in given_up:
            drop_claims(objects, claim, me)
        for name in filter(None, (last.source_id, last.slot)):
            for key in reversed(claim_keys(objects, name)[1]):
                objects.delete(key)
