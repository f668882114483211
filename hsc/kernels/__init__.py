"""Numba kernels on frames: pure functions, one thread each, without the interpreter's lock."""

from hsc.kernels.azimuthal import FRAMES_PER_PASS, BinSums, BinTable, bin_table, sum_frames
from hsc.kernels.cormap import longest_runs, run_probability
from hsc.kernels.events import (
    EventBins,
    EventCounts,
    PixelPaths,
    PulseFrame,
    count_events,
    event_bins,
    event_values,
    no_counts,
    weigh_pixels,
    weigh_pixels_flat,
)
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
    "EventBins",
    "EventCounts",
    "ImageSums",
    "PixelOrder",
    "PixelPaths",
    "PulseFrame",
    "Renormalized",
    "add_block",
    "bin_normalization",
    "bin_table",
    "count_events",
    "event_bins",
    "event_values",
    "image_sums",
    "join_sums",
    "longest_runs",
    "no_counts",
    "pixel_order",
    "renormalize",
    "run_probability",
    "sum_frames",
    "weigh_pixels",
    "weigh_pixels_flat",
]
