"""A binning worked out for every pixel: built by pyFAI once, kept in memory and on disk."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import (
    BinTable,
    PixelOrder,
    ShareTable,
    bin_normalization,
    bin_table_of,
    share_table,
)
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.shelf import fetch_arrays, keep_arrays

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
        A picture does not fit the frames, or has changed since the work was planned.
    """
    return _tables.get(binning)


def _build(binning: Binning) -> PixelTable:
    arrays = fetch_arrays(binning)
    if arrays is None:
        arrays = _work_out(binning)
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


def _work_out(binning: Binning) -> dict[str, NDArray[Any]]:
    """Let pyFAI decide which pixel goes where, and what it is divided by."""
    bad, factors, dark = _pictures(binning)
    geometry = binning.geometry
    integrator = geometry.integrator()
    low, high = binning.radial_min / binning.scale, binning.radial_max / binning.scale
    azimuth = binning.azimuth
    if azimuth is not None:
        azimuth = integrator.normalize_azimuth_range(azimuth)
    cake = binning.azimuthal_bins > 0
    built = integrator.setup_sparse_integrator(
        geometry.shape,
        (binning.bins, binning.azimuthal_bins) if cake else binning.bins,
        bad.astype(np.int8),
        (low, high),
        azimuth,
        unit=(binning.radial_unit, "chi_deg") if cake else binning.radial_unit,
        split=binning.splitting,
        algo="CSR",
        empty=0.0,
        scale=False,
    )
    shares = np.asarray(built.data)
    used = shares != 0
    starts = np.concatenate([[0], np.cumsum(used)])[built.indptr].astype(np.int64)
    whole = binning.splitting == "no"
    return {
        "pixels": np.asarray(built.indices)[used],
        "starts": starts,
        "shares": np.empty(0, dtype=np.float32) if whole else shares[used],
        "factors": factors,
        "dark": dark,
    }


def _pictures(
    binning: Binning,
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Give bad pixels, factors and dark, in the order in which pyFAI multiplies: flat first."""
    geometry = binning.geometry
    bad = geometry.gaps()
    bad = np.zeros(geometry.shape, dtype=np.bool_) if bad is None else bad.copy()
    for mask in binning.masks:
        bad |= mask.read(geometry.shape)
    factors, dark = [], np.empty(0, dtype=np.float32)
    if binning.flat is not None:
        factors.append(binning.flat.read(geometry.shape).astype(np.float32))
    if binning.polarization_factor is not None:
        given = binning.polarization_factor, binning.polarization_axis_rad
        factors.append(geometry.polarization(*given))
    if binning.solid_angle:
        factors.append(geometry.solid_angle().astype(np.float32))
    for factor in factors:
        bad |= ~np.isfinite(factor) | (factor == 0)
    if binning.dark is not None:
        scaled = binning.dark.read(geometry.shape) * binning.dark_scale
        bad |= ~np.isfinite(scaled)
        dark = scaled.astype(np.float32).reshape(-1)
    if bad.all():
        raise ReductionError(
            "every pixel is masked", next_step="look at the masks, the flat and the dark"
        )
    stacked = np.empty((len(factors), bad.size), dtype=np.float32)
    for place, factor in enumerate(factors):
        stacked[place] = factor.reshape(-1)
    return bad, stacked, dark


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
