"""Makings: all that an object is made of, and how, as one digest, told without reading its data.

Objects of equal makings have equal bytes. The reverse need not be: where nothing is known of them,
they are 32 zeros and equal nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.ingestion.assets import AssetTask, PlannedAsset
from hsc.ingestion.known import NO_MAKINGS, Earlier
from hsc.ingestion.source import SourcePiece
from hsc.ingestion.tasks import ChunkLook, ShardTask
from hsc.model import canonical_json
from hsc.provenance import DISTRIBUTION, environment

_TAG = b"hsc.makings/1"
# What else than hsc's own code decides on the bytes that come of a source.
_DECISIVE = (DISTRIBUTION, "h5py", "hdf5plugin", "numcodecs", "numpy")


@cache
def made_with() -> str:
    """Name the releases that decide on the bytes that come of a source."""
    facts = environment()
    named = [f"{name} {facts.packages.get(name, '?')}" for name in _DECISIVE]
    return ", ".join([*named, *([facts.source_commit] if facts.source_commit else [])])


def shard_known(task: ShardTask, marks: Sequence[bytes], earlier: Earlier) -> ShardTask:
    """Give a task that knows its makings, and what the version before has under its key.

    Parameters
    ----------
    marks
        A mark of each of the run's sources (`file_marks`).
    earlier
        The version before.
    """
    makings = shard_makings(task, marks)
    known = earlier.known(task.key, makings, task.count)
    return replace(task, makings=makings, known=known)


def asset_known(task: AssetTask, marks: Sequence[bytes], earlier: Earlier) -> AssetTask:
    """Give a task of what is carried byte for byte likewise."""
    makings = asset_makings(task.asset, marks)
    return replace(task, makings=makings, known=earlier.known(task.asset.key, makings))


def shard_makings(task: ShardTask, marks: Sequence[bytes]) -> bytes:
    """Give the makings of a shard.

    Parameters
    ----------
    marks
        A mark of each of the run's sources (`file_marks`).
    """
    look, columns = task.look, task.columns
    if not marks:  # the run has no other state
        return NO_MAKINGS
    if columns is None:
        used, rows = _pieces_at(task), np.zeros((len(task.numbers), 0), np.int64)
        # A file's mark tells nothing of what it shows of other files.
        if not look.own or any(look.pieces[number].part is not None for number in used):
            return NO_MAKINGS
    else:
        used, rows = _in_order(columns)
    if not used or not all(marks[look.pieces[n].file] for n in used):
        return NO_MAKINGS
    facts = {
        "made_with": made_with(),
        "key": task.key,
        "look": _look_facts(look),
        "indexed": task.indexed,
        "chunks": [task.count, len(task.numbers)],
        "pieces": [_piece_facts(look.pieces[number], marks) for number in used],
    }
    digest = blake3(_TAG + canonical_json(facts))
    # How far each chunk goes: the last ones of an array may be cut.
    chunks, shape = np.array(look.chunks, np.int64), np.array(look.shape, np.int64)
    stops = np.minimum((task.places + 1) * chunks, shape)
    for column in (task.numbers, task.places, stops, rows):
        digest.update(np.ascontiguousarray(column, "<i8").tobytes())
    return digest.digest()


def asset_makings(asset: PlannedAsset, marks: Sequence[bytes]) -> bytes:
    """Give the makings of what is carried byte for byte."""
    if not marks or not marks[asset.source]:
        return NO_MAKINGS
    facts = {
        "key": asset.key,
        "mark": marks[asset.source].hex(),
        "range": [asset.start, asset.stop],
    }
    return blake3(_TAG + canonical_json(facts)).digest()


def _look_facts(look: ChunkLook) -> list[Any]:
    return [
        look.dtype,
        look.itemsize,
        look.chunks,
        look.compressor,
        look.fill_value,
        [[stage.id, stage.values] for stage in look.filters],
        None if look.row is None else look.row.name,
        look.summed,
        look.padded,
        look.big_endian,
        look.source_dtype,
    ]


def _piece_facts(piece: SourcePiece, marks: Sequence[bytes]) -> list[Any]:
    return [marks[piece.file].hex(), piece.dataset.encode("utf-8", "surrogateescape").hex(),
            piece.start, piece.rows]  # fmt: skip


def _in_order(columns: NDArray[np.int64]) -> tuple[list[int], NDArray[np.int64]]:
    """Give the pieces that chunks lie in, and the chunks with those numbered in that order."""
    found, first, which = np.unique(columns[:, 0], return_index=True, return_inverse=True)
    order = np.argsort(first)
    ranks = np.empty(len(found), np.int64)
    ranks[order] = np.arange(len(found))
    return found[order].tolist(), np.column_stack([ranks[which.ravel()], columns[:, 1:]])


def _pieces_at(task: ShardTask) -> list[int]:
    """Give the pieces that hold rows of a task."""
    look = task.look
    if not look.shape or not len(task.places):
        return [0]
    rows = look.chunks[0]
    first, stop = int(task.places[:, 0].min()) * rows, (int(task.places[:, 0].max()) + 1) * rows
    return [
        number
        for number, piece in enumerate(look.pieces)
        if piece.start < stop and first < piece.start + piece.rows
    ]
