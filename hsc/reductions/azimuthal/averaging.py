"""Darks and flats of one frame or several: their mean, without what detectors mark as bad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions.base import SourceArray

_FRAMES_AT_ONCE = 4
# A flat of bytes may well reach 255; detectors mark bad pixels in 16 or 32 bits.
_MARKING_BYTES = 2


def mean_picture(array: SourceArray, name: str) -> NDArray[np.float64]:
    """Give the mean of a picture's frames, or the only one, shape (rows, columns).

    Whole numbers are added exactly and divided once, others in float64 in order of frames. The
    largest number of an unsigned type, negative whole numbers, and what is not finite are no
    values; a pixel without any is NaN.

    Raises
    ------
    ReductionError
        It is no picture of numbers and no stack of them.
    """
    whole = array.dtype.kind in "ui"
    if len(array.shape) not in {2, 3} or 0 in array.shape or array.dtype.kind not in "uif":
        raise ReductionError(
            f"a {name} of shape {array.shape} and type {array.dtype}",
            where=array.path,
            next_step=f"give a {name} of one picture of numbers, or of several frames of them",
        )
    shape = array.shape[-2:]
    total = np.zeros(shape, dtype=np.int64 if whole else np.float64)
    used = np.zeros(shape, dtype=np.int32)
    for frame in _frames(array):
        good = _good(frame)
        total[good] += frame[good].astype(total.dtype)
        used += good
    with np.errstate(invalid="ignore"):  # 0 / 0: no value at all
        return np.asarray(total / used, dtype=np.float64)


def frames_of(array: SourceArray) -> int:
    """Give how many frames a picture is the mean of."""
    return array.shape[0] if len(array.shape) == 3 else 1


def _frames(array: SourceArray) -> Iterator[NDArray[Any]]:
    if len(array.shape) == 2:
        yield np.asarray(array.read())
        return
    for batch in array.batches(rows=_FRAMES_AT_ONCE):
        yield from batch


def _good(frame: NDArray[Any]) -> NDArray[np.bool_]:
    if frame.dtype.kind == "f":
        return np.asarray(np.isfinite(frame))
    if frame.dtype.kind == "i":
        return np.asarray(frame >= 0)
    if frame.dtype.itemsize < _MARKING_BYTES:
        return np.ones(frame.shape, dtype=np.bool_)
    return np.asarray(frame != np.iinfo(frame.dtype).max)
