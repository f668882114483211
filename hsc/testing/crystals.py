"""Mock frames of serial crystallography: peaks at known places in some frames, noise in all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsc.testing.dectris import write_dectris_run
from hsc.testing.dectris_run import DectrisRun
from hsc.testing.detector import Detector

_SPOT_SPREAD_PIXELS = 0.9
_SPOT_REACH_PIXELS = 4


@dataclass(frozen=True, slots=True)
class CrystalModel:
    """A jet of crystals: every third pulse hits one, and each gives as many peaks."""

    detector: Detector = field(
        default_factory=lambda: Detector(
            shape=(260, 250), module_shape=(128, 250), gap_shape=(4, 10), description="mock 260"
        )
    )
    """Shape and gaps."""
    frames: int = 12
    """Frames of a run."""
    every: int = 3
    """One frame of so many is a hit, the first among them."""
    peaks: int = 14
    """Peaks of a hit."""
    peak_counts: float = 150.0
    """What the middle of a peak counts."""
    background_counts: float = 20.0
    """What pixels count near the beam; it falls with the distance."""
    seed: int = 5
    """Which crystals, and which noise."""

    def is_hit(self, index: int) -> bool:
        """Tell whether a frame has a crystal's peaks."""
        return index % self.every == 0

    def places(self, index: int) -> list[tuple[int, int]]:
        """Give row and column of the peaks of a frame, none near another, an edge or a gap."""
        if not self.is_hit(index):
            return []
        rows, columns = (n // 20 for n in self.detector.shape)
        gaps = self.detector.gaps()
        cells = [(20 * y + 10, 20 * x + 10) for y in range(rows) for x in range(columns)]
        free = [at for at in cells if not gaps[at[0] - 6 : at[0] + 7, at[1] - 6 : at[1] + 7].any()]
        chosen = np.random.default_rng([self.seed, 1, index]).permutation(len(free))[: self.peaks]
        return [free[number] for number in sorted(chosen.tolist())]

    def frame(self, index: int) -> NDArray[np.uint16]:
        """Give a frame: (Y, X); gaps hold the largest number."""
        y, x = np.indices(self.detector.shape)
        r = np.hypot(y + 0.5 - self.beam_center[1], x + 0.5 - self.beam_center[0])
        expected = self.background_counts / (1 + (r / 60) ** 2) + 0.3
        for row, column in self.places(index):
            away = np.hypot(y - row, x - column)
            spot = np.exp(-(away**2) / (2 * _SPOT_SPREAD_PIXELS**2))
            expected += self.peak_counts * spot * (away < _SPOT_REACH_PIXELS)
        random = np.random.default_rng([self.seed, 2, index])
        drawn: NDArray[np.uint16] = random.poisson(expected).astype(np.uint16)
        drawn[self.detector.gaps()] = np.iinfo(np.uint16).max
        return drawn

    @property
    def beam_center(self) -> tuple[float, float]:
        """Column and row of the beam, pixels from the outer corner of the first one."""
        return self.detector.shape[1] * 0.48, self.detector.shape[0] * 0.52


def write_crystal_run(folder: Path, model: CrystalModel) -> Path:
    """Write a model's frames as a DECTRIS run; give its master file."""
    run = DectrisRun(
        name="crystals_1",
        frames=model.frames,
        detector=model.detector,
        beam_center_px=model.beam_center,
        distance_m=0.2,
    )
    return write_dectris_run(folder, run, model.frame)
