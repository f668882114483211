"""From stored frames to I(q) and its error, against pyFAI on what h5py or zarr-python reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import HscError
from hsc.reading import open_dataset
from hsc.reductions import Outputs, find_reduction
from hsc.workers import Silent, ThreadWorkers
from hsc_benchmarks.reductions.comparing import Row, compare
from hsc_benchmarks.reductions.reading import open_with_zarr
from hsc_benchmarks.reductions.stacks import Stack, make_stack

_FRAMES, _BINS, _BATCH = 64, 1000, 4
_H5PY, _DASK = "h5py, hdf5plugin and pyFAI on the HDF5 files", "dask.array, zarr-python and pyFAI"
_WANTED = {1: 10.0, 2: 18.0}


def measure_curves(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time the azimuthal integration of 4-Mpx frames, tables warm, pixels not split."""
    # pyFAI's and Blosc's own threads are one, as ours is; read when they are loaded.
    for name in ("OMP_NUM_THREADS", "BLOSC_NTHREADS", "NUMEXPR_NUM_THREADS"):
        os.environ[name] = "1"
    with make_stack(folder, say, frames=_FRAMES, mean_counts=100.0) as stack:
        integrator = integrator_of(stack)
        mask = open_dataset(stack.record).role("pixel_mask").read() != 0
        _compare_results(stack, integrator, mask)
        arms: dict[str, Callable[[], object]] = {
            "hsc, 1 thread": lambda: integrate(stack, 1),
            _H5PY: lambda: _by_h5py(stack, integrator, mask),
            _DASK: lambda: _by_dask(stack, integrator, mask),
        }
        rows = compare(
            "stored 4 Mpx u2 to I(q) and sem, per frame",
            arms,
            units=_FRAMES,
            wanted={_H5PY: _WANTED[1], _DASK: 6.0},
            rounds=rounds,
            say=say,
        )
        return rows + compare(
            "the same, ours with 2 threads, theirs with 1",
            {"hsc, 2 threads": lambda: integrate(stack, 2), _H5PY: arms[_H5PY]},
            units=_FRAMES,
            wanted={_H5PY: _WANTED[2]},
            rounds=rounds,
            say=say,
        )


def integrate(stack: Stack, workers: int) -> Outputs:
    """Run our reduction on a stack."""
    given = {"sample": open_dataset(stack.record)}
    parameters = {"bins": _BINS}
    return find_reduction("azimuthal").run(given, parameters, ThreadWorkers(workers), Silent())


def integrator_of(stack: Stack) -> Any:
    """Give pyFAI's integrator with the geometry that the dataset tells."""
    from pyFAI.detectors import Detector
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    dataset = open_dataset(stack.record)

    def number(role: str) -> float:
        return float(dataset.role(role).scalar())

    x_size, y_size = number("x_pixel_size"), number("y_pixel_size")
    return AzimuthalIntegrator(
        dist=number("distance"),
        poni1=number("beam_center_y") * y_size,
        poni2=number("beam_center_x") * x_size,
        detector=Detector(pixel1=y_size, pixel2=x_size, max_shape=stack.shape, orientation=3),
        wavelength=number("wavelength") * 1e-10,
    )


def _pyfai(integrator: Any, frame: NDArray[Any], mask: NDArray[np.bool_]) -> Any:
    return integrator.integrate1d(
        frame,
        _BINS,
        unit="q_nm^-1",
        mask=mask,
        radial_range=(0, float(integrator.center_array(unit="q_nm^-1").max())),
        error_model="poisson",
        method=("no", "csr", "cython"),
    )


def _by_h5py(stack: Stack, integrator: Any, mask: NDArray[np.bool_]) -> list[Any]:
    with stack.original() as parts:
        return [_pyfai(integrator, frame, mask) for part in parts for frame in part]


def _by_dask(stack: Stack, integrator: Any, mask: NDArray[np.bool_]) -> NDArray[Any]:
    import dask.array as da

    def block(frames: NDArray[Any]) -> NDArray[Any]:
        found = [_pyfai(integrator, frame, mask) for frame in frames]
        return np.array([[each.intensity, each.sigma] for each in found])

    frames = da.from_array(open_with_zarr(stack), chunks=(_BATCH, *stack.shape))
    curves = frames.map_blocks(
        block, dtype=np.float32, chunks=(_BATCH, 2, _BINS), meta=np.empty((0, 2, 0), np.float32)
    )
    result: NDArray[Any] = curves.compute(scheduler="threads", num_workers=1)
    return result


def _compare_results(stack: Stack, integrator: Any, mask: NDArray[np.bool_]) -> None:
    """Look that both do the same work: the same intensities, but for the last bits of q."""
    ours = {one.path: one.values for one in integrate(stack, 1).tree.arrays}["/entry/data/I"]
    with stack.original() as parts:
        theirs = _pyfai(integrator, parts[0][0], mask).intensity
    there = np.isfinite(ours[0]) & (theirs != 0)
    if not np.isclose(ours[0][there], theirs[there], rtol=1e-3).mean() > 0.99:
        raise HscError("the two ways of integrating differ")
