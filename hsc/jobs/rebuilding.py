"""Telling a catalog what a version in the store says of itself; a whole lost catalog as well."""

from __future__ import annotations

from dataclasses import replace

from hsc.client import Catalog
from hsc.errors import ManifestError
from hsc.model import Dataset
from hsc.provenance import Explained, RunningActivity, read_crate
from hsc.store import CRATE_KEY, CheckedVersion, open_version


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


def tell_version(catalog: Catalog, url: str, activity: RunningActivity) -> Dataset:
    """Register a committed version as it explains itself, and the activity that found it so.

    Where an earlier attempt died between the last two steps of its commit, its words stand in the
    version: then both activities are told.
    """
    told = recall(open_version(url))
    catalog.register(told.dataset, told.activity, told.edges)
    if told.activity.id == activity.id:
        activity.done(told.activity)
    else:
        catalog.record(activity.done())
    return told.dataset
