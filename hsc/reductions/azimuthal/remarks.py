"""What a person should look at after an integration, in sentences."""

from __future__ import annotations

from hsc.reductions.azimuthal.stack import Stack
from hsc.reductions.azimuthal.sums import FrameSums

# Flats that were brought to a mean of 1 are within this factor of it.
_ABOUT_ONE = 2.0


def remarks_of(stack: Stack, empty_frames: int) -> list[str]:
    """Tell of a doubtful geometry, of frames without a pixel, and of a flat that sets the scale.

    Parameters
    ----------
    stack
        The frames.
    empty_frames
        In how many of them no pixel counts.
    """
    return [*stack.doubts, *_nothing_left(stack, empty_frames), *_scaled_by_flat(stack)]


def empty_frames(sums: FrameSums) -> int:
    """Count the frames in which no pixel counts."""
    return int((sums.count.max(axis=1) == 0).sum())


def _nothing_left(stack: Stack, empty: int) -> list[str]:
    if not empty:
        return []
    good, frames = stack.good, stack.frames
    limits = f", which are from {good.lowest:g} to {good.highest:g}"
    return [
        f"no pixel counts in {empty} of {frames.shape[0]} frames, whose intensity is NaN: all are "
        f"outside the good counts{'' if frames.dtype.kind == 'f' else limits} or no numbers; look "
        "at the frames, lowest_counts and saturation_counts"
    ]


def _scaled_by_flat(stack: Stack) -> list[str]:
    flat = stack.binning.flat
    if flat is None or 1 / _ABOUT_ONE <= flat.median <= _ABOUT_ONE or not flat.median > 0:
        return []
    return [
        f"the flat is about {flat.median:.6g}, not 1, and intensities are divided by it as it is; "
        f"-p normalization_factor={1 / flat.median:.6g} undoes that"
    ]
