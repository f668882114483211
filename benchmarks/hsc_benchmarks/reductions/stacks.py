"""The stacks that reductions are measured on: a DECTRIS run in HDF5, and the dataset made of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from hsc import jobs, verbs
from hsc.errors import HscError
from hsc.model import Dataset
from hsc.reading import OpenedArray, open_dataset
from hsc.testing import DectrisRun, Detector, PoissonFrames, write_dectris_run
from hsc_benchmarks.home import state_directory

EIGER_4M = Detector(shape=(2167, 2070), description="Dectris EIGER 4M")
_DRAWN = 8


@dataclass(frozen=True, slots=True)
class Stack:
    """A run on disk, and the dataset that it was taken in as."""

    master: Path
    """The run's master file."""
    record: Dataset
    """Of the dataset in a store beside it."""
    frames: int
    """How many frames."""
    shape: tuple[int, int]
    """Rows and columns of a frame."""

    def opened(self) -> OpenedArray:
        """Give the frames in the store."""
        found: OpenedArray = open_dataset(self.record).role("frames")
        return found

    @contextmanager
    def original(self) -> Iterator[list[h5py.Dataset]]:
        """Give the stacks of the HDF5 files, in their order."""
        import hdf5plugin  # noqa: F401 (its filters)

        with h5py.File(self.master) as file:
            data = file["entry/data"]
            yield [data[name] for name in sorted(data) if name.startswith("data_")]


@contextmanager
def make_stack(
    folder: Path | None,
    say: Callable[[str], None],
    *,
    frames: int = 64,
    dtype: str = "u2",
    mean_counts: float = 5.0,
    detector: Detector = EIGER_4M,
) -> Iterator[Stack]:
    """Write a run, take it in, and remove both when the block ends.

    Counts are Poisson draws around an expectation that falls with the distance from the beam, as
    small-angle scattering does; eight frames are drawn, and stand there by turns. Gaps between
    modules hold the largest number of the type and stand in the pixel mask. The run's files are in
    the system's cache after that.

    Parameters
    ----------
    folder
        Where files go; None: the temporary folder.
    say
        Hears how far it is.
    frames
        How many frames.
    dtype
        Type of a pixel.
    mean_counts
        Mean of the expectation over the detector.
    detector
        By default an EIGER 4M.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as made:
        here = Path(made)
        with state_directory(here / "home"):
            say(f"writing and taking in {frames} frames {dtype} of {mean_counts:g} counts a pixel")
            draw = PoissonFrames(
                _falling(detector.shape, mean_counts), np.dtype(dtype), dead=detector.gaps()
            )
            drawn = [draw(number) for number in range(min(_DRAWN, frames))]
            run = DectrisRun(frames=frames, detector=detector, dtype=dtype)
            master = write_dectris_run(here / "run", run, lambda n: drawn[n % len(drawn)])
            report = jobs.ingest(jobs.IngestRequest(paths=(str(master),), verify="none"))
            if report.errors:
                raise HscError(report.errors[0].message, where=report.errors[0].where)
            record = verbs.open(str(report.datasets[0].pid)).hsc.record
            yield Stack(master, record, frames, detector.shape)


def _falling(shape: tuple[int, int], mean: float) -> NDArray[np.float64]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = np.hypot(rows - 0.52 * shape[0], columns - 0.48 * shape[1])
    expectation = 1 / (1 + (distance / (0.15 * shape[0])) ** 2)
    return np.asarray(expectation * (mean / expectation.mean()), np.float64)
