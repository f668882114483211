"""The doctor for one store: what it can do, and what that allows."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from hsc.model import Record
from hsc.store import Ability, ObjectStore, Patience, Probe, open_objects, probe_store

_PATIENCE = Patience(total_s=5)  # who asks what is wrong wants to know now
_NEEDED = (Ability.READ, Ability.CREATE, Ability.RACE, Ability.RANGES, Ability.LIST)


class StoreCheck(Record):
    """One thing that was tried out on a store."""

    name: str
    """What it does, or should."""
    able: bool | None
    """Whether it does; None where that can't be told."""
    found: str
    """What was seen."""


class StoreReport(Record):
    """What a store can do."""

    store: str
    """Its URL."""
    ingest: bool
    """Whether an ingest can work there."""
    checks: tuple[StoreCheck, ...]
    """What was tried out."""
    allows: tuple[str, ...]
    """What that allows, in words."""
    next: str = ""
    """What to do where it does not allow to ingest."""


def examine_store(url: str) -> StoreReport:
    """Try out what a store can do; what is written for that is removed again.

    Raises
    ------
    ConfigurationError
        The URL names no store.
    """
    objects, made = open_objects(url, _PATIENCE), _missing_folders(url)
    try:
        probes = probe_store(objects)
    finally:
        _remove_empty(made)
    able = {probe.ability: probe.able for probe in probes}
    ingest = all(able.get(each) for each in _NEEDED) and able.get(Ability.ROOM) is not False
    if ingest and url.startswith("memory:"):
        ingest = False
        probes.append(Probe(Ability.STAY, able=False, found="what lies in memory is forgotten"))
    return StoreReport(
        store=objects.url,
        ingest=ingest,
        checks=tuple(
            StoreCheck(name=each.ability.value, able=each.able, found=each.found) for each in probes
        ),
        allows=tuple(_allows(able, ingest)) + _readable(objects, able),
        next="" if ingest else _advice(probes),
    )


def _allows(able: dict[Ability, bool | None], ingest: bool) -> list[str]:
    if not ingest:
        return ["no ingest"]
    words = [
        "several ingests at once, from any machine that reaches it; of two of the same, one wins"
    ]
    if able.get(Ability.DELETE):
        words.append("clearing what failed attempts leave (`hsc gc --remove`)")
    else:
        words.append("write-once: ingests work, and what failed attempts leave stays")
    if able.get(Ability.COPY):
        words.append("runs that grow: what is known already is copied inside the store")
    if able.get(Ability.CLOCK) is False:
        words.append("times in its log that differ from this machine's: set the clocks")
    return words


def _readable(objects: ObjectStore, able: dict[Ability, bool | None]) -> tuple[str, ...]:
    """Say that a store that can't be written to may be read."""
    if able.get(Ability.READ):
        return ()
    return (f"reading what lies there already, if anything: hsc.open, hsc fetch ({objects.url})",)


def _advice(probes: list[Probe]) -> str:
    needed = (*_NEEDED, Ability.ROOM, Ability.STAY)
    wrong = next((each for each in probes if each.able is False and each.ability in needed), None)
    if wrong is None or wrong.ability is Ability.READ:
        return "check the address, the account's rights and the credentials in the environment"
    if wrong.ability in (Ability.CREATE, Ability.RACE):
        return (
            "take a server that honours If-None-Match on PUT: here one ingest could replace "
            "what another committed"
        )
    if wrong.ability is Ability.STAY:
        return "name a place that stays, as in file:///data/hsc or s3://bucket/prefix"
    if wrong.ability is Ability.ROOM:
        return "make room, or have the quota raised"
    return "use another store, or mend this one"


def _missing_folders(url: str) -> list[Path]:
    """Give the folders that trying out a directory makes, the deepest first."""
    if not url.startswith("file:"):
        return []
    # It brings http and ssl with it, which take a tenth of a second.
    from urllib.request import url2pathname

    root = Path(url2pathname(urlsplit(url).path))
    return [each for each in (root / ".tmp", root, *root.parents) if not each.exists()]


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # somebody put something there, or it was never made
            return
