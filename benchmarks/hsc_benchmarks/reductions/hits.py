"""Peak finding on frames of 4 Mpx: the kernel against the same steps in numpy and scipy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import CLIP_DEVIATIONS, PeakFinder, PeakRule, RingMap
from hsc.testing import CrystalModel
from hsc_benchmarks.reductions.comparing import Row, compare
from hsc_benchmarks.reductions.stacks import EIGER_4M

_FRAMES = 2


def measure_hits(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time the peaks of frames with a crystal, on one thread; per frame."""
    model = CrystalModel(detector=EIGER_4M, every=1, peaks=80)
    frames = [model.frame(number) for number in range(_FRAMES)]
    x, y = model.beam_center
    rows, columns = np.indices(EIGER_4M.shape, np.float32)
    labels = (np.hypot(columns + 0.5 - x, rows + 0.5 - y) // 1).astype(np.int32)
    count = int(labels.max()) + 1
    labels[EIGER_4M.gaps()] = count
    rule = PeakRule(0, 65534, 60000, 12.0, 7.0)
    finder = PeakFinder(RingMap(labels[None], count), rule)

    def ours() -> None:
        for frame in frames:
            finder(frame)

    def by_numpy() -> None:
        for frame in frames:
            _find(frame, labels, count, rule)

    say(f"{len(finder(frames[0])[0])} of {model.peaks} planted peaks found")
    arms = {"hsc": ours, "numpy and scipy.ndimage": by_numpy}
    what = "peaks of 4 Mpx u2, 80 planted, per frame"
    return compare(what, arms, units=_FRAMES, rounds=rounds, say=say)


def _find(frame: NDArray[Any], labels: NDArray[np.int32], count: int, rule: PeakRule) -> int:
    """Find candidates, and join them, with whole-array operations; surroundings are left out."""
    from scipy import ndimage

    flat, values = labels.reshape(-1), frame.reshape(-1).astype(np.float64)
    good = (values <= rule.highest) & (flat < count)
    threshold = np.full(count + 1, 2.0**20)
    for deviations in [*[CLIP_DEVIATIONS] * (rule.cycles - 1), rule.snr]:
        used = good & (values <= threshold[flat])
        number = np.bincount(flat[used], minlength=count + 1)
        weights = values[used]
        mean = np.bincount(flat[used], weights, count + 1) / np.maximum(number, 1)
        square = np.bincount(flat[used], weights**2, count + 1) / np.maximum(number, 1)
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        threshold = np.maximum(rule.least_counts, mean + deviations * spread)
    above = (good & (values > threshold[flat])).reshape(frame.shape)
    groups, found = ndimage.label(above, np.ones((3, 3), int))
    ndimage.sum_labels(frame, groups, np.arange(1, found + 1))
    return int(found)
