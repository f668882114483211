"""Correlation maps of all pairs of a run's curves, against freesas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from hsc.reductions import compare_pairs, probabilities
from hsc.workers import ThreadWorkers
from hsc_benchmarks.reductions.comparing import Row, compare

_FRAMES = 300
_POINTS = 1000
_WANTED = 12.0


def measure_cormap(rounds: int, folder: Path | None, say: Callable[[str], None]) -> list[Row]:
    """Time runs and probabilities of every two of so many curves, on one thread each."""
    rng = np.random.default_rng(11)
    law = 100 * np.exp(-np.linspace(0, 3, _POINTS))
    curves = rng.normal(law, np.sqrt(law), (_FRAMES, _POINTS))
    pairs = _FRAMES * (_FRAMES - 1) // 2
    arms = {
        "hsc": lambda: _ours(curves),
        "freesas.cormap.gof": lambda: _by_freesas(curves),
    }
    what = f"correlation map of {_FRAMES} curves of {_POINTS} points, per pair"
    return compare(
        what, arms, units=pairs, wanted={"freesas.cormap.gof": _WANTED}, rounds=rounds, say=say
    )


def _ours(curves: np.ndarray) -> None:
    probabilities(compare_pairs(curves, ThreadWorkers(1)), curves.shape[1])


def _by_freesas(curves: np.ndarray) -> None:
    from freesas.cormap import gof

    for second in range(len(curves)):
        for first in range(second):
            gof(curves[first], curves[second])
