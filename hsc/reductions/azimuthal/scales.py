"""What the normalisation of each frame is multiplied by: its monitor, and one factor for all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.reductions.azimuthal.parameters import IntegrationParameters
from hsc.reductions.base import SourceDataset, array_for

# Normalisations are float32, as pyFAI's: there is nothing below 1e-45, and little beyond 1e38.
_SMALLEST, _LARGEST = 1e-30, 1e30


def frame_scales(
    dataset: SourceDataset, frames: int, parameters: IntegrationParameters
) -> NDArray[np.float32]:
    """Give the scale of each frame, float32, shape (frames,).

    Raises
    ------
    RoleMissingError
        Monitors are asked for, and there are none.
    ReductionError
        They are no positive numbers, one for each frame, or beyond what float32 holds.
    """
    scales = np.full(frames, parameters.normalization_factor)
    where = str(dataset.record.pid)
    if parameters.monitor:
        monitor = array_for(dataset, "monitor", "is what frames are divided by")
        where += f", {monitor.path}"
        scales *= _monitors(monitor.read(), frames, where)
    beyond = np.flatnonzero(~((scales >= _SMALLEST) & (scales <= _LARGEST)))
    if len(beyond):
        raise ReductionError(
            f"frame {beyond[0] + 1} is to be divided by {scales[beyond[0]]:.6g}, its monitor "
            f"times normalization_factor; single precision holds {_SMALLEST} to {_LARGEST}",
            where=where,
            next_step="give a factor that brings it near 1: -p normalization_factor=...",
        )
    return scales.astype(np.float32)


def _monitors(read: NDArray[np.generic], frames: int, where: str) -> NDArray[np.float64]:
    if read.dtype.kind not in "uif":
        raise ReductionError(
            f"monitors of type {read.dtype}; numbers are needed",
            where=where,
            next_step="leave them out: -p monitor=false",
        )
    values = np.asarray(read, dtype=np.float64).reshape(-1)
    if len(values) != frames:
        raise ReductionError(
            f"{len(values)} monitors for {frames} frames",
            where=where,
            next_step="leave them out: -p monitor=false",
        )
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(bad):
        more = f", and {len(bad) - 1} more are none either" if len(bad) > 1 else ""
        raise ReductionError(
            f"the monitor of frame {bad[0] + 1} is {float(values[bad[0]])!r}: nothing can be "
            f"divided by it{more}",
            where=where,
            next_step="leave it out: -p monitor=false",
        )
    return values
