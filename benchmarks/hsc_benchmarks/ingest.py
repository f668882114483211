"""Times an ingest against a copy and against the usual way of making Zarr.

Three arms take the same mock DECTRIS run: a plain copy in one thread (the floor), ``hsc ingest``
without verification, and dask.array.store through h5py into a Zarr array of the same shards.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array as da
import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import zarr
from zarr.codecs import BloscCodec

from hsc import jobs
from hsc.errors import HscError
from hsc.testing import DectrisRun, write_dectris_run
from hsc_benchmarks.home import state_directory
from hsc_benchmarks.rounds import Arm, summarise, time_rounds

_BLOCK_BYTES = 8 * 2**20
_WORDS = {
    "copy": "copy: one thread, blocks of 8 MiB, fsync",
    "hsc": "hsc ingest --verify none",
    "dask": "dask.array.store: h5py to sharded Zarr, lz4 and bitshuffle",
}


@dataclass(frozen=True, slots=True)
class Source:
    """The mock run, and the shards that hsc gives it."""

    master: Path
    """Its master file."""
    shape: tuple[int, ...]
    """Shape of the stack of frames."""
    dtype: str
    """Type of the frames."""
    shards: tuple[int, ...]
    """Shape of a shard in hsc's store."""

    @property
    def files(self) -> list[Path]:
        """All files of the run."""
        return sorted(self.master.parent.glob("*.h5"))

    @property
    def nbytes(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self.files)

    def document(self) -> dict[str, Any]:
        """Give the facts as JSON."""
        pixels = math.prod(self.shape)
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "shards": list(self.shards),
            "files": len(self.files),
            "file_bytes": self.nbytes,
            "pixel_bytes": pixels * int(self.dtype.removeprefix("uint")) // 8,
        }


def measure_ingest(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time the three arms; everything written is removed again.

    Parameters
    ----------
    frames
        Frames of 1065 x 1030 pixels, two bytes each.
    rounds
        How often each arm is timed.
    folder
        Where the files go; None: the temporary folder.
    say
        Hears how far it is.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as place:
        here = Path(place)
        say(f"making a run of {frames} frames in {here}")
        master = write_dectris_run(here / "run", DectrisRun(frames=frames))
        inspected = jobs.inspect(str(master))
        stack = max(inspected.arrays, key=lambda array: len(array.shape))
        source = Source(master, stack.shape, stack.dtype, stack.shards)
        arms = {"copy": copy_files, "hsc": ingest_files, "dask": store_frames}
        times = time_rounds(
            {name: _in_own_folder(arm, source, here / name) for name, arm in arms.items()},
            rounds,
            say,
        )
        rows = summarise(times, source.nbytes, floor="copy")
        for row in rows:
            row["what"] = _WORDS[row["arm"]]
        return {"source": source.document(), "rounds": rounds, "arms": rows}


def copy_files(source: Source, folder: Path) -> None:
    """Copy the run's files, each in blocks with one fsync at its end."""
    for file in source.files:
        with (
            file.open("rb", buffering=0) as read,
            (folder / file.name).open("xb", buffering=0) as written,
        ):
            while block := read.read(_BLOCK_BYTES):
                written.write(block)
            os.fsync(written.fileno())


def ingest_files(source: Source, folder: Path) -> None:
    """Ingest the run into a store and a catalog of its own."""
    with state_directory(folder):
        report = jobs.ingest(jobs.IngestRequest(paths=(str(source.master),), verify="none"))
    if report.errors:
        raise HscError(report.errors[0].message, where=report.errors[0].where)


def store_frames(source: Source, folder: Path) -> None:
    """Decode the frames through h5py and let dask store them as zarr-python encodes them."""
    # A run's master file only leads to its frames; a stack is in its only file.
    paths = [file for file in source.files if file != source.master] or [source.master]
    files = [h5py.File(path, "r") for path in paths]
    try:
        pieces = [
            da.from_array(file["entry/data/data"], chunks=(1, *source.shape[1:])) for file in files
        ]
        frames = da.concatenate(pieces).rechunk(source.shards)
        target = zarr.create_array(
            store=folder / "frames.zarr",
            shape=source.shape,
            dtype=source.dtype,
            chunks=(1, *source.shape[1:]),
            shards=source.shards,
            compressors=[BloscCodec(cname="lz4", shuffle="bitshuffle")],
        )
        frames.store(target, lock=False)
    finally:
        for file in files:
            file.close()


def _in_own_folder(run: Callable[[Source, Path], None], source: Source, folder: Path) -> Arm:
    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # What the arms before left to write must not be paid for by this one.
        os.sync()

    return Arm(prepare, lambda: run(source, folder))
