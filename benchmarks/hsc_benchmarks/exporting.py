"""Times the export of a rewrapped stack, back to its own filters, against a copy of the file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hsc import jobs
from hsc.errors import HscError
from hsc_benchmarks.copies import copy_file
from hsc_benchmarks.home import state_directory
from hsc_benchmarks.rounds import Arm, summarise, time_rounds
from hsc_benchmarks.stacks import STACKS, chunk_extents, write_stack

_WORDS = {
    "copy": "copy of the source: one thread, blocks of 8 MiB, fsync",
    "original": "hsc export --filters original, fsync",
    "blosc": "hsc export --filters blosc, fsync",
}


def measure_export(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time exports of a bitshuffle-LZ4 stack with a left-over block; what is written is removed.

    Parameters
    ----------
    frames
        Frames of the stack.
    rounds
        How often each arm is timed.
    folder
        Where the files go; None: the temporary folder.
    say
        Hears how far it is.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as place:
        here = Path(place)
        source, out = here / "stack.h5", here / "out"
        say(f"making a stack of {frames} frames in {here}")
        write_stack(source, STACKS["rewrap-u2"], frames)
        with state_directory(here / "home"):
            report = jobs.ingest(jobs.IngestRequest(paths=(str(source),), verify="none"))
            if report.errors:
                raise HscError(report.errors[0].message, where=report.errors[0].where)
            pid = str(report.datasets[0].pid)
            arms: dict[str, Callable[[], object]] = {
                "copy": partial(copy_file, source, out),
                "original": partial(jobs.export, pid, out / "out.h5"),
                "blosc": partial(jobs.export, pid, out / "out.h5", filters="blosc"),
            }
            times = time_rounds(
                {name: Arm(partial(_empty, out), run) for name, run in arms.items()}, rounds, say
            )
        nbytes = source.stat().st_size
        rows = summarise(times, nbytes, floor="copy")
        for row in rows:
            row["what"] = _WORDS[row["arm"]]
        facts = {"frames": frames, "bytes": nbytes, "chunks": len(chunk_extents(source))}
        return {"source": facts, "rounds": rounds, "arms": rows}


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    # What the arms before left to write must not be paid for by this one.
    os.sync()
