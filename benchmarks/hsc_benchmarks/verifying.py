"""Times ``hsc verify`` against reading the same objects and hashing them with BLAKE3."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from blake3 import blake3

from hsc import jobs
from hsc.client import connect
from hsc.errors import HscError
from hsc_benchmarks.copies import BLOCK_BYTES
from hsc_benchmarks.home import state_directory
from hsc_benchmarks.rounds import Arm, summarise, time_rounds
from hsc_benchmarks.stacks import STACKS, write_stack

_THREADS = 2
_KIND = "rewrap-u2"
_WORDS = {
    "hash": "read in blocks of 8 MiB and hash with BLAKE3, 2 threads, an object each",
    "hash-4": "the same in blocks of 4 MiB",
    "hsc": "hsc verify --workers 2",
}


def measure_verify(
    *, frames: int, rounds: int, folder: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """Time a verify of a stack in a directory, its files in the page cache.

    Parameters
    ----------
    frames
        Frames of the stack: 1 Mpx, u2, 4-fold compressed.
    rounds
        How often each arm is timed.
    folder
        Where the files go; None: the temporary folder.
    say
        Hears how far it is.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as made:
        source, home = Path(made) / "stack.h5", Path(made) / "home"
        write_stack(source, STACKS[_KIND], frames)
        with state_directory(home):
            request = jobs.IngestRequest(paths=(str(source),), verify="none", workers=_THREADS)
            pid = jobs.ingest_one(request).pid
            source.unlink()
            with connect() as catalog:
                location = catalog.get(pid).location
            paths = sorted(Path(url2pathname(urlsplit(location).path)).rglob("*"))
            objects = [path for path in paths if path.is_file()]
            nbytes = sum(path.stat().st_size for path in objects)

            def verify() -> None:
                found = jobs.verify(jobs.VerifyRequest(pid=pid, workers=_THREADS))
                if found.damaged:
                    raise HscError("the benchmark's own dataset is damaged")

            arms = {
                "hash": Arm(lambda: None, lambda: _hash(objects, BLOCK_BYTES)),
                "hash-4": Arm(lambda: None, lambda: _hash(objects, BLOCK_BYTES // 2)),
                "hsc": Arm(lambda: None, verify),
            }
            times = time_rounds(arms, rounds, say)
    rows = summarise(times, nbytes, floor="hash")
    for row in rows:
        row["what"] = _WORDS[row["arm"]]
    facts = {"frames": frames, "objects": len(objects), "bytes": nbytes, "threads": _THREADS}
    return {"source": facts, "rounds": rounds, "arms": rows}


def _hash(paths: Sequence[Path], block_bytes: int) -> None:
    def run(path: Path) -> bytes:
        digest, buffer = blake3(), np.empty(block_bytes, np.uint8)
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer.data):
                digest.update(buffer[:count].data)
        return digest.digest()

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(run, paths))
