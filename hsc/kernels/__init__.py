"""Numba kernels on frames: pure functions, one thread each, without the interpreter's lock."""

from hsc.kernels.azimuthal import FRAMES_PER_PASS, BinSums, BinTable, bin_table, sum_frames
from hsc.kernels.normalization import (
    PixelOrder,
    Renormalized,
    bin_normalization,
    pixel_order,
    renormalize,
)

__all__ = [
    "FRAMES_PER_PASS",
    "BinSums",
    "BinTable",
    "PixelOrder",
    "Renormalized",
    "bin_normalization",
    "bin_table",
    "pixel_order",
    "renormalize",
    "sum_frames",
]
