"""Times the ways that chunks travel, each against the copy that does as little as can be done."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numcodecs import Shuffle, blosc

from hsc import jobs
from hsc.errors import HscError
from hsc_benchmarks.copies import copy_by_cp, copy_chunks, copy_file, unflushed
from hsc_benchmarks.home import state_directory
from hsc_benchmarks.ingest import Source, store_frames
from hsc_benchmarks.rounds import Arm, summarise, time_rounds
from hsc_benchmarks.stacks import PATH, STACKS, chunk_extents, write_stack

_THREADS = 2
_WORDS = {
    "copy": "copy: one thread, blocks of 8 MiB, fsync",
    "bare": "bare copy: 2 threads, the same objects, crc32c, BLAKE3, fsync",
    "bare-early": "the same, the disk begun early as hsc does",
    "hsc": "hsc ingest --verify none --workers 2",
    "cp": "cp",
    "copy-unflushed": "copy without fsync",
    "bare-unflushed": "bare copy without fsync",
    "hsc-unflushed": "hsc ingest without fsync",
    "dask": "dask.array.store: h5py to sharded Zarr, lz4 and bitshuffle",
    "codecs": "numcodecs decode and encode, 2 threads, no input and no output",
}


def measure_way(
    name: str, *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time an ingest of one stack and what it is held against; what is written is removed.

    Parameters
    ----------
    name
        Which stack (`STACKS`).
    frames
        Frames of it.
    rounds
        How often each arm is timed.
    folder
        Where the files go; None: the temporary folder.
    say
        Hears how far it is.
    """
    stack = STACKS[name]
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as place:
        here = Path(place)
        path = here / "stack.h5"
        say(f"making a stack of {frames} frames in {here}")
        write_stack(path, stack, frames)
        told = max(jobs.inspect(str(path)).arrays, key=lambda array: len(array.shape))
        source = Source(path, told.shape, told.dtype, told.shards)
        arms = _arms(name, source)
        times = time_rounds(
            {arm: _in_own_folder(run, here / "out") for arm, run in arms.items()}, rounds, say
        )
        rows = summarise(times, source.nbytes, floor="codecs" if name == "deflate" else "bare")
        for row in rows:
            row["what"] = _WORDS[row["arm"]]
        facts = source.document() | {"way": told.way, "objects": told.objects}
        return {"source": facts, "rounds": rounds, "arms": rows}


def _arms(name: str, source: Source) -> dict[str, Callable[[Path], None]]:
    path, per_shard = source.master, source.shards[0]
    extents = chunk_extents(path)
    objects = [extents[at : at + per_shard] for at in range(0, len(extents), per_shard)]

    def unflushed_arm(run: Callable[[Path], None], folder: Path) -> None:
        with unflushed():
            run(folder)

    copy = partial(copy_file, path)
    ingest = partial(ingest_stack, path)

    def bare(folder: Path, early: bool = False) -> None:
        copy_chunks(path, folder, objects, _THREADS, early=early)

    arms: dict[str, Callable[[Path], None]] = {
        "copy": copy,
        "bare": bare,
        "bare-early": partial(bare, early=True),
        "hsc": ingest,
        "cp": partial(copy_by_cp, path),
        "copy-unflushed": partial(unflushed_arm, copy),
        "bare-unflushed": partial(unflushed_arm, bare),
        "hsc-unflushed": partial(unflushed_arm, ingest),
    }
    if name.startswith("rewrap"):
        arms["dask"] = partial(store_frames, source)
    if name == "deflate":
        arms["codecs"] = _codecs_arm(path)
    return arms


def ingest_stack(path: Path, folder: Path) -> None:
    """Ingest the stack into a store and a catalog of its own."""
    with state_directory(folder):
        report = jobs.ingest(
            jobs.IngestRequest(paths=(str(path),), verify="none", workers=_THREADS)
        )
    if report.errors:
        raise HscError(report.errors[0].message, where=report.errors[0].where)


def _codecs_arm(path: Path) -> Callable[[Path], None]:
    """Decode and encode the chunks, which are in memory, as numcodecs does."""
    with h5py.File(path) as file:
        made = file[PATH]
        chunks = [made.id.read_direct_chunk((n, 0, 0))[1] for n in range(min(4, made.shape[0]))]
        frames, itemsize = made.shape[0], made.dtype.itemsize
    unshuffle = Shuffle(itemsize)

    def work(first: int) -> None:
        for number in range(first, frames, _THREADS):
            plain = np.asarray(unshuffle.decode(zlib.decompress(chunks[number % len(chunks)])))
            blosc.compress(plain.view(np.uint8), b"zstd", 1, 2, 0, itemsize)

    def run(_: Path) -> None:
        threads = [threading.Thread(target=work, args=(first,)) for first in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


def _in_own_folder(run: Callable[[Path], None], folder: Path) -> Arm:
    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        # What the arms before left to write must not be paid for by this one.
        os.sync()

    return Arm(prepare, lambda: run(folder))
