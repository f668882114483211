"""The most memory that a worker process takes for a stack of large frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hsc.errors import DependencyMissingError
from hsc.reading import open_dataset
from hsc.reductions import find_reduction
from hsc.testing import Detector
from hsc.workers import Silent, open_workers
from hsc_benchmarks.reductions.comparing import Row
from hsc_benchmarks.reductions.stacks import make_stack

_EIGER_16M = Detector(shape=(4371, 4150), description="Dectris EIGER 16M")
_REDUCTIONS = ("azimuthal", "statistics")
_MOST_MB = 1000.0


def measure_memory(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Run reductions of 16 Mpx u4 in a worker process each, and ask it for its peak."""
    rows = []
    with make_stack(
        folder, say, frames=16, dtype="u4", mean_counts=2.0, detector=_EIGER_16M
    ) as stack:
        dataset = open_dataset(stack.record)
        for name in _REDUCTIONS:
            say(name)
            with open_workers("processes", 1) as workers:
                find_reduction(name).run({"sample": dataset}, {}, workers, Silent())
                (peak,) = workers.everywhere(peak_megabytes, None).values()
            if isinstance(peak, Exception):
                raise peak
            what = "peak memory of a worker, 16 Mpx u4: 1000 MB by it"
            rows.append(Row(what, name, 0.0, _MOST_MB / peak, 1.0, peak_megabytes=peak))
    return rows


def peak_megabytes(_: None) -> float:
    """Give the most resident memory that this process has had."""
    # Linux hands the peak of getrusage on to what a process starts: that would be ours.
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise DependencyMissingError("the peak of a process's memory can be asked for on Linux alone")
