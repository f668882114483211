"""What a second worker gains a reduction, beside what it gains a loop that only counts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

from hsc.reading import open_dataset
from hsc.reductions import find_reduction
from hsc.workers import Silent, ThreadWorkers
from hsc_benchmarks.reductions.comparing import Row, time_by_turns
from hsc_benchmarks.reductions.stacks import make_stack

_FRAMES = 256
_SPINS = 400_000_000
_REDUCTIONS = ("azimuthal", "statistics")
_WANTED = 0.92


def measure_scaling(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time reductions and a spin loop with one worker and with two, all by turns."""
    with make_stack(folder, say, frames=_FRAMES, mean_counts=100.0) as stack:
        dataset = open_dataset(stack.record)

        def run(name: str, workers: int) -> Callable[[], object]:
            reduction = find_reduction(name)
            return lambda: reduction.run({"sample": dataset}, {}, ThreadWorkers(workers), Silent())

        arms: dict[str, Callable[[], object]] = {}
        for count in (1, 2):
            arms[f"spin {count}"] = lambda count=count: _spin_together(count)  # type: ignore[misc]
            for name in _REDUCTIONS:
                arms[f"{name} {count}"] = run(name, count)
        clock, processor = time_by_turns(arms, rounds, say)
    gain = {name: clock[f"{name} 1"] / clock[f"{name} 2"] for name in ("spin", *_REDUCTIONS)}
    what = "gain by a second thread, by that of a spin loop"
    return [
        Row(
            what,
            name,
            1000 * clock[f"{name} 2"],
            each / gain["spin"],
            None if name == "spin" else _WANTED,
            1000 * processor[f"{name} 2"],
            # 1 where two threads take no more of the processors than one.
            processor[f"{name} 1"] / processor[f"{name} 2"],
        )
        for name, each in gain.items()
    ]


def _spin_together(workers: int) -> None:
    threads = [threading.Thread(target=_spin, args=(_SPINS // workers,)) for _ in range(workers)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


@numba.njit(nogil=True)
def _spin(times: int) -> Any:
    # Marsaglia's xorshift (J. Stat. Software 8, 2003): no compiler finds a short cut through it.
    state = np.uint64(1)
    for _ in range(times):
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
    return state
