"""A mock AGIPD detector: planted photons, seen through three gains, common modes and bad pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from hsc.testing.exfel import ExfelRun

_CHIP = 64
# Digital words of the three gains, and how far a pixel's may lie from them.
_WORDS, _WORD_SPREAD = (3000, 6000, 9000), 300
# A photon is 64, 2 and 1 words in the three gains.
_WORTH = (1.0, 32.0, 64.0)
_BAD = 1 << 1


@dataclass(frozen=True, slots=True)
class AgipdModel:
    """A detector whose every word is known: offsets and gains are such that nothing is rounded."""

    shape: tuple[int, int] = (128, 128)
    """Rows and columns of a module."""
    cells: int = 3
    """Memory cells."""
    photon_adu: float = 64.0
    """What a photon adds in the highest gain."""
    mean_photons: float = 0.2
    """Mean of the photons of a pixel."""
    switching_photons: tuple[int, int] = (4, 7)
    """Photons from which a pixel is in the second and in the third gain."""
    bad_fraction: float = 0.01
    """Share of bad pixels."""
    seed: int = 7
    """Which detector, and which photons."""

    def photons(self, module: int, train: int, pulse: int) -> NDArray[np.int64]:
        """Give the photons that a module sees of a pulse."""
        random = np.random.default_rng([self.seed, 1, module, train, pulse])
        return random.poisson(self.mean_photons, self.shape)

    def constants(self, module: int) -> dict[str, NDArray[np.generic]]:
        """Give what calibration would find: role to (cells, stages, rows, columns)."""
        random = np.random.default_rng([self.seed, 2, module])
        each = (self.cells, 3, *self.shape)
        worth = np.array(_WORTH, np.float32)[None, :, None, None]
        middles = (np.array(_WORDS[1:]) + np.array(_WORDS[:-1])) / 2
        bad = np.where(random.random((self.cells, 3, *self.shape)) < self.bad_fraction / 3, _BAD, 0)
        return {
            "offset": random.integers(3500, 4500, each).astype(np.float32),
            "relative_gain": np.broadcast_to(worth, each).astype(np.float32),
            "thresholds": np.broadcast_to(
                middles[None, :, None, None], (self.cells, 2, *self.shape)
            ).astype(np.float32),
            "bad_pixels": bad.astype(np.uint32),
            "noise": random.normal(8, 1, each).astype(np.float32),
        }

    def stages(self, photons: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the gain that pixels are in."""
        first, second = self.switching_photons
        return (photons >= first).astype(np.int64) + (photons >= second)

    def shifts(self, module: int, train: int, pulse: int) -> NDArray[np.int64]:
        """Give the common mode of each chip, whole units, spread over its pixels."""
        random = np.random.default_rng([self.seed, 3, module, train, pulse])
        chips = random.integers(-20, 21, [-(-n // _CHIP) for n in self.shape])
        return np.kron(chips, np.ones((_CHIP, _CHIP), np.int64))[: self.shape[0], : self.shape[1]]

    def picture(self, module: int, train: int, pulse: int) -> NDArray[np.uint16]:
        """Give the two words that a module writes of a pulse: (2, rows, columns)."""
        photons = self.photons(module, train, pulse)
        stage = self.stages(photons)
        offset = self.constants(module)["offset"][pulse % self.cells].astype(np.float64)
        dark = np.take_along_axis(offset, stage[None], axis=0)[0]
        light = photons * self.photon_adu / np.array(_WORTH)[stage]
        shift = np.where(stage == 0, self.shifts(module, train, pulse), 0)
        random = np.random.default_rng([self.seed, 4, module, train, pulse])
        words = np.array(_WORDS)[stage] + random.integers(-_WORD_SPREAD, _WORD_SPREAD, self.shape)
        return np.stack([np.rint(dark + light + shift), words]).astype(np.uint16)


def agipd_run(model: AgipdModel, run: ExfelRun) -> ExfelRun:
    """Give a run whose modules write what a model's detector sees."""
    return ExfelRun(
        proposal=run.proposal,
        run=run.run,
        detector=run.detector,
        modules=run.modules,
        sequences=run.sequences,
        lost=run.lost,
        shape=model.shape,
        pulses=model.cells,
        planes=2,
        picture=model.picture,
    )


def write_agipd_constants(path: Path, model: AgipdModel, modules: Sequence[int]) -> Path:
    """Write the constants of modules as one file: a group of arrays for each module."""
    with h5py.File(path, "x") as file:
        for module in modules:
            group = file.create_group(f"AGIPD{module:02}")
            for role, values in model.constants(module).items():
                group.create_dataset(role, data=values, chunks=(1, *values.shape[1:]))
    return path
