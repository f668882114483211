"""Times ingests of ever more chunks, and what they take of memory; each in a process of its own.

Two questions: are a million chunks indexed in seconds and planned in a bounded memory, and does a
chunk cost the same among a thousand and among a hundred thousand. Two numbers answer the second:
the seconds of a whole ingest over its chunks, with what every ingest pays in it, and what each
further chunk costs between one stack and the next.
"""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from hsc import jobs
from hsc.errors import HscError
from hsc.hdf5 import chunk_index, open_hdf5
from hsc_benchmarks.home import state_directory

_DATASET = "entry/data/data"
_WARM_FRAMES = 20
_DISTINCT_FRAMES = 16


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of frames, each one bitshuffle-LZ4 chunk."""

    frames: int
    """How many."""
    shape: tuple[int, int]
    """Rows and columns of a frame, u2."""


# A million frames as small as chunks get, and frames of a size that is still quickly written.
MANY = Stack(1_000_000, (8, 16))
GROWING = tuple(Stack(frames, (256, 256)) for frames in (1_000, 10_000, 100_000))


def measure_scale(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Ingest stacks of more and more chunks; everything written is removed again.

    Parameters
    ----------
    frames
        Stacks of more frames than that, times a thousand, are left out.
    rounds
        How often each stack is ingested; the median counts.
    folder
        Where the files go; None: the temporary folder.
    say
        Hears how far it is.
    """
    rows: list[dict[str, Any]] = []
    for stack in (*GROWING, MANY):
        if stack.frames > frames * 1000:
            continue
        with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as place:
            source = Path(place) / "stack.h5"
            say(f"making {stack.frames:,} frames of {stack.shape} in {source}")
            write_stack(source, stack)
            seen = [_in_a_process(source, Path(place) / str(n)) for n in range(rounds)]
        rows.append(_row(stack, seen, rows[-1] if rows and stack is not MANY else None))
        say(f"{stack.frames:,} chunks: {rows[-1]['median s']:.2f} s")
    return {"source": {"frames": "u2, bitshuffle-LZ4, one chunk each"}, "table": rows}


def write_stack(path: Path, stack: Stack) -> None:
    """Write a stack; a few frames, compressed once, repeat."""
    draw = np.random.default_rng(7)
    with h5py.File(path.with_suffix(".some.h5"), "w") as some:
        values = draw.poisson(1.0, (_DISTINCT_FRAMES, *stack.shape)).astype(np.uint16)
        few = some.create_dataset(
            "few", data=values, chunks=(1, *stack.shape), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        chunks = [few.id.read_direct_chunk((n, 0, 0))[1] for n in range(_DISTINCT_FRAMES)]
    path.with_suffix(".some.h5").unlink()
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset(
            _DATASET,
            (stack.frames, *stack.shape),
            np.uint16,
            chunks=(1, *stack.shape),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        for number in range(stack.frames):
            data.id.write_direct_chunk((number, 0, 0), chunks[number % _DISTINCT_FRAMES])


def ingest_stack(source: Path, home: Path) -> dict[str, float]:
    """Index a stack, then ingest it; give seconds and the peak of this process's memory."""
    home.mkdir()
    # What is paid once in a process's life (imports, compiled kernels) is paid by a small stack.
    write_stack(home / "warm.h5", Stack(_WARM_FRAMES, (256, 256)))
    with state_directory(home):
        _ingest(home / "warm.h5")
        before = _peak_bytes()
        started = time.perf_counter()
        with open_hdf5(source) as file:
            chunks = len(chunk_index(file[_DATASET]))
        indexed = time.perf_counter()
        _ingest(source)
        ended = time.perf_counter()
    return {
        "chunks": chunks,
        "index_s": indexed - started,
        "ingest_s": ended - indexed,
        "before_bytes": before,
        "peak_bytes": _peak_bytes(),
    }


def _ingest(path: Path) -> None:
    report = jobs.ingest(jobs.IngestRequest(paths=(str(path),), verify="none"))
    if report.errors:
        raise HscError(report.errors[0].message, where=report.errors[0].where)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _in_a_process(source: Path, home: Path) -> dict[str, float]:
    # Memory is counted at its peak, so that each ingest needs a process that did nothing before.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(ingest_stack, source, home).result()


def _row(
    stack: Stack, seen: list[dict[str, float]], smaller: dict[str, Any] | None
) -> dict[str, Any]:
    """Give a row of the table; ``smaller`` is that of the stack of fewer such frames."""
    median = {name: float(np.median([each[name] for each in seen])) for name in seen[0]}
    further = "-"
    if smaller is not None:
        slope = (median["ingest_s"] - smaller["median s"]) / (stack.frames - smaller["chunks"])
        further = f"{1000 * slope:.4f}"
    return {
        "chunks": stack.frames,
        "frame": "x".join(map(str, stack.shape)),
        "index s": round(median["index_s"], 3),
        "median s": round(median["ingest_s"], 3),
        "s per 1,000 chunks": round(1000 * median["ingest_s"] / stack.frames, 4),
        "s per 1,000 further chunks": further,
        "peak MB": round(median["peak_bytes"] / 1e6),
        "of that before MB": round(median["before_bytes"] / 1e6),
    }
