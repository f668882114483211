"""Numba kernels on frames: pure functions, one thread each, without the interpreter's lock."""

from hsc.kernels.azimuthal import FRAMES_PER_PASS, BinSums, BinTable, bin_table, sum_frames
from hsc.kernels.cormap import longest_runs, run_probability
from hsc.kernels.corrected import CorrectedSums, Corrections, ErrorModel, sum_corrected
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
from hsc.kernels.moments import mean_of, squares_of, variance_of
from hsc.kernels.normalization import (
    PixelOrder,
    Renormalized,
    bin_normalization,
    bin_table_of,
    pixel_order,
    renormalize,
)
from hsc.kernels.splitting import ShareTable, SplitSums, share_table, sum_split
from hsc.kernels.statistics import (
    FRAME_NUMBERS,
    MOST_FRAMES,
    GoodRange,
    PixelSums,
    add_frames,
    join_pixels,
    pixel_sums,
    sum_regions,
    trim_pixels,
)

__all__ = [
    "FRAMES_PER_PASS",
    "FRAME_NUMBERS",
    "MOST_FRAMES",
    "BinSums",
    "BinTable",
    "CorrectedSums",
    "Corrections",
    "ErrorModel",
    "EventBins",
    "EventCounts",
    "GoodRange",
    "ImageSums",
    "PixelOrder",
    "PixelPaths",
    "PixelSums",
    "PulseFrame",
    "Renormalized",
    "ShareTable",
    "SplitSums",
    "add_block",
    "add_frames",
    "bin_normalization",
    "bin_table",
    "bin_table_of",
    "count_events",
    "event_bins",
    "event_values",
    "image_sums",
    "join_pixels",
    "join_sums",
    "longest_runs",
    "mean_of",
    "no_counts",
    "pixel_order",
    "pixel_sums",
    "renormalize",
    "run_probability",
    "share_table",
    "squares_of",
    "sum_corrected",
    "sum_frames",
    "sum_regions",
    "sum_split",
    "trim_pixels",
    "variance_of",
    "weigh_pixels",
    "weigh_pixels_flat",
]
