"""Batches: small objects of many arrays, made by one task and written as one pack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from hsc.ingestion.assets import AssetTask, PlannedAsset, build_asset
from hsc.ingestion.failures import ChunkFailure
from hsc.ingestion.files import SourceFiles
from hsc.ingestion.packing import Packing
from hsc.ingestion.shards import build_shard, make_shard
from hsc.ingestion.tasks import ShardTask
from hsc.store import (
    DATA,
    REFERENCES_KEY,
    SMALL_BYTES,
    ObjectEntry,
    PackBuilder,
    VersionWriter,
    digest_entry,
    open_objects,
    pack_key,
    references,
)
from hsc.workers import at_work

Member = ShardTask | PlannedAsset
"""What makes one object: of an array, or bytes carried as they are."""

# An object that turns out larger than the plan could know (texts) stays one of its own.
_SPILLED_BYTES = 2 * SMALL_BYTES
_MOST_LOOSE_PREVIEWS = 8


@dataclass(frozen=True, slots=True)
class PackTask:
    """One pack to be made."""

    store: str
    """URL of the store; the worker opens it with its own credentials."""
    location: str
    """Folder of the version below the store."""
    number: int
    """Number of the pack."""
    members: tuple[Member, ...]
    """What lies in it."""
    resumed: bool
    """Whether an earlier attempt may have made it."""

    @property
    def nbytes(self) -> int:
        """Decoded bytes: the weight of the task."""
        return sum(member.nbytes for member in self.members)

    @property
    def memory_nbytes(self) -> int:
        """Bytes of memory that making it may take."""
        return 2 * self.nbytes


@dataclass(frozen=True, slots=True)
class MadeObjects:
    """What one task made."""

    entries: tuple[ObjectEntry, ...]
    """What the manifest says of it."""
    failures: tuple[ChunkFailure, ...] = ()
    """Gaps in it, and why they are."""
    copied: int = 0
    """How many of them were copied inside the store."""


@dataclass(frozen=True, slots=True)
class Work:
    """All tasks that make a version's objects, metadata excepted."""

    packs: list[PackTask]
    """Packs of small objects."""
    shards: list[ShardTask]
    """Objects of arrays that lie by themselves."""
    assets: list[AssetTask]
    """Files that lie by themselves."""

    @property
    def tasks(self) -> list[PackTask | ShardTask]:
        """Packs and shards: first what asks most of Python, large shards before small ones."""
        return [*self.packs, *sorted(self.shards, key=lambda shard: -shard.nbytes)]


def batched(
    packing: Packing | None,
    shards: Sequence[ShardTask],
    assets: Sequence[PlannedAsset],
    *,
    store: str,
    location: str,
    resumed: bool,
) -> Work:
    """Put what lies together in one pack into one task.

    Parameters
    ----------
    packing
        Which objects lie in which pack; None: each is one of its own.
    shards, assets
        All objects that are to be made, metadata excepted.
    """
    carried = [AssetTask(store, location, asset, resumed) for asset in assets]
    if packing is None:
        return Work([], list(shards), carried)
    members: dict[str, Member] = {shard.key: shard for shard in shards}
    members |= {asset.key: asset for asset in assets}
    packs = [
        PackTask(store, location, number, tuple(members.pop(key) for key in keys), resumed)
        for number, keys in enumerate(packing.batches, len(packing.documents))
    ]
    return Work(
        packs,
        [shard for shard in shards if shard.key in members],
        [task for task in carried if task.asset.key in members],
    )


def written_keys(
    packing: Packing | None, documents: Iterable[str], work: Work
) -> tuple[list[str], list[str]]:
    """Give the keys that will be written: those that may get a line in the journal, and others.

    Texts of a pack are among them, for what turns out too large for it lies by itself; and one pack
    more, for previews.

    Parameters
    ----------
    documents
        Keys of all metadata.
    """
    shards = [shard.key for shard in work.shards] + [task.asset.key for task in work.assets]
    shards += [pack_key(number) for number in range((packing.count if packing else 0) + 1)]
    if packing is None:
        return shards, list(documents)
    shards += [member.key for pack in work.packs for member in pack.members if _may_spill(member)]
    return shards, [*packing.plain, REFERENCES_KEY]


def _may_spill(member: Member) -> bool:
    return isinstance(member, ShardTask) and member.look.dtype == "string"


def make_objects(task: PackTask | ShardTask) -> MadeObjects:
    """Make and write a pack or a shard; one that an earlier attempt finished is left as it is."""
    if isinstance(task, PackTask):
        return make_pack(task)
    made = make_shard(task)
    return MadeObjects((made.entry,), made.failures, int(made.copied))


def make_pack(task: PackTask) -> MadeObjects:
    """Make and write one pack; one that an earlier attempt finished is left as it is."""
    writer = VersionWriter(open_objects(task.store), task.location)
    if task.resumed:
        finished = writer.finished_pack(pack_key(task.number))
        # The journal does not keep why a chunk is a gap: such a pack is made again.
        # Another release may have packed otherwise: then nothing of it counts.
        wanted = {pack_key(task.number), *(member.key for member in task.members)}
        same = {entry.key for entry in finished} == wanted
        if same and not any(len(entry.chunks.gaps) for entry in finished):
            return MadeObjects(tuple(finished))
    failures: list[ChunkFailure] = []

    def members(files: SourceFiles) -> Iterator[tuple[ObjectEntry, bytes]]:
        for member in task.members:
            if isinstance(member, PlannedAsset):
                yield build_asset(member)
            else:
                built = build_shard(member, files)
                failures.extend(built.made.failures)
                yield built.made.entry, built.data

    with SourceFiles() as files:
        entries = write_pack(writer, task.number, members(files))
    return MadeObjects(tuple(entries), tuple(failures))


def write_pack(
    writer: VersionWriter, number: int, objects: Iterable[tuple[ObjectEntry, bytes]]
) -> list[ObjectEntry]:
    """Write objects of arrays as one pack; one that is too large for it as one of its own.

    Returns
    -------
    entries
        The pack's own, and those of all objects.
    """
    pack, spilled = PackBuilder(number), []
    with at_work():
        for entry, data in objects:
            if len(data) < _SPILLED_BYTES:
                pack.add(entry, data)
            else:
                writer.put(entry, data)
                spilled.append(entry)
        data, packed = pack.finish()
    entries = [*packed, *spilled]
    writer.put_pack(data, entries)
    return entries


def write_tree_metadata(
    writer: VersionWriter,
    packing: Packing | None,
    documents: Mapping[str, bytes],
    others: Sequence[ObjectEntry],
) -> list[ObjectEntry]:
    """Write all ``zarr.json``, each by itself or in packs and then with references to all.

    Parameters
    ----------
    documents
        Key and bytes of each.
    others
        All other objects of the version.
    """
    if packing is None:
        return writer.put_metadata(dict(documents))
    entries = writer.put_metadata({key: documents[key] for key in packing.plain})
    for number, keys in enumerate(packing.documents):
        pack = PackBuilder(number)
        for key in keys:
            # Whatever its size: a root outside of the pack would open without what is in it.
            pack.add(digest_entry(key, documents[key]), documents[key])
        data, packed = pack.finish()
        writer.put_pack(data, packed)
        entries += packed
    told = references([*others, *entries], DATA)
    return [*entries, *writer.put_metadata({REFERENCES_KEY: told})]


def write_previews(
    writer: VersionWriter, previews: Mapping[str, bytes], others: Sequence[ObjectEntry]
) -> list[ObjectEntry]:
    """Write previews, the small ones in a pack of their own when they are many.

    Parameters
    ----------
    previews
        Key and bytes of each.
    others
        All other objects of the version.
    """
    small = {key: data for key, data in previews.items() if len(data) < SMALL_BYTES}
    if len(small) <= _MOST_LOOSE_PREVIEWS:
        return writer.put_metadata(dict(previews))
    entries = writer.put_metadata({key: previews[key] for key in previews.keys() - small.keys()})
    taken = {entry.key for entry in others}
    number = next(n for n in count() if pack_key(n) not in taken)
    made = ((digest_entry(key, data), data) for key, data in small.items())
    return [*entries, *write_pack(writer, number, made)]
