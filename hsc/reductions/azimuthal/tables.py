"""A binning worked out for every pixel: built by pyFAI once, kept in memory and on disk."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import (
    BinTable,
    PixelOrder,
    ShareTable,
    bin_normalization,
    bin_table_of,
    share_table,
)
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.building import build_arrays
from hsc.reductions.azimuthal.shelf import fetch_arrays, is_kept, keep_arrays

Norms = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Sums of normalisations, of their squares, and of shares, each of shape (bins,)."""


@dataclass(frozen=True, slots=True)
class PixelTable:
    """A binning worked out for every pixel."""

    table: BinTable | ShareTable
    """Bin of each whole pixel, or shares of split ones."""
    order: PixelOrder
    """Pixels of each bin."""
    factors: NDArray[np.float32]
    """Factors of each pixel's normalisation, shape (factors, pixels): flat, polarisation, solid
    angle, as far as they are asked for; float32 as pyFAI has them."""
    dark: NDArray[np.float32]
    """What is subtracted from each pixel, flat; empty: nothing."""
    norms: Norms
    """Normalisation of a frame whose monitor is 1."""

    def shares(self) -> ShareTable:
        """Give the shares of the pixels, also of whole ones."""
        if isinstance(self.table, ShareTable):
            return self.table
        whole = np.ones(len(self.order.pixels), dtype=np.float32)
        return share_table(whole, self.order.pixels, self.order.starts, self.table.labels.size)


def pixel_table(binning: Binning) -> PixelTable:
    """Give the table of a binning, built at most once while it is among the last few used.

    Safe to call from many threads; the others wait for the one that builds. Another process of
    the same ``HSC_HOME`` reads what the first has built.

    Raises
    ------
    ReductionError
        A picture does not fit the frames, or has changed since the work was planned; or the
        process that built the table ended before it was done.
    """
    return _tables.get(binning)


def prepare_table(binning: Binning) -> None:
    """See to it that processes of the same ``HSC_HOME`` find the table on disk.

    Raises
    ------
    ReductionError
        As `pixel_table`.
    """
    if not is_kept(binning):
        keep_arrays(binning, build_arrays(binning))


def _build(binning: Binning) -> PixelTable:
    arrays = fetch_arrays(binning)
    if arrays is None:
        arrays = build_arrays(binning)
        keep_arrays(binning, arrays)
    order = PixelOrder(arrays["pixels"], arrays["starts"], arrays["shares"])
    factors = arrays["factors"]
    pixel_count = math.prod(binning.geometry.shape)
    table: BinTable | ShareTable
    if binning.splitting == "no":
        table = bin_table_of(order, pixel_count)
    else:
        table = share_table(order.shares, order.pixels, order.starts, pixel_count)
    return PixelTable(table, order, factors, arrays["dark"], bin_normalization(order, factors))


class _Tables:
    """The last few tables of this process."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Future[PixelTable]] = OrderedDict()

    def get(self, binning: Binning) -> PixelTable:
        key = binning.key()
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
            self._kept.move_to_end(key)
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
        if mine:
            try:
                future.set_result(_build(binning))
            except BaseException as error:
                with self._lock:
                    self._kept.pop(key, None)
                future.set_exception(error)
        return future.result()


# 30 to 200 MB each for a detector of 4 megapixels; sample and buffer may differ in geometry.
_tables = _Tables(room=2)
