"""Blocks of corrected frames, made on workers: read, corrected, handed on to be written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import (
    NO_PHOTONS,
    CorrectedFrame,
    CorrectionRule,
    PixelFlag,
    correct_frame,
    count_photons,
    spread_of,
)
from hsc.reductions import nexus
from hsc.reductions.xfel.alignment import Alignment, FrameOrder, recall
from hsc.reductions.xfel.constants import ModuleConstants
from hsc.reductions.xfel.kept import KeptCells
from hsc.reductions.xfel.modules import Module
from hsc.reductions.xfel.pictures import read_pictures
from hsc.store import NewArray, Stream, StreamedArray

DATA = "/entry/data"
"""The NXdata of the corrected frames."""
FRAMES = "/entry/frames"
"""What is known of single frames."""

NO_GAIN = 255
"""Where there is no picture there is no stage either."""

_LACKING = {"values": np.nan, "gain": NO_GAIN, "mask": PixelFlag.NO_FRAME, "sigma": np.nan}

# Frames follow each other by pulse, and so by cell: beside one of all modules few are asked for.
_KEPT_BYTES = 64 * 10**6
# What is made at once is still in the processor's cache when it is encoded.
_PART_BYTES = 4 * 10**6
# Planes of 32 bits that are read of a cell: offset, gain, thresholds, bad pixels, noise.
_PLANES = 14

_STACK = ("frame", "module", "row", "column")


@dataclass(frozen=True, slots=True)
class Correction:
    """Makes corrected frames: on a worker, which reads pictures and constants by itself."""

    modules: tuple[Module, ...]
    """The detector."""
    constants: tuple[ModuleConstants, ...]
    """Of each module."""
    rule: CorrectionRule
    """What is done."""
    photons: bool
    """Whether values are rounded to photons."""
    sigma: bool
    """Whether the spread of each value is made."""
    bits: bool
    """Whether two bits tell the gain, and values are in keV."""
    order: FrameOrder
    """How frames are sorted."""
    alignment: str
    """Digest of which picture belongs to which frame."""
    kept: KeptCells = field(compare=False, repr=False)
    """Constants of the cells that were asked for last."""

    @property
    def unit(self) -> str:
        """Unit of corrected values."""
        return "keV" if self.bits else "adu"

    def __call__(self, start: int, stop: int) -> tuple[Mapping[str, NDArray[Any]], Any]:
        """Make frames [start, stop), with a note of pixels by stage and sums."""
        table = recall(self.alignment, self.modules, self.order)
        shape = (stop - start, len(self.modules), *self.modules[0].shape)
        made: dict[str, NDArray[Any]] = {
            "values": np.empty(shape, np.float32),
            "gain": np.empty(shape, np.uint8),
            "mask": np.empty(shape, np.uint32),
        }
        if self.sigma:
            made["sigma"] = np.empty(shape, np.float32)
        pixels, totals = np.zeros((*shape[:2], 4), np.int32), np.zeros(shape[:2])
        for number in range(len(self.modules)):
            for lacking in np.flatnonzero(table.rows[number, start:stop] < 0):
                for name, array in made.items():
                    array[lacking, number] = _LACKING[name]
            for place, frame in self._corrected(table, number, start, stop, made):
                pixels[place, number], totals[place, number] = frame.pixels, frame.total
        arrays = {f"{DATA}/gain": made["gain"], f"{DATA}/mask": made["mask"]}
        if self.sigma:
            arrays[f"{DATA}/data_errors"] = made["sigma"]
        arrays[f"{DATA}/data"] = made["values"]
        if self.photons:
            # Frame by frame: what comes up on the way is no larger than one.
            counts = arrays[f"{DATA}/data"] = np.empty(shape, np.uint16)
            for place, values in enumerate(made["values"]):
                counts[place] = count_photons(values, self.rule.photon_adu)
            if self.sigma:
                made["sigma"] /= np.float32(self.rule.photon_adu)
        return arrays, (pixels, totals)

    def _corrected(
        self, table: Alignment, number: int, start: int, stop: int, made: dict[str, NDArray[Any]]
    ) -> Iterator[tuple[int, CorrectedFrame]]:
        """Correct the pictures of a module."""
        constants = self.constants[number]
        numbers = table.rows[number, start:stop]
        for place, words in read_pictures(self.modules[number], numbers, bits=self.bits):
            cell = 0 if constants.of_any_cell else int(table.cell_id[start + place])
            known = self.kept.constants(
                (number, cell), partial(constants.read, cell, noise=self.sigma)
            )
            into = (
                made["values"][place, number],
                made["gain"][place, number],
                made["mask"][place, number],
            )
            frame = correct_frame(*words, known, self.rule, into)
            if self.sigma:
                made["sigma"][place, number] = spread_of(frame, known, self.rule.photon_adu)
            yield place, frame


def keep_cells(modules: Sequence[Module]) -> KeptCells:
    """Give room for the constants of one memory cell of all modules, and of a few others."""
    pixels = sum(math.prod(module.shape) for module in modules)
    return KeptCells(4 * _PLANES * pixels + _KEPT_BYTES)


def correction_stream(correction: Correction, frames: int) -> Stream:
    """Give the stream of corrected frames."""
    shape = (frames, len(correction.modules), *correction.modules[0].shape)
    chunks = (1, 1, *shape[2:])

    def array(name: str, dtype: str, fill: float, **attributes: Any) -> StreamedArray:
        path = f"{DATA}/{name}"
        return StreamedArray(path, shape, np.dtype(dtype), _STACK, attributes, chunks, fill)

    unit = "photons" if correction.photons else correction.unit
    arrays = [
        array("data", "uint16", NO_PHOTONS, units=unit)
        if correction.photons
        else array("data", "float32", np.nan, units=unit),
        array("gain", "uint8", NO_GAIN, long_name="stage that was in use; 255: no picture"),
        array("mask", "uint32", 0, long_name="bits of European XFEL's BadPixels; 29: no picture"),
    ]
    if correction.sigma:
        arrays.append(array("data_errors", "float32", np.nan, units=unit))
    row_nbytes = sum(math.prod(shape[1:]) * each.dtype.itemsize for each in arrays)
    return Stream(
        "correct",
        tuple(arrays),
        correction,
        partial(_finish, correction.unit),
        rows_per_part=max(1, _PART_BYTES // row_nbytes),
    )


def _finish(unit: str, notes: Sequence[Any]) -> tuple[list[NewArray], dict[str, Any]]:
    """Join what was noted of parts, in the order of their frames."""
    pixels = np.concatenate([each for each, _ in notes])
    totals = np.concatenate([each for _, each in notes])
    axes = ("frame", "module")
    arrays = [
        nexus.array(f"{FRAMES}/stage_pixels", pixels[..., :3], (*axes, "stage"), "pixels"),
        nexus.array(f"{FRAMES}/bad_pixels", pixels[..., 3], axes, "pixels"),
        nexus.array(
            f"{FRAMES}/total", totals, axes, unit, long_name="sum of the good values of a module"
        ),
    ]
    stages = pixels.sum(axis=(0, 1), dtype=np.int64).tolist()
    return arrays, {
        "pixels_high_gain": stages[0],
        "pixels_medium_gain": stages[1],
        "pixels_low_gain": stages[2],
        "pixels_bad": stages[3],
    }
