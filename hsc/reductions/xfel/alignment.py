"""Pictures of all modules put together by train and pulse, never by row."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions.xfel.modules import Module

FrameOrder = Literal["pulse", "train"]
"""Whether frames are sorted by pulse and then by train, or by train and then by pulse."""

_MOST_KEPT = 4
_NAMED = 10


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Which picture of each module belongs to which frame."""

    train_id: NDArray[np.uint64]
    """(frames,): train of each."""
    pulse_id: NDArray[np.uint64]
    """(frames,): pulse of each."""
    cell_id: NDArray[np.uint16]
    """(frames,): memory cell that held it."""
    rows: NDArray[np.int32]
    """(modules, frames): row of the picture, counted through a module's segments; -1: none."""

    @property
    def digest(self) -> str:
        """BLAKE3 of all of it."""
        parts = (self.train_id, self.pulse_id, self.cell_id, self.rows)
        return blake3(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


@dataclass(frozen=True, slots=True)
class _Pictures:
    """When the pictures of a module were taken; those that are there."""

    train_id: NDArray[np.uint64]
    pulse_id: NDArray[np.uint64]
    cell_id: NDArray[np.uint16]
    rows: NDArray[np.int32]


def align(modules: Sequence[Module], order: FrameOrder) -> Alignment:
    """Put the pictures of modules together by (train, pulse).

    A frame is there as soon as one module has it. Rows of train 0 are padding, and pictures that
    were never written are not there.

    Raises
    ------
    ReductionError
        A module has a pulse twice, modules held one in different cells, or there are no pictures.
    """
    found = [_pictures(module) for module in modules]
    trains = np.unique(np.concatenate([each.train_id for each in found]))
    pulses = np.unique(np.concatenate([each.pulse_id for each in found]))
    if not len(trains):
        raise ReductionError(
            "none of the pictures was written", where=modules[0].segments[0].frames.path
        )
    codes = [
        _codes(np.searchsorted(trains, each.train_id), np.searchsorted(pulses, each.pulse_id),
               len(trains), len(pulses), order)
        for each in found
    ]  # fmt: skip
    frames = np.unique(np.concatenate(codes))
    rows = np.full((len(modules), len(frames)), -1, np.int32)
    cells = np.full(len(frames), -1, np.int64)
    for number, (module, each, code) in enumerate(zip(modules, found, codes, strict=True)):
        place = np.searchsorted(frames, code)
        if len(np.unique(place)) != len(place):
            raise ReductionError(
                f"module {module.name} has several pictures of one pulse",
                where=module.segments[0].train_id.path,
            )
        others = (cells[place] >= 0) & (cells[place] != each.cell_id)
        if others.any():
            raise ReductionError(
                f"module {module.name} held {others.sum()} pulses in other memory cells than the "
                "modules before it",
                where=module.segments[0].cell_id.path,
            )
        cells[place] = each.cell_id
        rows[number, place] = each.rows
    of_train, of_pulse = _decoded(frames, len(trains), len(pulses), order)
    return Alignment(trains[of_train], pulses[of_pulse], cells.astype(np.uint16), rows)


def tell_lacking(modules: Sequence[Module], alignment: Alignment) -> list[str]:
    """Say which trains single modules have no picture of, and how many pictures they lack else."""
    told = []
    every = np.unique(alignment.train_id)
    for number, module in enumerate(modules):
        there = alignment.rows[number] >= 0
        trains = np.setdiff1d(every, alignment.train_id[there])
        if len(trains):
            named = ", ".join(map(str, trains[:_NAMED].tolist()))
            more = f" and {len(trains) - _NAMED} more" if len(trains) > _NAMED else ""
            told.append(f"{module.name} lacks {len(trains)} of {len(every)} trains: {named}{more}")
        others = int((~there).sum() - np.isin(alignment.train_id, trains).sum())
        if others:
            told.append(f"{module.name} lacks {others} pictures of other trains")
    return told


_KEPT: dict[str, Alignment] = {}
_LOCK = threading.Lock()


def keep(alignment: Alignment) -> str:
    """Keep an alignment in this process; give the digest that it is found by."""
    digest = alignment.digest
    with _LOCK:
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[digest] = alignment
    return digest


def recall(digest: str, modules: Sequence[Module], order: FrameOrder) -> Alignment:
    """Give an alignment by its digest; a process that has not got it makes it from the modules.

    Raises
    ------
    ReductionError
        It is not what it was where the work was planned.
    """
    with _LOCK:
        found = _KEPT.get(digest)
    if found is None:
        found = align(modules, order)
        if keep(found) != digest:
            raise ReductionError(
                "trains and pulses are not those that the work was planned with",
                where=modules[0].segments[0].train_id.path,
            )
    return found


def _pictures(module: Module) -> _Pictures:
    train_id, pulse_id, cell_id, there = [], [], [], []
    for segment in module.segments:
        each = segment.pictures_per_row
        trains = np.repeat(np.asarray(segment.train_id.read(), np.uint64).reshape(-1), each)
        train_id.append(trains)
        pulse_id.append(
            np.tile(np.arange(each, dtype=np.uint64), segment.frames.shape[0])
            if segment.pulse_id is None
            else np.asarray(segment.pulse_id.read(), np.uint64).reshape(-1)
        )
        cell_id.append(np.asarray(segment.cell_id.read(), np.uint16).reshape(-1))
        written = trains != 0
        for array in (segment.frames, segment.gain):
            for row in () if array is None else array.unwritten():
                written[row * each : (row + 1) * each] = False
        there.append(written)
    kept = np.concatenate(there)
    return _Pictures(
        np.concatenate(train_id)[kept],
        np.concatenate(pulse_id)[kept],
        np.concatenate(cell_id)[kept],
        np.flatnonzero(kept).astype(np.int32),
    )


def _codes(
    train: NDArray[np.intp],
    pulse: NDArray[np.intp],
    trains: int,
    pulses: int,
    order: FrameOrder,
) -> NDArray[np.int64]:
    code = pulse * trains + train if order == "pulse" else train * pulses + pulse
    return code.astype(np.int64)


def _decoded(
    codes: NDArray[np.int64], trains: int, pulses: int, order: FrameOrder
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if order == "pulse":
        return codes % trains, codes // trains
    return codes // pulses, codes % pulses
