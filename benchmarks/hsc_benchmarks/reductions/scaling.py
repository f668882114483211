"""What a second worker gains a reduction, beside what it gains loops that only count or copy."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np

from hsc.ingestion import write_tree
from hsc.jobs import IngestRequest, ingest_one, locate_named
from hsc.reading import OpenedDataset, open_dataset
from hsc.reductions import find_reduction
from hsc.testing import AgipdModel, ExfelRun, agipd_run, write_agipd_constants, write_exfel_run
from hsc.workers import Silent, ThreadWorkers
from hsc_benchmarks.reductions.comparing import Row, time_by_turns
from hsc_benchmarks.reductions.stacks import make_stack

_FRAMES = 1024
# Of these each takes as long as several of the others.
_FRAMES_OF_HITS = 64
_SPINS = 400_000_000
# Beyond any cache, and several times, so that it takes as long as the others.
_COPIED_BYTES, _COPIES = 64 * 2**20, 128
_WANTED = 0.92
_DETECTOR = AgipdModel(shape=(512, 128), cells=4)
_MODULES = range(2)
_TRAINS = range(10_000, 10_128)

Case = tuple[dict[str, OpenedDataset], dict[str, Any]]
"""Inputs of a reduction by role, and its parameters."""


def measure_scaling(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time reductions, a spin loop and copying with one worker and with two, all by turns.

    Copying tells what a second worker gains of the machine's memory, which a spin loop never asks.
    """
    with (
        make_stack(folder, say, frames=_FRAMES, mean_counts=100.0) as stack,
        make_stack(folder, say, frames=_FRAMES_OF_HITS) as crystals,
        tempfile.TemporaryDirectory(dir=folder, prefix="hsc-bench-") as made,
    ):
        say(f"writing and taking in {len(_TRAINS)} trains of {len(_MODULES)} modules")
        sample = {"sample": open_dataset(stack.record)}
        cases: dict[str, Case] = {
            "azimuthal": (sample, {}),
            "statistics": (sample, {}),
            "hits": ({"sample": open_dataset(crystals.record)}, {}),
            "xfel_correct": (_pulses(Path(made)), {"photon_adu": _DETECTOR.photon_adu}),
        }
        arms: dict[str, Callable[[], object]] = {}
        for count in (1, 2):
            arms[f"spin {count}"] = partial(_together, _spin, _SPINS, count)
            arms[f"copy {count}"] = partial(_together, _copy, _COPIES, count)
            for name, case in cases.items():
                arms[f"{name} {count}"] = partial(_run, name, case, count, Path(made))
        clock, processor = time_by_turns(arms, rounds, say)
    gain = {name: clock[f"{name} 1"] / clock[f"{name} 2"] for name in ("spin", "copy", *cases)}
    what = "gain by a second thread, by that of a spin loop"
    return [
        Row(
            what,
            name,
            1000 * clock[f"{name} 2"],
            each / gain["spin"],
            _WANTED if name in cases else None,
            1000 * processor[f"{name} 2"],
            # 1 where two threads take no more of the processors than one.
            processor[f"{name} 1"] / processor[f"{name} 2"],
        )
        for name, each in gain.items()
    ]


def _pulses(folder: Path) -> dict[str, OpenedDataset]:
    """Give a run of modules with three gains, and its constants."""
    half = len(_TRAINS) // 2
    name = "SPB_DET_AGIPD128K-1"
    run = ExfelRun(detector=name, modules=_MODULES, sequences=(_TRAINS[:half], _TRAINS[half:]))
    write_exfel_run(folder / "run", agipd_run(_DETECTOR, run))
    constants = write_agipd_constants(folder / "constants.h5", _DETECTOR, _MODULES)
    paths = {"sample": folder / "run", "constants": constants}
    taken = {role: ingest_one(IngestRequest(paths=(str(path),))) for role, path in paths.items()}
    return {role: open_dataset(locate_named(each.pid).record) for role, each in taken.items()}


def _run(name: str, case: Case, count: int, folder: Path) -> None:
    """Reduce, and write what workers write themselves."""
    inputs, parameters = case
    workers = ThreadWorkers(count)
    outputs = find_reduction(name).run(inputs, parameters, workers, Silent())
    if outputs.streams:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            url = Path(place).as_uri()
            write_tree(outputs.tree, url, "v1", streams=outputs.streams, workers=workers)


def _together(work: Callable[[int], object], times: int, workers: int) -> None:
    threads = [threading.Thread(target=work, args=(times // workers,)) for _ in range(workers)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _copy(times: int) -> None:
    source, target = np.ones(_COPIED_BYTES, np.uint8), np.empty(_COPIED_BYTES, np.uint8)
    for _ in range(times):
        target[:] = source


@numba.njit(nogil=True)
def _spin(times: int) -> Any:
    # Marsaglia's xorshift (J. Stat. Software 8, 2003): no compiler finds a short cut through it.
    state = np.uint64(1)
    for _ in range(times):
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
    return state
