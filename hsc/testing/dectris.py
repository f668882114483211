"""Runs as DECTRIS's own FileWriter lays them out: a master file and numbered data files.

The layout is "hdf5 nexus legacy nxmx" of DECTRIS's public FileWriter documentation, with the
details that its public test files (``h5-testfiles``) show: one frame per chunk, bitshuffle with
LZ4 through the HDF5 filter, relative external links, ``image_nr_low`` and ``image_nr_high``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.testing.dectris_run import (
    DectrisRun,
    Fields,
    detector_fields,
    entry_fields,
    goniometer_fields,
    specific_fields,
)
from hsc.testing.noise import PoissonFrames
from hsc.workers import available_cpus

Frame = Callable[[int], NDArray[Any]]
"""Gives frame number ``index`` (from 0) as an array (Y, X) of the run's type."""


def write_dectris_run(
    folder: Path,
    run: DectrisRun,
    frame: Frame | None = None,
    *,
    pixel_mask: NDArray[np.uint32] | None = None,
    flatfield: NDArray[np.float32] | None = None,
    threads: int | None = None,
) -> Path:
    """Write a run's master file and data files.

    The memory needed is a few frames: they are made ahead by threads and written in order. The
    bytes of the files depend on the arguments and the libraries' versions, not on the threads.

    Parameters
    ----------
    folder
        Where the files go; made if absent. Files that are there are not written over.
    run
        What the files say.
    frame
        Gives frame ``index`` as (Y, X) of the run's type, from any thread; a stack's
        ``__getitem__`` will do. None: Poisson noise around ``run.mean_counts``.
    pixel_mask
        uint32 (Y, X), bits as in `PixelMaskBit`. None: the detector's gaps.
    flatfield
        float32 (Y, X). None: ones.
    threads
        How many threads make frames. None: as many as there are processors.

    Returns
    -------
    Path
        The master file.

    Raises
    ------
    ParameterError
        A frame, mask or flatfield has another shape or type than the run says.
    FileExistsError
        A file of that name is there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mask = run.detector.gap_mask() if pixel_mask is None else pixel_mask
    flat = np.ones(run.detector.shape, np.float32) if flatfield is None else flatfield
    _check("pixel mask", mask, run.detector.shape, "u4")
    _check("flatfield", flat, run.detector.shape, "f4")
    source = frame or _default_frames(run)
    frames = frames_in_order(source, run.frames, threads or available_cpus())
    for name, numbers in run.data_files():
        _write_data_file(folder / name, run, numbers, islice(frames, len(numbers)))
    master = folder / f"{run.name}_master.h5"
    with h5py.File(master, "x") as file:
        _write_master(file, run, mask, flat)
    return master


def frames_in_order(frame: Frame, count: int, threads: int) -> Iterator[NDArray[Any]]:
    """Give frames 0 to ``count`` in order while threads make the next ones.

    At most twice as many frames as threads exist at a time.
    """
    if threads <= 1:
        yield from map(frame, range(count))
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="frames") as pool:
        ahead = min(2 * threads, count)
        pending = deque(pool.submit(frame, index) for index in range(ahead))
        for following in range(ahead, count + ahead):
            made = pending.popleft().result()
            if following < count:
                pending.append(pool.submit(frame, following))
            yield made


def _default_frames(run: DectrisRun) -> PoissonFrames:
    expectation = np.full(run.detector.shape, run.mean_counts)
    return PoissonFrames(expectation, np.dtype(run.dtype), seed=run.seed, dead=run.detector.gaps())


def _check(what: str, array: NDArray[Any], shape: tuple[int, int], dtype: str) -> None:
    if array.shape != shape or array.dtype != np.dtype(dtype):
        raise ParameterError(
            f"the {what} is {array.dtype} {array.shape}, the run has {np.dtype(dtype)} {shape}"
        )


def _write_data_file(
    path: Path, run: DectrisRun, numbers: range, frames: Iterator[NDArray[Any]]
) -> None:
    rows, columns = run.detector.shape
    with h5py.File(path, "x") as file:
        data = _group(_group(file, "entry", "NXentry"), "data", "NXdata")
        stack = data.create_dataset(
            "data",
            shape=(len(numbers), rows, columns),
            maxshape=(None, rows, columns),
            chunks=(1, rows, columns),
            dtype=run.dtype,
            # Block 0 lets the filter choose, as the detector's own writer does.
            **hdf5plugin.Bitshuffle(nelems=0, cname="lz4"),
        )
        stack.attrs["image_nr_low"] = np.uint64(numbers.start + 1)
        stack.attrs["image_nr_high"] = np.uint64(numbers.stop)
        for position, frame in enumerate(frames):
            _check("frame", frame, run.detector.shape, run.dtype)
            stack[position] = frame


def _write_master(
    file: Any, run: DectrisRun, mask: NDArray[np.uint32], flat: NDArray[np.float32]
) -> None:
    file.attrs["default"] = np.bytes_(b"entry")
    entry = _group(file, "entry", "NXentry")
    entry.attrs["default"] = np.bytes_(b"data")
    _fields(entry, entry_fields(run))
    data = _group(entry, "data", "NXdata")
    for number, (name, _) in enumerate(run.data_files(), start=1):
        data[f"data_{number:06d}"] = h5py.ExternalLink(name, "/entry/data/data")
    instrument = _group(entry, "instrument", "NXinstrument")
    _fields(instrument, {"name": (run.instrument, "")})
    beam = _group(instrument, "beam", "NXbeam")
    _fields(beam, {"incident_wavelength": (np.float32(run.wavelength_nm * 10), "angstrom")})
    detector = _group(instrument, "detector", "NXdetector")
    _fields(detector, detector_fields(run))
    specific = _group(detector, "detectorSpecific", "NXcollection")
    _fields(specific, specific_fields(run))
    specific.create_dataset("pixel_mask", data=mask)
    specific.create_dataset("flatfield", data=flat)
    sample = _group(entry, "sample", "NXsample")
    _fields(sample, {"name": (run.sample, "")})
    _fields(_group(sample, "goniometer", "NXtransformations"), goniometer_fields(run))


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = np.bytes_(nx_class)
    return group


def _fields(group: Any, fields: Fields) -> None:
    # Text is of fixed length, as the detector writes it; empty text is a field not given.
    for name, (value, units) in fields.items():
        if isinstance(value, str):
            if not value:
                continue
            coded = value.encode()
            charset = "ascii" if value.isascii() else "utf-8"
            text = h5py.string_dtype(charset, len(coded))
            written = group.create_dataset(name, data=coded, dtype=text)
        else:
            written = group.create_dataset(name, data=value)
        if units:
            written.attrs["units"] = np.bytes_(units)
