"""Azimuthal integration in memory: signal and variance of frames per bin, against pyFAI."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import ShareTable, sum_frames, sum_split
from hsc.reading import open_dataset
from hsc.reductions import find_reduction, pixel_table, stack_of
from hsc_benchmarks.reductions.comparing import Row, compare
from hsc_benchmarks.reductions.stacks import Stack, make_stack

_BINS, _FRAMES, _BATCH = 1000, 8, 8
_PYFAI = "pyFAI, CSR cython"
# What our sums shall gain on pyFAI's sparse engine of the same splitting.
_WANTED = {"no": 25.0, "bbox": 8.0, "full": 8.0}


def measure_azimuthal(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time signal and variance of 4-Mpx frames in 1000 bins, on one thread each."""
    # pyFAI's loops take as many threads as OpenMP gives when they are loaded.
    os.environ["OMP_NUM_THREADS"] = "1"
    logging.getLogger("silx.opencl").setLevel(logging.ERROR)
    rows: list[Row] = []
    for dtype in ("u2", "u4"):
        with make_stack(folder, say, frames=_FRAMES, dtype=dtype, mean_counts=5.0) as stack:
            frames = np.asarray(stack.opened().read())
            for splitting, wanted in _WANTED.items():
                what = f"signal and variance, splitting {splitting}, 4 Mpx {dtype}, per frame"
                arms = _arms(stack, frames, splitting)
                rows += compare(
                    what, arms, units=_FRAMES, wanted={_PYFAI: wanted}, rounds=rounds, say=say
                )
    return rows


def _arms(stack: Stack, frames: NDArray[Any], splitting: str) -> dict[str, Callable[[], list[Any]]]:
    """Give our way and pyFAI's, with the tables of the same geometry, mask and bins."""
    # pyFAI is imported here, for the environment has to be set before.
    from pyFAI.containers import ErrorModel

    asked = find_reduction("azimuthal").parse({"bins": _BINS, "splitting": splitting})
    found = stack_of(open_dataset(stack.record), asked)
    binning, table = found.binning, pixel_table(found.binning).table
    bounds = {"lowest": int(found.good.lowest), "highest": int(found.good.highest)}
    integrator = binning.geometry.integrator()
    bad = np.any([mask.read(stack.shape) for mask in binning.masks], axis=0)
    engine = integrator.setup_sparse_integrator(
        stack.shape,
        _BINS,
        bad.astype(np.int8),
        (binning.radial_min, binning.radial_max),
        unit="q_nm^-1",
        split=splitting,
        algo="CSR",
        empty=0.0,
    )
    solid_angle = integrator.solidAngleArray(stack.shape)

    def ours() -> list[Any]:
        batches = [frames[start : start + _BATCH] for start in range(0, len(frames), _BATCH)]
        if isinstance(table, ShareTable):
            return [sum_split(batch, table, **bounds) for batch in batches]
        return [sum_frames(batch, table, **bounds) for batch in batches]

    def theirs() -> list[Any]:
        poisson = ErrorModel.POISSON
        return [
            engine.integrate_ng(frame, error_model=poisson, solidangle=solid_angle)
            for frame in frames
        ]

    signal = np.concatenate([one.signal for one in ours()])
    if not np.array_equal(signal, [one.signal for one in theirs()]):
        raise ValueError("hsc and pyFAI do not give the same sums")
    return {"hsc": ours, _PYFAI: theirs}
