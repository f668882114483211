"""Writing a tree of new arrays, as reductions make them, through the same shards and manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from blake3 import blake3

from hsc.errors import ReductionError
from hsc.ingestion.assets import PART_BYTES, asset_keys
from hsc.ingestion.batches import Work, write_pack, write_tree_metadata, written_keys
from hsc.ingestion.blocks import StreamSpec, stream_spec, write_blocks
from hsc.ingestion.newtree import (
    array_objects,
    array_spec,
    group_specs,
    spec_sizes,
    summary,
    tree_keys,
)
from hsc.ingestion.packing import Packing, arrange_tree
from hsc.model import ArraySummary
from hsc.store import (
    DATA,
    SMALL_BYTES,
    ArraySpec,
    GroupSpec,
    Manifest,
    NewArray,
    NewTree,
    ObjectEntry,
    Stream,
    VersionWriter,
    metadata_objects,
    open_objects,
)
from hsc.workers import Progress, Silent, ThreadWorkers, Workers

Explain = Callable[[Manifest, list[ArraySummary]], bytes]
"""Gives a version's crate, from its manifest and what was written."""

# Of names that were too long, or twins but for their case, the key has only a digest.
_DIGEST = "%-"


@dataclass(frozen=True, slots=True)
class WrittenTree:
    """What writing a tree made."""

    manifest: Manifest
    """The committed manifest."""
    arrays: list[ArraySummary]
    """What was written."""
    results: dict[str, Any] = field(default_factory=dict)
    """What the streams said at their end."""


def write_tree(
    tree: NewTree,
    store: str,
    location: str,
    explain: Explain | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    streams: Sequence[Stream] = (),
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> WrittenTree:
    """Write and commit a tree of arrays as one version.

    Arrays in memory, metadata and files are written here, streamed arrays on the workers that make
    them. Nothing counts before the manifest is there; what was written before is found by the notes
    of the attempt (`abandon_version`).

    Parameters
    ----------
    explain
        Gives the version's crate; None: it gets none.
    files
        What stands below ``files/``, by name.
    streams
        Arrays that are made block by block.
    workers, progress
        Where blocks are made, and who hears how far it is; None: one thread, and nobody.

    Raises
    ------
    ReductionError
        What a stream makes is not what it says, or a file has a name or size that can't be.
    """
    writer = VersionWriter(open_objects(store), location)
    carried = _file_objects(files or {})
    keys = tree_keys(_paths(tree, streams))
    laid = [stream_spec(stream, keys) for stream in streams]
    streamed, more, results = _write_streams(
        laid, writer, store, location, workers or ThreadWorkers(1), progress or Silent()
    )
    tree = replace(tree, arrays=(*tree.arrays, *more))
    written = [spec for each in laid for spec in each.specs]
    keys = _same_keys(tree_keys(_paths(tree, streams)), written)
    arrays = [(array, array_spec(array, keys[array.path])) for array in tree.arrays]
    every = [*(spec for _, spec in arrays), *written]
    entries = _write_rest(
        writer, arrays, carried, group_specs(tree, keys, every), written, streamed
    )
    summaries = [summary(spec) for spec in every]
    manifest = writer.commit(
        entries,
        source_id=None,
        files=(),
        gaps=(),
        explain=None if explain is None else lambda made: explain(made, summaries),
    )
    return WrittenTree(manifest, summaries, results)


def _write_rest(
    writer: VersionWriter,
    arrays: Sequence[tuple[NewArray, ArraySpec]],
    carried: Sequence[tuple[ObjectEntry, bytes]],
    groups: Sequence[GroupSpec],
    written: Sequence[ArraySpec],
    streamed: Sequence[ObjectEntry],
) -> list[ObjectEntry]:
    """Write arrays in memory, files and metadata; give the entries of these and of streams."""
    metadata = metadata_objects(groups, [*(spec for _, spec in arrays), *written])
    documents = {f"{DATA}/{key}": data for key, data in metadata.items()}
    sizes = {spec.key: spec_sizes(array, spec) for array, spec in arrays}
    small = {entry.key: entry.nbytes for entry, _ in carried if entry.nbytes < SMALL_BYTES}
    packing = arrange_tree(documents, sizes, small, large=[spec.key for spec in written])
    shards, others = written_keys(packing, documents, Work([], [], []))
    shards += [key for keys in sizes.values() for key in keys]
    writer.begin([*shards, *(entry.key for entry, _ in carried)], others)
    entries = [*streamed, *_write_objects(arrays, carried, packing, writer)]
    return [*entries, *write_tree_metadata(writer, packing, documents, entries)]


def _paths(tree: NewTree, streams: Sequence[Stream]) -> set[str]:
    paths = {group.path for group in tree.groups} | {array.path for array in tree.arrays}
    return paths | {array.path for stream in streams for array in stream.arrays}


def _same_keys(keys: dict[str, str], written: Sequence[ArraySpec]) -> dict[str, str]:
    """Check that arrays which came last do not take the names of those that are written."""
    moved = [spec.path for spec in written if keys[spec.path] != spec.key]
    if moved:
        raise ReductionError(
            f"what a stream made at its end has names that differ from {', '.join(moved)} only in "
            "case, or stands where that stands"
        )
    return keys


def _write_streams(
    laid: Sequence[StreamSpec],
    writer: VersionWriter,
    store: str,
    location: str,
    workers: Workers,
    progress: Progress,
) -> tuple[list[ObjectEntry], list[NewArray], dict[str, Any]]:
    entries: list[ObjectEntry] = []
    arrays: list[NewArray] = []
    results: dict[str, Any] = {}
    if laid:
        writer.begin([key for each in laid for key in each.keys])
    for each in laid:
        made = write_blocks(each, store, location, workers, progress)
        entries += [entry for block in made for entry in block.entries]
        if each.stream.finish is not None:
            more, said = each.stream.finish([note for block in made for note in block.notes])
            arrays += more
            results |= said
    return entries, arrays, results


def _file_objects(files: Mapping[str, bytes]) -> list[tuple[ObjectEntry, bytes]]:
    plain = [name for name in sorted(files) if {"", ".", ".."}.isdisjoint(name.split("/"))]
    keys = asset_keys(plain)
    for name, data in files.items():
        if name not in keys or _DIGEST in keys[name] or len(data) > PART_BYTES:
            raise ReductionError(
                f"a file named {name!r} of {len(data)} bytes can't stand below files/",
                next_step="a short relative name, not taken in another case, and at most "
                f"{PART_BYTES} bytes",
            )
    # An empty file is an object too, of no bytes: absent means that chunks are empty.
    return [
        (ObjectEntry(keys[name], len(data), blake3(data).digest()), data)
        for name, data in sorted(files.items())
    ]


def _write_objects(
    arrays: Sequence[tuple[NewArray, ArraySpec]],
    carried: Sequence[tuple[ObjectEntry, bytes]],
    packing: Packing | None,
    writer: VersionWriter,
) -> list[ObjectEntry]:
    batches = packing.batches if packing else ()
    packed = {key for keys in batches for key in keys}
    small: dict[str, tuple[ObjectEntry, bytes]] = {}
    entries = []

    def keep(entry: ObjectEntry, data: bytes) -> None:
        if entry.key in packed:
            small[entry.key] = entry, data
        else:
            writer.put(entry, data)
            entries.append(entry)

    for array, spec in arrays:
        for entry, data in array_objects(array.values, spec, (at for at, _ in spec.objects())):
            keep(entry, data)
    for entry, data in carried:
        keep(entry, data)
    for number, keys in enumerate(batches, len(packing.documents) if packing else 0):
        entries += write_pack(writer, number, (small[key] for key in keys))
    return entries
