"""Telling a catalog what a version in the store says of itself; a whole lost catalog as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hsc.client import Catalog
from hsc.errors import DatasetNotFoundError, HscError, ManifestError
from hsc.jobs.keeping import keep_nouns
from hsc.jobs.logs import walk_log
from hsc.jobs.requests import PathFailure
from hsc.model import Dataset, Pid, Record, Replica, now
from hsc.provenance import Explained, RunningActivity, read_crate
from hsc.store import (
    CRATE_KEY,
    MANIFEST_KEY,
    CheckedVersion,
    ObjectStore,
    find_remains,
    open_objects,
    open_version,
)


def recall(version: CheckedVersion) -> Explained:
    """Give what a committed version says of itself; private, and at the place it has now.

    Raises
    ------
    DamageError
        It says nothing, or not what was written, or tells of another version.
    """
    where = f"{version.objects.url}/{CRATE_KEY}"
    crate = version.read(CRATE_KEY)
    if crate is None:
        raise ManifestError(
            "the version says nothing of itself",
            where=where,
            next_step="ingest its source again, or restore it from a copy of the store",
        )
    told = read_crate(crate, where)
    if told.dataset.root != version.manifest.root:
        raise ManifestError(
            f"the record tells of root {told.dataset.root}, the manifest of "
            f"{version.manifest.root}",
            where=where,
            next_step="restore both from one copy of the store",
        )
    here = {"location": version.objects.url, "visibility": "private"}
    return replace(told, dataset=told.dataset.model_copy(update=here))


def tell_version(
    catalog: Catalog,
    url: str,
    activity: RunningActivity,
    beside: Callable[[Dataset], Dataset] | None = None,
) -> Dataset:
    """Register a committed version as it explains itself, and the activity that found it so.

    Where an earlier attempt died between the last two steps of its commit, its words stand in the
    version: then both activities are told. ``beside`` adds to the record what the catalog is told
    and the version does not say, as its people: what is in a store stays there, and a person may
    ask to be forgotten. Without it the nouns that the record names are kept.
    """
    told = recall(open_version(url))
    if beside is None:
        keep_nouns(catalog, told.dataset)
    else:
        told = replace(told, dataset=beside(told.dataset))
    catalog.register(told.dataset, told.activity, told.edges)
    if told.activity.id == activity.id:
        activity.done(told.activity)
    else:
        catalog.record(activity.done())
    return told.dataset


class Rebuilt(Record):
    """What a catalog was told of a store."""

    store: str
    """URL of the store."""
    catalog: str
    """URL of the catalog."""
    attempts: int = 0
    """How many attempts the store's log has."""
    registered: tuple[str, ...] = ()
    """PIDs with version that the catalog did not have."""
    known: int = 0
    """How many versions it had already."""
    skipped: tuple[PathFailure, ...] = ()
    """Versions that are damaged or were never finished, and why."""


def rebuild(store: str, catalog: Catalog) -> Rebuilt:
    """Tell a catalog of every committed version in a store that it does not have; all private.

    Nothing that it has is changed, so that the same again changes nothing. Of what it has at
    another place it is told the replica.

    Parameters
    ----------
    store
        URL of the store.
    catalog
        The catalog.
    """
    objects = open_objects(store)
    attempts, skipped = walk_log(objects)
    registered: list[str] = []
    known = 0
    for location in dict.fromkeys(attempt.location for attempt in attempts):
        try:
            if objects.size(f"{location}/{MANIFEST_KEY}") is None:
                skipped += _unfinished(objects, location)
                continue
            version = open_version(f"{objects.url}/{location}")
            version.check_present()
            told = recall(version)
            pid = told.dataset.pid.at(told.dataset.version)
            had = _has(catalog, pid)
            keep_nouns(catalog, told.dataset)
            catalog.register(told.dataset, told.activity, told.edges)
            _tell_replica(catalog, told)
        except HscError as error:
            skipped.append(PathFailure(path=location, **error.document()))
        else:
            known += had
            registered += [] if had else [str(pid)]
    return Rebuilt(
        store=store,
        catalog=catalog.url,
        attempts=len(attempts),
        registered=tuple(registered),
        known=known,
        skipped=tuple(skipped),
    )


def _tell_replica(catalog: Catalog, told: Explained) -> None:
    """Register the place of a version where the catalog has it at another one only."""
    pid, here = told.dataset.pid.at(told.dataset.version), told.dataset.location.rstrip("/")
    if here not in {each.location for each in catalog.replicas(pid)}:
        found = Replica(location=here, since=now(), activity=told.activity.id)
        catalog.register_replica(pid, found, told.activity)


def _has(catalog: Catalog, pid: Pid) -> bool:
    try:
        catalog.get(pid)
    except DatasetNotFoundError:
        return False
    return True


def _unfinished(objects: ObjectStore, location: str) -> list[PathFailure]:
    if not find_remains(objects, location):
        return []  # given up, and nothing of it is left
    failure = ManifestError(
        "the version was never finished",
        where=f"{objects.url}/{location}",
        next_step="ingest its source again, or remove it with `hsc gc --remove`",
    )
    return [PathFailure(path=location, **failure.document())]
