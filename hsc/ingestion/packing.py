"""Packing: which small objects of a version lie together in which pack. Arithmetic only.

What is packed hangs on the plan alone, so that each attempt packs alike and `inspect` can tell.
Why it is done so stands in ``docs/decisions/0004-small-objects.md``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.ingestion.plan import Plan
from hsc.ingestion.planned import PlannedArray
from hsc.store import (
    DATA,
    MOST_PACK_BYTES,
    SMALL_BYTES,
    ArraySpec,
    metadata_objects,
    packed_nbytes,
)

MOST_LOOSE = 60
"""So many small objects may each be an object of the store; more are packed."""
MOST_PLAIN_ARRAYS = 32
"""So many arrays with large objects keep a ``zarr.json`` of their own beside them."""

# Bounds of a pack while there are few: a worker's share, and less than a reader keeps whole.
_PACK_BYTES = 24 * 2**20
_PACK_ENTRIES = 2048
# Packs that each of the two bounds may make before it is widened.
_SHARES = 8
# What encoding may add to a chunk: headers and checksum, and per block of 8 KiB.
_CHUNK_BYTES, _BLOCK_BYTES, _PER_BLOCK_BYTES = 64, 8192, 8
_INDEX_BYTES = 16


@dataclass(frozen=True, slots=True)
class Packing:
    """Which small objects lie in which pack; the packs are numbered from 0."""

    documents: tuple[tuple[str, ...], ...]
    """Keys of the metadata objects in each of the first packs."""
    batches: tuple[tuple[str, ...], ...]
    """Keys of the other objects in each of the packs after those."""
    plain: tuple[str, ...]
    """Keys of the metadata objects that stay objects of their own."""

    @property
    def count(self) -> int:
        """How many packs there are."""
        return len(self.documents) + len(self.batches)


def arrange(
    documents: Mapping[str, int], small: Mapping[str, int], large: Collection[str]
) -> Packing | None:
    """Arrange small objects in packs; None when they are so few that each is its own object.

    Parameters
    ----------
    documents
        Key and bytes of each ``zarr.json``, in the order of packing.
    small
        Key and bytes, at most, of each other small object, in the order of packing.
    large
        Keys of those documents whose arrays have objects that are not small.
    """
    if len(documents) + len(small) <= MOST_LOOSE:
        return None
    plain = tuple(key for key in documents if key in large)
    if len(plain) > MOST_PLAIN_ARRAYS:
        plain = ()
    packed = {key: nbytes for key, nbytes in documents.items() if key not in set(plain)}
    return Packing(
        documents=tuple(_filled(packed, MOST_PACK_BYTES, len(packed))),
        batches=tuple(_batches(small)),
        plain=plain,
    )


def plan_documents(plan: Plan) -> dict[str, bytes]:
    """Give key and bytes of every ``zarr.json`` of a plan."""
    texts = metadata_objects(plan.groups, [planned.spec for planned in plan.arrays])
    return {f"{DATA}/{key}": text for key, text in texts.items()}


def plan_packing(plan: Plan, documents: Mapping[str, bytes]) -> Packing | None:
    """Arrange the small objects of a plan.

    Parameters
    ----------
    documents
        All its metadata (`plan_documents`).
    """
    sizes = {planned.spec.key: planned_sizes(planned) for planned in plan.arrays}
    assets = {asset.key: asset.nbytes for asset in plan.assets if asset.nbytes < SMALL_BYTES}
    return arrange_tree(documents, sizes, assets)


def arrange_tree(
    documents: Mapping[str, bytes],
    sizes: Mapping[str, Mapping[str, int]],
    files: Mapping[str, int] | None = None,
    large: Collection[str] = (),
) -> Packing | None:
    """Arrange the small objects of a tree: of an array all are small, or none counts as small.

    Parameters
    ----------
    documents
        Key and bytes of every ``zarr.json``.
    sizes
        For each array's key, keys and bytes of its objects (`object_sizes`).
    files
        Key and bytes of small files that are carried as they are.
    large
        Keys of further arrays, whose objects are written already and count as large.
    """
    small: dict[str, int] = {}
    plain = {f"{DATA}/{array}/zarr.json" for array in large}
    for array, objects in sizes.items():
        if max(objects.values(), default=0) < SMALL_BYTES:
            small |= objects
        else:
            plain.add(f"{DATA}/{array}/zarr.json")
    small |= files or {}
    return arrange({key: len(text) for key, text in documents.items()}, small, plain)


def planned_sizes(planned: PlannedArray) -> dict[str, int]:
    """Give key and bytes, at most, of each object that a planned array will have.

    Of texts of any length the bytes are not known before they are read; theirs are a guess.
    """
    carried = planned.carried_nbytes
    return object_sizes(planned.spec, planned.itemsize, planned.places, carried)


def object_sizes(
    spec: ArraySpec,
    itemsize: int,
    places: NDArray[np.int64],
    stored: NDArray[np.int64] | None,
) -> dict[str, int]:
    """Give key below the version and bytes, at most, of each object of an array.

    Parameters
    ----------
    itemsize
        Bytes of an element.
    places
        (n, dimensions): places of the inner chunks that will be there.
    stored
        (n,): bytes of each as it was stored at the source; None when encoded anew.
    """
    count = len(places)
    if not count:
        return {}
    decoded = math.prod(spec.chunks) * itemsize
    extra = _CHUNK_BYTES + _PER_BLOCK_BYTES * -(-decoded // _BLOCK_BYTES)
    index = _INDEX_BYTES * math.prod(spec.chunks_per_shard) + 4 if spec.sharded else 0
    if count == 1:
        place = [int(a) // n for a, n in zip(places[0], spec.chunks_per_shard, strict=True)]
        nbytes = decoded if stored is None else int(stored[0])
        return {f"{DATA}/{spec.object_key(place)}": nbytes + extra + index}
    numbers, which = np.unique(spec.shard_numbers(places), return_inverse=True)
    chunks = np.full(count, decoded) if stored is None else stored
    sums = np.bincount(which.ravel(), chunks + extra).astype(np.int64) + index
    shards = np.column_stack(np.unravel_index(numbers, spec.grid))
    return {
        f"{DATA}/{spec.object_key(place)}": nbytes
        for place, nbytes in zip(shards.tolist(), sums.tolist(), strict=True)
    }


def _batches(small: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    total = sum(packed_nbytes(key, nbytes) for key, nbytes in small.items())
    most = min(MOST_PACK_BYTES, max(_PACK_BYTES, -(-total // _SHARES)))
    return _filled(small, most, max(_PACK_ENTRIES, -(-len(small) // _SHARES)))


def _filled(sizes: Mapping[str, int], nbytes: int, entries: int) -> Iterator[tuple[str, ...]]:
    """Fill packs one after the other, in order, up to so many bytes and entries each."""
    keys: list[str] = []
    filled = 0
    for key, size in sizes.items():
        takes = packed_nbytes(key, size)
        if keys and (filled + takes > nbytes or len(keys) == entries):
            yield tuple(keys)
            keys, filled = [], 0
        keys.append(key)
        filled += takes
    if keys:
        yield tuple(keys)
