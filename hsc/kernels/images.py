"""Sums over a stack of images: totals per frame, sum, count and maximum per pixel, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ImageSums:
    """What a stack of images adds up to; of a part of the stack as well as of all of it."""

    frames: NDArray[np.int64]
    """(n,): number of each frame that was added in, ascending."""
    totals: NDArray[Any]
    """(n,): sum of the frame's valid pixels; u8, i8 or f8."""
    sums: NDArray[Any]
    """(y, x): sum over frames; u8, i8 or f8."""
    counts: NDArray[np.uint32]
    """(y, x): how many valid values went into each sum."""
    maxima: NDArray[Any]
    """(y, x): largest valid value, of the stack's type; its lowest value where there is none."""

    def mean(self) -> NDArray[np.float32]:
        """Give the mean image, NaN where no value was valid."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.sums / self.counts, np.float32)


def image_sums(
    frames: NDArray[np.int64], shape: tuple[int, int], dtype: np.dtype[Any]
) -> ImageSums:
    """Make sums with nothing in them.

    Parameters
    ----------
    frames
        (n,): numbers of the frames that will be added in, ascending.
    shape
        Rows and columns of an image.
    dtype
        Type of the pixels: integer or floating.
    """
    wide = _wide(dtype)
    lowest = -np.inf if dtype.kind == "f" else np.iinfo(dtype).min
    return ImageSums(
        frames=frames,
        totals=np.zeros(len(frames), wide),
        sums=np.zeros(shape, wide),
        counts=np.zeros(shape, np.uint32),
        maxima=np.full(shape, lowest, dtype),
    )


def add_block(
    into: ImageSums, block: NDArray[Any], rows: NDArray[np.int64], corner: tuple[int, int]
) -> None:
    """Add a block of images, or of a part of each, in place.

    Detectors mark a pixel that has no value by the largest number of an unsigned type; such
    values, and NaN, are left out.

    Parameters
    ----------
    into
        The sums.
    block
        (m, y', x'): pixels in native byte order.
    rows
        (m,): place of each frame in ``into.frames``.
    corner
        Row and column of the block's first pixel in the image.

    Examples
    --------
    >>> sums = image_sums(np.arange(2), (1, 3), np.dtype("u2"))
    >>> block = np.array([[[1, 2, 65535]], [[4, 5, 6]]], "u2")
    >>> add_block(sums, block, np.arange(2), (0, 0))
    >>> sums.totals.tolist(), sums.mean().tolist(), sums.maxima.tolist()
    ([3, 15], [[2.5, 3.5, 6.0]], [[4, 5, 6]])
    """
    top, left = corner
    bottom, right = top + block.shape[1], left + block.shape[2]
    marked = block.dtype.kind == "u"
    mark = np.iinfo(block.dtype).max if marked else 0
    _add(
        np.ascontiguousarray(block),
        rows,
        marked,
        block.dtype.type(mark),
        into.totals,
        into.sums[top:bottom, left:right],
        into.counts[top:bottom, left:right],
        into.maxima[top:bottom, left:right],
    )


def join_sums(parts: list[ImageSums]) -> ImageSums:
    """Join the sums of parts of a stack; frames that are in several parts are added up.

    Sums of floating-point pixels depend in their last bits on the order of the parts.
    """
    frames, place = np.unique(np.concatenate([part.frames for part in parts]), return_inverse=True)
    totals = np.zeros(len(frames), parts[0].totals.dtype)
    np.add.at(totals, place, np.concatenate([part.totals for part in parts]))
    return ImageSums(
        frames=frames,
        totals=totals,
        sums=np.sum([part.sums for part in parts], axis=0, dtype=parts[0].sums.dtype),
        counts=np.sum([part.counts for part in parts], axis=0, dtype=np.uint32),
        maxima=np.max([part.maxima for part in parts], axis=0),
    )


def _wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype({"u": np.uint64, "i": np.int64, "f": np.float64}[dtype.kind])


@numba.njit(nogil=True, cache=True)
def _add(
    block: Any,
    rows: Any,
    marked: bool,
    mark: Any,
    totals: Any,
    sums: Any,
    counts: Any,
    maxima: Any,
) -> None:
    for number in range(block.shape[0]):
        total = totals[rows[number]]
        for y in range(block.shape[1]):
            for x in range(block.shape[2]):
                value = block[number, y, x]
                # A value that does not equal itself is NaN.
                if value != value or (marked and value == mark):  # noqa: PLR0124
                    continue
                total += value
                sums[y, x] += value
                counts[y, x] += 1
                maxima[y, x] = max(maxima[y, x], value)
        totals[rows[number]] = total
