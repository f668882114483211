"""Building a table with pyFAI: here where it is small, else in a process of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions.azimuthal.binning import Binning
from hsc.reductions.azimuthal.outside import below_range, placed_integrator
from hsc.reductions.azimuthal.slab import slab_arrays
from hsc.reductions.pyfai import DONE_HERE_PIXELS, work_out


@dataclass(frozen=True, slots=True)
class Pictures:
    """What calibrations say of the pixels; read where the stores can be reached."""

    bad: NDArray[np.bool_]
    """Pixels that do not count, shape (rows, columns)."""
    flat: NDArray[np.float32] | None
    """How much each counts."""
    dark: NDArray[np.float32]
    """What is subtracted from each, flat; empty: nothing."""


def build_arrays(
    binning: Binning, built_here_pixels: int = DONE_HERE_PIXELS
) -> dict[str, NDArray[Any]]:
    """Let pyFAI decide which pixel goes where, and what it is divided by.

    The same bytes come out of this process and of a child.

    Parameters
    ----------
    binning
        What decides it.
    built_here_pixels
        Frames of more pixels are left to a child process, which frees pyFAI's memory as it ends.

    Raises
    ------
    ReductionError
        A picture does not fit the frames, or has changed; every pixel is masked; the child ended
        before it was done.
    """
    pictures = _read_pictures(binning)
    # References to stores stay here, and what may be secret in them.
    plain = replace(binning, masks=(), flat=None, dark=None)
    pixels = math.prod(binning.geometry.shape)
    return work_out(_work_out, plain, pictures, pixels=pixels, here_pixels=built_here_pixels,
                    subject=f"table {binning.key()[:16]}",
                    doing=f"working out which of {pixels} pixels goes where")  # fmt: skip


def _work_out(binning: Binning, pictures: Pictures) -> dict[str, NDArray[Any]]:
    bad, factors = _factors(binning, pictures)
    geometry = binning.geometry
    if binning.along_component:
        table = slab_arrays(binning, bad)
        if not len(table["pixels"]):
            raise _nothing_left(binning)
        return {**table, "factors": factors, "dark": pictures.dark}
    integrator, azimuth = placed_integrator(binning)
    bad |= below_range(binning, integrator, azimuth)
    if bad.all():
        raise _nothing_left(binning)
    low, high = binning.radial_min / binning.scale, binning.radial_max / binning.scale
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
    if not used.any():
        raise _nothing_left(binning)
    starts = np.concatenate([[0], np.cumsum(used)])[built.indptr].astype(np.int64)
    whole = binning.splitting == "no"
    return {
        "pixels": np.asarray(built.indices)[used],
        "starts": starts,
        "shares": np.empty(0, dtype=np.float32) if whole else shares[used],
        "factors": factors,
        "dark": pictures.dark,
    }


def _nothing_left(binning: Binning) -> ReductionError:
    ranges = f"{binning.radial_min!r} to {binning.radial_max!r} ({binning.radial_unit})"
    if binning.azimuth is not None:
        ranges += " and {!r} to {!r} degrees of the azimuth".format(*binning.azimuth)
    if binning.slab is not None:
        ranges += " and {!r} to {!r} across".format(*binning.slab)
    return ReductionError(
        f"no pixel that counts is within {ranges}",
        next_step="give a range that the detector sees, or look at the masks",
    )


def _read_pictures(binning: Binning) -> Pictures:
    shape = binning.geometry.shape
    bad = np.zeros(shape, dtype=np.bool_)
    flat, dark = None, np.empty(0, dtype=np.float32)
    for mask in binning.masks:
        bad |= mask.read(shape)
    if binning.flat is not None:
        flat = _single(binning.flat.read(shape))
        bad |= ~(flat > 0)  # below zero: a mark, or a mean of noise; nothing can be divided by it
    if binning.dark is not None:
        dark = _single(binning.dark.read(shape) * binning.dark_scale).reshape(-1)
        bad |= ~np.isfinite(dark).reshape(shape)
    return Pictures(bad, flat, dark)


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # infinite, and so no value
        return values.astype(np.float32)


def _factors(binning: Binning, pictures: Pictures) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Give bad pixels, and factors in the order in which pyFAI multiplies: flat first."""
    geometry = binning.geometry
    gaps = geometry.gaps()
    bad = pictures.bad.copy() if gaps is None else pictures.bad | gaps
    factors = [] if pictures.flat is None else [pictures.flat]
    if binning.polarization_factor is not None:
        given = binning.polarization_factor, binning.polarization_axis_rad
        factors.append(geometry.polarization(*given))
    if binning.solid_angle:
        factors.append(geometry.solid_angle().astype(np.float32))
    for factor in factors:
        bad |= ~np.isfinite(factor) | (factor == 0)
    if bad.all():
        raise ReductionError(
            "every pixel is masked", next_step="look at the masks, the flat and the dark"
        )
    stacked = np.empty((len(factors), bad.size), dtype=np.float32)
    for place, factor in enumerate(factors):
        stacked[place] = factor.reshape(-1)
    return bad, stacked
