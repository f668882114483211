"""Numba kernels on frames: pure functions, one thread each, without the interpreter's lock."""

from hsc.kernels.azimuthal import FRAMES_PER_PASS, BinSums, BinTable, bin_table, sum_frames
from hsc.kernels.images import ImageSums, add_block, image_sums, join_sums
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
    "ImageSums",
    "PixelOrder",
    "Renormalized",
    "add_block",
    "bin_normalization",
    "bin_table",
    "image_sums",
    "join_sums",
    "pixel_order",
    "renormalize",
    "sum_frames",
]
