"""Normalisation per bin, summed in pixel order, and the same again without a few bad pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from hsc.kernels.azimuthal import BinTable
from hsc.kernels.splitting import ShareTable

Table = BinTable | ShareTable
"""Bins of whole pixels, or shares of split ones."""

_STRIDE = 1024


@dataclass(frozen=True, slots=True)
class PixelOrder:
    """The pixels of each bin, ascending."""

    pixels: NDArray[np.integer[Any]]
    """Flat indices of all pixels that belong to a bin, bin after bin."""
    starts: NDArray[np.int64]
    """Where each bin begins in ``pixels``; one more entry than bins."""
    shares: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    """Share of each of them; empty: all 1."""


@dataclass(frozen=True, slots=True)
class Renormalized:
    """Bins of single frames whose normalisation differs because pixels were left out."""

    frame: NDArray[np.int64]
    """Frame within the batch."""
    bin: NDArray[np.int64]
    """Bin."""
    normalization: NDArray[np.float64]
    """Sum of the normalisations of the pixels that stayed."""
    normalization_squared: NDArray[np.float64]
    """Sum of their squares."""
    count: NDArray[np.float64]
    """Number of pixels that stayed, or the sum of their shares."""


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
    starts = np.concatenate([[0], np.cumsum(table.count)])
    kind: Any = np.int32 if table.labels.size <= np.iinfo(np.int32).max else np.int64
    return PixelOrder(pixels[: starts[-1]].astype(kind), starts.astype(np.int64))


def bin_table_of(order: PixelOrder, pixel_count: int) -> BinTable:
    """Give the bin of each pixel, from the pixels of each bin.

    Examples
    --------
    >>> bin_table_of(PixelOrder(np.array([1, 0, 3]), np.array([0, 1, 3])), 4).labels.tolist()
    [1, 0, 2, 1]
    """
    count = np.diff(order.starts)
    bins = len(count)
    kind: Any = np.uint16 if bins <= np.iinfo(np.uint16).max else np.uint32
    labels = np.full(pixel_count, bins, dtype=kind)
    labels[order.pixels] = np.repeat(np.arange(bins, dtype=kind), count)
    return BinTable(labels, bins, count.astype(np.int64))


def bin_normalization(
    order: PixelOrder, factors: NDArray[np.float32], scale: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sum normalisations of pixels per bin, in float64 and ascending pixel order.

    The normalisation of a pixel is ``scale × factors[0] × factors[1] ...``, multiplied in float32
    from the left, as pyFAI multiplies monitor, flat, polarisation and solid angle.

    Parameters
    ----------
    order
        Pixels of the bins.
    factors
        Factors of each pixel, shape (number of factors, pixels); there may be none.
    scale
        What all pixels are multiplied by: the frame's monitor.

    Returns
    -------
    Sum of normalisations, of their squares, and of the shares, each of shape (bins,).

    Examples
    --------
    >>> order = PixelOrder(np.array([0, 2, 1]), np.array([0, 2, 3]))
    >>> factors = np.array([[1.0, 2.0, 3.0]], dtype=np.float32)
    >>> [sums.tolist() for sums in bin_normalization(order, factors, 2.0)]
    [[8.0, 4.0], [40.0, 16.0], [2.0, 1.0]]
    """
    nothing = np.zeros(0, dtype=np.bool_)
    bins = np.arange(len(order.starts) - 1)
    columns = (order.pixels, order.starts, order.shares)
    sums: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    sums = _resum(columns, factors, np.float32(scale), bins, nothing)
    return sums


def renormalize(
    table: Table,
    order: PixelOrder,
    factors: NDArray[np.float32],
    scales: NDArray[np.float32],
    bad: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> Renormalized:
    """Sum again, without the pixels that were left out, the bins that they belong to.

    Nothing is subtracted: a difference of floating-point sums is not the sum over the rest.

    Parameters
    ----------
    table, order
        Bins of the pixels, and pixels of the bins.
    factors
        As for `bin_normalization`.
    scales
        The same for each frame of the batch.
    bad
        Frame and pixel of what was left out, frames ascending.
    """
    bad_frame, bad_pixel = bad
    nothing = np.empty(0)
    parts = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), nothing, nothing, nothing)]
    left_out = np.zeros(factors.shape[1] if len(bad_frame) else 0, dtype=np.bool_)
    touching = _Touching(table)
    columns = (order.pixels, order.starts, order.shares)
    for frame in np.unique(bad_frame):
        pixels = bad_pixel[slice(*np.searchsorted(bad_frame, [frame, frame + 1]))]
        touched = touching.bins_of(pixels)
        left_out[pixels] = True
        sums = _resum(columns, factors, scales[frame], touched, left_out)
        left_out[pixels] = False
        parts.append((np.full(len(touched), frame, dtype=np.int64), touched, *sums))
    return Renormalized(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _Touching:
    """Which bins some pixels belong to."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @cached_property
    def _coarse(self) -> NDArray[np.int64]:
        """Where each 1024th pixel's entries begin: all of them would be as large as a frame."""
        entries = self._table.entries if isinstance(self._table, ShareTable) else np.empty(0, int)
        whole = np.add.reduceat(entries, np.arange(0, entries.size, _STRIDE), dtype=np.int64)
        return np.concatenate([[0], np.cumsum(whole)])

    def bins_of(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        table = self._table
        if isinstance(table, BinTable):
            return np.unique(table.labels[pixels]).astype(np.int64)
        flags = np.zeros(table.size, dtype=np.bool_)
        _flag(table.entries, table.bins, self._coarse, pixels, flags)
        return np.flatnonzero(flags)


@numba.njit(nogil=True, cache=True)
def _flag(entries, bins, coarse, pixels, flags):  # type: ignore[no-untyped-def]
    for pixel in pixels:
        first = coarse[pixel // _STRIDE]
        for before in range(pixel // _STRIDE * _STRIDE, pixel):
            first += np.int64(entries[before])
        for index in range(first, first + np.int64(entries[pixel])):
            flags[bins[index]] = True


@numba.njit(nogil=True, cache=True)
def _resum(columns, factors, scale, bins, left_out):  # type: ignore[no-untyped-def]
    pixels, starts, shares = columns
    sums, squares = np.zeros(len(bins)), np.zeros(len(bins))
    count = np.zeros(len(bins))
    for place in range(len(bins)):
        total, square, number = 0.0, 0.0, 0.0
        for index in range(starts[bins[place]], starts[bins[place] + 1]):
            pixel = pixels[index]
            if len(left_out) > 0 and left_out[pixel]:
                continue
            norm = scale
            for factor in range(factors.shape[0]):
                norm = np.float32(norm * factors[factor, pixel])
            share = np.float64(shares[index]) if len(shares) > 0 else 1.0
            weight = share * np.float64(norm)
            total += weight
            square += weight * weight
            number += share
        sums[place] = total
        squares[place] = square
        count[place] = number
    return sums, squares, count
