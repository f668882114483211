"""Where a dataset lies: the replica to read first, those to fall back to, and their stores."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hsc import settings
from hsc.client import Catalog, Delivers, connect
from hsc.errors import ArchivedError, ElsewhereError, LocationRefusedError, MissingShardError
from hsc.jobs.rebuilding import recall
from hsc.model import Dataset, Pid, Replica, ReplicaState
from hsc.store import MANIFEST_KEY, admit_location, checksum_lines, open_version

_LOG = logging.getLogger(__name__)
# {facility}/{instrument}/{year}/{proposal}/<ULID>/v<n>: what hsc.jobs.placing.version_folder makes.
_FOLDER_PARTS = 6
# What is damaged may still have the bytes that are asked for; each of them is checked.
_ORDER = (ReplicaState.ONLINE, ReplicaState.DAMAGED)


@dataclass(frozen=True, slots=True)
class Located:
    """A dataset, and where its version can be read."""

    record: Dataset
    """Its record, at the place to read first."""
    others: tuple[str, ...] = ()
    """URLs of the version's folders to fall back to."""

    @property
    def locations(self) -> tuple[str, ...]:
        """All of them, the first first."""
        return (self.record.location.rstrip("/"), *self.others)


def locate(catalog: Catalog, pid: Pid) -> Located:
    """Find where a dataset can be read: online replicas in their order, then damaged ones.

    Raises
    ------
    DatasetNotFoundError
        There is no such dataset.
    ElsewhereError
        Another catalog has its data.
    ArchivedError
        All that is left of it lies in an archive.
    MissingShardError
        The catalog knows that none is left.
    LocationRefusedError
        The catalog names nothing but what it may not name.
    """
    record = catalog.get(pid)
    check_here(record)
    replicas = catalog.replicas(record.pid.at(record.version))
    found = [each.location for state in _ORDER for each in replicas if each.state is state]
    if not found:
        raise unreadable(record, replicas)
    first, *others = readable_places(catalog, record, found)
    if first != record.location.rstrip("/"):
        if replicas[0].state is not ReplicaState.ONLINE:
            state = replicas[0].state.value
            _LOG.warning("%s: the first replica is %s; reading %s", record.pid, state, first)
        record = record.model_copy(update={"location": first})
    return Located(record, tuple(others))


def check_here(record: Dataset) -> None:
    """Pass where a dataset lies in a store of hsc's.

    Raises
    ------
    ElsewhereError
        Its origin says that another catalog has it.
    """
    if record.origin is not None and not record.location:
        raise ElsewhereError(
            f"{record.pid} lies with {record.origin.catalog} as {record.origin.pid}: this catalog "
            "has its record alone",
            where=record.origin.folder or record.origin.catalog,
            next_step="fetch its files from there and `hsc ingest` them",
        )


def readable_places(catalog: Catalog, record: Dataset, locations: Sequence[str]) -> list[str]:
    """Give where a version can be read of the places that a catalog names; at least one.

    Where the catalog's server delivers: first what lies in the store of one's own (``HSC_STORE``),
    then what it delivers, then the others that the catalog may name. Else in the order given.

    Raises
    ------
    LocationRefusedError
        The catalog names nothing but what it may not name.
    """
    own, given = [each for each in locations if _in_own_store(each)], None
    if not isinstance(catalog, Delivers):
        own = []
    elif not own:
        given = catalog.delivery(record.pid.at(record.version))
    delivered = [] if given is None else [given]
    others, refused = [], []
    for location in locations:
        if location in own:
            continue
        try:
            others.append(admit_location(location, catalog.url))
        except LocationRefusedError as error:
            refused.append(error)
    places = [*own, *delivered, *others]
    if not places:
        raise refused[0]
    for each in refused:
        _LOG.log(logging.DEBUG if delivered else logging.WARNING, "not read, others are: %s", each)
    return places


def _in_own_store(location: str) -> bool:
    """Tell whether a location lies in the store that this program writes to."""
    inside = location.startswith(f"{settings.store_url().rstrip('/')}/")
    return inside and not {"..", "."} & set(location.split("/")) and "%2e" not in location.lower()


def locate_folder(url: str) -> Located:
    """Find a version by the URL of its folder, as it explains itself, without a catalog.

    Raises
    ------
    DamageError
        It says nothing of itself, or what it says is damaged.
    """
    return Located(recall(open_version(url.rstrip("/"))).dataset)


def locate_named(name: str | Pid) -> Located:
    """Find a dataset by its PID in the catalog, or by a folder that its version lies in.

    Parameters
    ----------
    name
        A PID, the URL of a version's folder, or the path of one (`hsc.jobs.fetch` makes such).

    Raises
    ------
    InvalidPidError, DatasetNotFoundError, ArchivedError, DamageError
        As `locate` and `locate_folder`.
    """
    folder = folder_url(name) if isinstance(name, str) else None
    if folder is not None:
        return locate_folder(folder)
    with connect(create=False) as catalog:
        return locate(catalog, Pid.parse(name))


def folder_url(text: str) -> str | None:
    """Give the URL of a version's folder where one was named in place of a PID; None for a PID."""
    if "://" in text:
        return text
    folder = Path(text).expanduser()
    return folder.absolute().as_uri() if (folder / MANIFEST_KEY).is_file() else None


def read_checksums(located: Located) -> str:
    """Give a version's digests as text that ``b3sum --check`` reads, in any copy of its folder.

    Raises
    ------
    ManifestError
        The manifest is gone or damaged, in all replicas.
    """
    first, *others = located.locations
    version = open_version(first, others=others, root=located.record.root)
    return checksum_lines(version.manifest, version.objects.get(MANIFEST_KEY)).decode()


def split_location(location: str) -> tuple[str, str] | None:
    """Give a store's URL and the folder of a version below it; None where there is no room for one.

    Examples
    --------
    >>> split_location("s3://bucket/a/maxiv/cosaxs/2026/20260123/01ARZ3NDEKTSV4RRFFQ69G5FAV/v1")
    ('s3://bucket/a', 'maxiv/cosaxs/2026/20260123/01ARZ3NDEKTSV4RRFFQ69G5FAV/v1')
    """
    parts = location.rstrip("/").split("/")
    folder = "/".join(parts[-_FOLDER_PARTS:])
    store = "/".join(parts[:-_FOLDER_PARTS])
    return (store, folder) if "://" in store or store.endswith(":/") else None


def unreadable(record: Dataset, replicas: Sequence[Replica]) -> ArchivedError | MissingShardError:
    """Word that none of a version's replicas can be read."""
    name = f"{record.pid}@{record.version}"
    archived = [each.location for each in replicas if each.state is ReplicaState.ARCHIVED]
    if archived:
        return ArchivedError(
            f"{name} lies in an archive and can't be read before it is brought back",
            where=archived[0],
            next_step=f"ask the operators of the store to bring {archived[0]} back, with the PID; "
            f"`hsc verify {name}` then finds it online",
        )
    return MissingShardError(
        f"no replica of {name} is left",
        where=record.location,
        next_step="ingest its source again; `hsc lineage` tells which files it was made of",
    )
