"""A size-exclusion run of two kinds of spheres, with known radii of gyration."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.testing.biosaxs import BioSaxsModel, sphere_form_factor
from hsc.testing.dectris import write_dectris_run
from hsc.testing.dectris_run import DectrisRun
from hsc.testing.detector import Detector

_LEFT = 0.3


@dataclass(frozen=True, slots=True)
class Species:
    """Spheres that elute together."""

    radius_nm: float
    """Their radius."""
    forward_counts: float
    """Expected counts at q = 0 at the top of their peak."""
    top_frame: float
    """Where they elute, in frames from the first, counted from zero."""
    width_frames: float
    """Standard deviation of their peak, in frames."""

    @property
    def rg_nm(self) -> float:
        """The true radius of gyration, sqrt(3/5) R."""
        return math.sqrt(3 / 5) * self.radius_nm

    def share(self, frame: int) -> float:
        """Give the concentration in a frame over that at the top."""
        return math.exp(-(((frame - self.top_frame) / self.width_frames) ** 2) / 2)


@dataclass(frozen=True)
class SecModel:
    """An elution of two species, far enough apart to be told from each other.

    Examples
    --------
    >>> [round(one.rg_nm, 3) for one in SecModel().species]
    [3.873, 1.936]
    """

    frames: int = 240
    """Frames of the run."""
    species: tuple[Species, ...] = (
        Species(5.0, 60.0, 110.0, 9.0),
        Species(2.5, 40.0, 175.0, 11.0),
    )
    """What elutes."""
    setup: BioSaxsModel = field(
        default_factory=lambda: BioSaxsModel(
            detector=Detector(
                shape=(160, 150), module_shape=(160, 150), pixel_size_m=172e-6,
                description="Mock 24k",
            ),
            distance_m=1.2, beam_center_px=(20.0, 80.0), beamstop_radius_px=3.0,
            beamstop_arm_px=2.0, dead_pixels=5, hot_pixels=3,
        )
    )  # fmt: skip
    """Detector, distance and buffer; the spheres of it are not used."""
    drift: float = 0.0
    """By which share the buffer scatters more at the end than at the beginning."""
    fouling: float = 0.0
    """Expected counts at q = 0.3 1/nm, falling with q², of what all species together have left on
    the walls of the cell when they have passed."""
    lost: tuple[int, ...] = ()
    """Frames for which most of the beam was lost."""
    seed: int = 5
    """Seed of the noise."""

    def __post_init__(self) -> None:
        if self.frames < 1 or not self.species:
            raise ParameterError(f"{self.frames} frames of {len(self.species)} species")

    @cached_property
    def pixel_mask(self) -> NDArray[np.uint32]:
        """The detector's mask, uint32 (Y, X)."""
        return self.setup.pixel_mask()

    def frame(self, index: int) -> NDArray[np.uint16]:
        """Draw a frame; the same for the same index, whatever was drawn before."""
        counts = self._buffer * (1 + self.drift * index / self.frames)
        for species, shape in zip(self.species, self._shapes, strict=True):
            counts += species.share(index) * shape
        counts += self.fouling * self._passed[index] * self._deposit
        if index in self.lost:
            counts *= _LEFT
        sequence = np.random.SeedSequence([self.seed], spawn_key=(index,))
        drawn = np.random.Generator(np.random.SFC64(sequence)).poisson(counts)
        frame: NDArray[np.uint16] = np.minimum(drawn, 65534).astype(np.uint16)
        frame[self._blind] = 65535
        return frame

    def stack(self) -> NDArray[np.uint16]:
        """Draw all frames: (frames, Y, X)."""
        return np.stack([self.frame(index) for index in range(self.frames)])

    @cached_property
    def _buffer(self) -> NDArray[np.float64]:
        return self.setup.buffer_expectation()

    @cached_property
    def _blind(self) -> NDArray[np.bool_]:
        blind: NDArray[np.bool_] = (self.pixel_mask & np.uint32(3)) != 0
        return blind

    @cached_property
    def _passed(self) -> NDArray[np.float64]:
        """What share of all that elutes has passed, for each frame."""
        each = [
            sum(one.forward_counts * one.share(frame) for one in self.species)
            for frame in range(self.frames)
        ]
        total: NDArray[np.float64] = np.cumsum(each)
        shares: NDArray[np.float64] = total / total[-1]
        return shares

    @cached_property
    def _deposit(self) -> NDArray[np.float64]:
        falling = (0.3 / np.maximum(self.setup.q_per_nm(), 0.1)) ** 2
        solid = np.cos(self.setup.two_theta()) ** 3
        counts: NDArray[np.float64] = (self.pixel_mask == 0) * solid * falling
        return counts

    @cached_property
    def _shapes(self) -> tuple[NDArray[np.float64], ...]:
        solid = np.cos(self.setup.two_theta()) ** 3
        q = self.setup.q_per_nm()
        good = self.pixel_mask == 0
        return tuple(
            good * solid * one.forward_counts * sphere_form_factor(q, one.radius_nm)
            for one in self.species
        )


def write_sec_run(folder: Path, model: SecModel | None = None, *, name: str = "sec") -> Path:
    """Write a size-exclusion run as a DECTRIS detector would, and give its master file.

    Parameters
    ----------
    folder
        Where the files go.
    model
        What elutes. None: the default one.
    name
        Base of the file names.
    """
    model = model or SecModel()
    setup = model.setup
    run = DectrisRun(
        name=name,
        frames=model.frames,
        detector=setup.detector,
        wavelength_nm=setup.wavelength_nm,
        distance_m=setup.distance_m,
        beam_center_px=setup.beam_center_px,
        title="SEC-SAXS of two kinds of spheres",
        sample="spheres, eluting",
    )
    source: Any = model.frame
    return write_dectris_run(folder, run, source, pixel_mask=model.pixel_mask)
