"""What an ingest would do, told beforehand: ways, shards, objects, bytes and seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hsc.ingestion.packing import Packing, plan_documents, plan_packing
from hsc.ingestion.plan import Plan
from hsc.ingestion.planned import PlannedArray
from hsc.model import Way
from hsc.store import CRATE_KEY, MANIFEST_KEY, REFERENCES_KEY
from hsc.transcode import Row

_CRC_BYTES, _INDEX_BYTES = 4, 16
_BLOCK_BYTES = 8192
# Rates of one 2.5 GHz core, seen when hsc was made: orders of magnitude, not promises.
_REWRAP_BYTES_PER_S = 500e6
_RECODE_BYTES_PER_S = 100e6
_CARRY_BYTES_PER_S = 500e6
_OBJECTS_PER_S = 300
_ARRAYS_PER_S = 1000
_START_S = 0.5


@dataclass(frozen=True, slots=True)
class ArrayForecast:
    """What would become of one array."""

    planned: PlannedArray
    """The array."""
    objects: int
    """Shards and single chunks that would be written."""
    nbytes: int
    """Bytes that they would have: exact within 5 % when chunks travel undecoded, else a guess."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would become of a run."""

    arrays: tuple[ArrayForecast, ...]
    """All arrays."""
    objects: int
    """Objects in all: shards, files, metadata, crate and manifest, or the packs of the small."""
    nbytes: int
    """Bytes in all."""
    seconds: float
    """A rough time with the given workers."""


def forecast(plan: Plan, workers: int) -> Forecast:
    """Tell what a plan would do."""
    arrays = tuple(_array(planned) for planned in plan.arrays)
    documents = plan_documents(plan)
    work = sum(_seconds(each) for each in arrays)
    shards = sum(each.objects for each in arrays)
    carried = sum(asset.nbytes for asset in plan.assets)
    work += carried / _CARRY_BYTES_PER_S
    packing = plan_packing(plan, documents)
    objects = _objects(shards + len(plan.assets), len(documents), packing)
    metadata = sum(map(len, documents.values()))
    return Forecast(
        arrays=arrays,
        objects=objects,
        nbytes=sum(each.nbytes for each in arrays) + carried + metadata,
        seconds=_START_S + work / workers + objects / _OBJECTS_PER_S + len(arrays) / _ARRAYS_PER_S,
    )


def _objects(shards: int, documents: int, packing: Packing | None) -> int:
    """Count the objects of a version."""
    own = len((MANIFEST_KEY, CRATE_KEY))
    if packing is None:
        return shards + documents + own
    packed = sum(map(len, packing.batches))
    own += len((REFERENCES_KEY,))
    return shards - packed + len(packing.plain) + packing.count + own


def _array(planned: PlannedArray) -> ArrayForecast:
    spec = planned.spec
    per_shard = spec.chunks_per_shard
    shards = len(np.unique(spec.shard_numbers(planned.places)))
    chunks = len(planned.places)
    overhead = chunks * _CRC_BYTES
    if spec.sharded:
        overhead += shards * (math.prod(per_shard) * _INDEX_BYTES + _CRC_BYTES)
    return ArrayForecast(planned, shards, _payload(planned) + overhead)


def _payload(planned: PlannedArray) -> int:
    nbytes = math.prod(planned.spec.chunks) * planned.itemsize
    decoded = len(planned.places) * nbytes
    carried = planned.carried_nbytes
    if carried is None:
        stored = sum(piece.dataset.index.stored_nbytes for piece in planned.source.pieces)
        return min(decoded, stored) if stored else decoded
    # A rewrapped chunk: 12 bytes of header go, 16 and 4 for each block come.
    each = 4 + 4 * -(-nbytes // _block_nbytes(planned)) if planned.spec.way is Way.REWRAP else 0
    each -= 4 if planned.travel.summed else 0
    return int(carried.sum()) + each * len(carried)


def _block_nbytes(planned: PlannedArray) -> int:
    """Give the bytes of a compressed block, as the writer of a rewrapped array was told."""
    values = planned.source.pieces[0].dataset.filters[0].values
    whole = math.prod(planned.spec.chunks) * planned.itemsize
    if planned.travel.row is Row.LZ4:
        told = values[0] if values else 0
        return max(1, min(told or whole, whole))
    return max(1, min(values[3] * planned.itemsize or _BLOCK_BYTES, whole))


def _seconds(array: ArrayForecast) -> float:
    if array.planned.carried_nbytes is not None:
        return array.nbytes / _REWRAP_BYTES_PER_S
    spec = array.planned.spec
    decoded = len(array.planned.places) * math.prod(spec.chunks) * array.planned.itemsize
    return decoded / _RECODE_BYTES_PER_S
