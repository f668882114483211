"""Normalisation per bin, summed in pixel order, and the same again without a few bad pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.kernels.azimuthal import BinSums, BinTable


@dataclass(frozen=True, slots=True)
class PixelOrder:
    """The pixels of each bin, ascending."""

    pixels: NDArray[np.int64]
    """Flat indices of all pixels that belong to a bin, bin after bin."""
    starts: NDArray[np.int64]
    """Where each bin begins in ``pixels``; one more entry than bins."""


@dataclass(frozen=True, slots=True)
class Renormalized:
    """Bins of single frames whose normalisation differs because pixels were left out."""

    frame: NDArray[np.int64]
    """Frame within the batch."""
    bin: NDArray[np.int64]
    """Bin."""
    normalization: NDArray[np.float64]
    """Sum of the normalisations of the pixels that stayed."""
    count: NDArray[np.int64]
    """Number of pixels that stayed."""


def pixel_order(table: BinTable) -> PixelOrder:
    """List the pixels of each bin.

    Examples
    --------
    >>> from hsc.kernels.azimuthal import bin_table
    >>> order = pixel_order(bin_table(np.array([1, 0, -1, 1]), bins=2))
    >>> order.pixels.tolist(), order.starts.tolist()
    ([1, 0, 3], [0, 1, 3])
    """
    pixels = np.argsort(table.labels, kind="stable")
    outside = table.labels.size - int(table.count.sum())
    starts = np.concatenate([[0], np.cumsum(table.count)])
    return PixelOrder(pixels[outside:].astype(np.int64), starts.astype(np.int64))


def bin_normalization(
    table: BinTable, order: PixelOrder, weights: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Sum float32 normalisations of pixels per bin, in float64 and ascending pixel order.

    Parameters
    ----------
    table, order
        Bins of the pixels.
    weights
        Normalisation of each pixel, flat.
    """
    bins = np.arange(table.bins)
    nothing = np.zeros(table.labels.size, dtype=np.bool_)
    sums: NDArray[np.float64]
    sums, _ = _resum(order.pixels, order.starts, weights.reshape(-1), bins, nothing)
    return sums


def renormalize(
    table: BinTable, order: PixelOrder, weights: NDArray[np.float32], sums: BinSums
) -> Renormalized:
    """Sum again, without the pixels that were left out, the bins that they belong to.

    Nothing is subtracted: a difference of floating-point sums is not the sum over the rest.
    """
    left_out = np.zeros(table.labels.size, dtype=np.bool_)
    flat = weights.reshape(-1)
    frames: list[NDArray[np.int64]] = []
    bins: list[NDArray[np.int64]] = []
    norms: list[NDArray[np.float64]] = []
    counts: list[NDArray[np.int64]] = []
    for frame in np.unique(sums.bad_frame):
        pixels = sums.bad_pixel[slice(*np.searchsorted(sums.bad_frame, [frame, frame + 1]))]
        touched = np.unique(table.labels[pixels]).astype(np.int64)
        left_out[pixels] = True
        norm, count = _resum(order.pixels, order.starts, flat, touched, left_out)
        left_out[pixels] = False
        frames.append(np.full(len(touched), frame, dtype=np.int64))
        bins.append(touched)
        norms.append(norm)
        counts.append(count)
    if not frames:
        nothing = np.empty(0, dtype=np.int64)
        return Renormalized(nothing, nothing, np.empty(0), nothing)
    return Renormalized(
        np.concatenate(frames), np.concatenate(bins), np.concatenate(norms), np.concatenate(counts)
    )


@numba.njit(nogil=True, cache=True)
def _resum(pixels, starts, weights, bins, left_out):  # type: ignore[no-untyped-def]
    sums = np.zeros(len(bins), dtype=np.float64)
    count = np.zeros(len(bins), dtype=np.int64)
    for place in range(len(bins)):
        total = 0.0
        for index in range(starts[bins[place]], starts[bins[place] + 1]):
            pixel = pixels[index]
            if not left_out[pixel]:
                total += np.float64(weights[pixel])
                count[place] += 1
        sums[place] = total
    return sums, count
