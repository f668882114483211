"""Small-angle scattering of spheres in solution, with a known radius of gyration.

Frames of buffer and of sample as an EIGER 1M at a bioSAXS beamline (EMBL P12 at PETRA III,
CoSAXS at MAX IV) would count them, so that a whole reduction can be held against the truth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.testing.dectris import write_dectris_run
from hsc.testing.dectris_run import DectrisRun
from hsc.testing.detector import Detector, PixelMaskBit
from hsc.testing.noise import PoissonFrames

_BUFFER, _SAMPLE = 0, 1


def sphere_form_factor(q_per_nm: NDArray[Any], radius_nm: float) -> NDArray[np.float64]:
    """Give P(q) of a homogeneous sphere, 1 at q = 0.

    P = [3 (sin x - x cos x) / x^3]^2 with x = q R (Guinier & Fournet, Small-Angle Scattering of
    X-Rays, 1955). For small x, where the difference loses its digits, the series
    1 - x^2/10 + x^4/280 - x^6/15120 of the amplitude is used, exact to 1e-15 there.

    Parameters
    ----------
    q_per_nm
        Momentum transfer in 1/nm, any shape.
    radius_nm
        Radius R in nm.
    """
    x = np.asarray(q_per_nm, np.float64) * radius_nm
    small = x < 0.05
    safe = np.where(small, 1.0, x)
    closed = 3 * (np.sin(safe) - safe * np.cos(safe)) / safe**3
    series = 1 - x**2 / 10 + x**4 / 280 - x**6 / 15120
    return np.where(small, series, closed) ** 2


@dataclass(frozen=True, slots=True)
class BioSaxsModel:
    r"""Equal spheres, far apart, in a buffer, seen by a pixel detector.

    Expected counts per pixel and frame, with theta half the scattering angle and s = cos^3(2 theta)
    the solid angle of a pixel relative to one in the direct beam (pyFAI's)::

        buffer = s * (buffer_counts + parasitic_counts * (q_beamstop / q)^4)
        sample = buffer + s * forward_counts * P(q)

    Flux, transmission and exposure are the same in all frames. Left out are polarisation (it
    would change counts by 0.1 % at the far corner and by 0.004 % at q Rg = 1) and the buffer that
    the spheres displace. Counts per pixel are as in bioSAXS frames of 50 ms.

    Notes
    -----
    How far a straight Guinier line may go: with s = q Rg, expanding the sphere gives
    ln P = -s^2/3 - s^4/126 - ..., so a line through ln I against q^2 up to s finds an Rg too
    large by about s^2/84 if q^2 is covered evenly: 0.4 % at 0.6, 0.8 % at 0.8, 1.2 % at 1 and
    2.0 % at 1.3. This bias is of the method, not of the data.

    Examples
    --------
    >>> round(BioSaxsModel().rg_nm, 4)
    2.4787
    """

    radius_nm: float = 3.2
    """Radius of the spheres."""
    forward_counts: float = 15.0
    """Expected counts of the spheres at q = 0."""
    buffer_counts: float = 2.0
    """Expected counts of solvent and cell, the same at every angle."""
    parasitic_counts: float = 3.0
    """Expected counts of slit scattering at the edge of the beamstop, falling with q^-4."""
    wavelength_nm: float = 0.1
    """Wavelength of the beam."""
    distance_m: float = 2.5
    """From the sample to the detector, which stands upright to the beam."""
    beam_center_px: tuple[float, float] = (308.4, 271.7)
    """Column and row (x, y) of the beam, from the outer corner of the first pixel."""
    detector: Detector = field(default_factory=Detector)
    """The detector; q reaches from 0.05 to 2.0 1/nm on the default one."""
    beamstop_radius_px: float = 26.0
    """Radius of the masked disc around the beam."""
    beamstop_arm_px: float = 12.0
    """Width of the masked strip from the disc to the left edge, which holds the beamstop."""
    dead_pixels: int = 60
    """How many pixels count nothing."""
    hot_pixels: int = 12
    """How many pixels count without light; masked as noisy, and hold their counts."""
    hot_counts: float = 900.0
    """Expected counts of a hot pixel, light or not."""
    flaw_seed: int = 11
    """Decides which pixels are dead or hot: a property of the detector, not of the run."""

    def __post_init__(self) -> None:
        lengths = (self.radius_nm, self.wavelength_nm, self.distance_m, self.beamstop_radius_px)
        if not all(value > 0 for value in lengths):
            raise ParameterError(f"radii, wavelength and distance are positive: {lengths}")

    @property
    def rg_nm(self) -> float:
        """The true radius of gyration: sqrt(3/5) R (Guinier & Fournet 1955)."""
        return math.sqrt(3 / 5) * self.radius_nm

    def radius_px(self) -> NDArray[np.float64]:
        """Give each pixel centre's distance from the beam, in pixels: (Y, X)."""
        columns, rows = self._offsets_px()
        radius: NDArray[np.float64] = np.hypot(columns[np.newaxis, :], rows[:, np.newaxis])
        return radius

    def two_theta(self) -> NDArray[np.float64]:
        """Give each pixel centre's scattering angle in radians: (Y, X)."""
        lateral_m = self.radius_px() * self.detector.pixel_size_m
        angle: NDArray[np.float64] = np.arctan2(lateral_m, self.distance_m)
        return angle

    def q_per_nm(self) -> NDArray[np.float64]:
        """Give q = 4 pi sin(theta) / wavelength at each pixel centre: (Y, X)."""
        q: NDArray[np.float64] = 4 * np.pi / self.wavelength_nm * np.sin(self.two_theta() / 2)
        return q

    def pixel_mask(self) -> NDArray[np.uint32]:
        """Give the mask: uint32 (Y, X), bits as in `PixelMaskBit`.

        Raises
        ------
        ParameterError
            More pixels are to be dead or hot than see light.
        """
        mask = self.detector.gap_mask()
        mask[self._beamstop()] |= np.uint32(PixelMaskBit.USER)
        # Flaws lie where there is light, so that leaving them in would be seen.
        open_pixels = np.flatnonzero(mask.ravel() == 0)
        flaws = self.dead_pixels + self.hot_pixels
        if flaws > open_pixels.size:
            raise ParameterError(f"{flaws} flawed pixels among {open_pixels.size} that see light")
        flawed = np.random.default_rng(self.flaw_seed).choice(open_pixels, flaws, replace=False)
        mask.ravel()[flawed[: self.dead_pixels]] = PixelMaskBit.DEAD
        mask.ravel()[flawed[self.dead_pixels :]] = PixelMaskBit.NOISY
        return mask

    def buffer_expectation(self) -> NDArray[np.float64]:
        """Give the expected counts of a buffer frame: (Y, X)."""
        return self._counted(self._background())

    def sample_expectation(self) -> NDArray[np.float64]:
        """Give the expected counts of a sample frame: (Y, X)."""
        spheres = self.forward_counts * sphere_form_factor(self.q_per_nm(), self.radius_nm)
        return self._counted(self._background() + spheres)

    def _background(self) -> NDArray[np.float64]:
        stop = self.beamstop_radius_px
        falling: NDArray[np.float64] = (stop / np.maximum(self.radius_px(), stop)) ** 4
        return self.buffer_counts + self.parasitic_counts * falling

    def _counted(self, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        # What falls behind the beamstop is absorbed there but for a hundredth.
        counts: NDArray[np.float64] = np.cos(self.two_theta()) ** 3 * intensity
        counts[self._beamstop()] *= 0.01
        mask = self.pixel_mask()
        counts[mask == PixelMaskBit.NOISY] = self.hot_counts
        counts[self._blind(mask)] = 0.0
        return counts

    def _beamstop(self) -> NDArray[np.bool_]:
        columns, rows = self._offsets_px()
        arm = np.abs(rows) <= self.beamstop_arm_px / 2
        strip = arm[:, np.newaxis] & (columns <= 0)[np.newaxis, :]
        behind: NDArray[np.bool_] = (self.radius_px() <= self.beamstop_radius_px) | strip
        return behind

    def _offsets_px(self) -> tuple[NDArray[Any], NDArray[Any]]:
        height, width = self.detector.shape
        column, row = self.beam_center_px
        return np.arange(width) + 0.5 - column, np.arange(height) + 0.5 - row

    @staticmethod
    def _blind(mask: NDArray[np.uint32]) -> NDArray[np.bool_]:
        blind: NDArray[np.bool_] = (mask & np.uint32(PixelMaskBit.GAP | PixelMaskBit.DEAD)) != 0
        return blind

    def frames(self, what: str, dtype: str = "u2", seed: int = 0) -> PoissonFrames:
        """Give the frames of "buffer" or "sample"; gaps and dead pixels hold the maximum."""
        if what not in {"buffer", "sample"}:
            raise ParameterError(f"frames are of buffer or of sample, not of {what!r}")
        buffer = what == "buffer"
        return PoissonFrames(
            self.buffer_expectation() if buffer else self.sample_expectation(),
            np.dtype(dtype),
            seed=seed,
            stream=_BUFFER if buffer else _SAMPLE,
            dead=self._blind(self.pixel_mask()),
        )


@dataclass(frozen=True, slots=True)
class BioSaxsPair:
    """The master files of two runs that belong together."""

    buffer: Path
    """Master file of the buffer's run."""
    sample: Path
    """Master file of the sample's run."""


def write_biosaxs_pair(
    folder: Path,
    model: BioSaxsModel | None = None,
    *,
    frames: int = 200,
    seed: int = 0,
    frames_per_file: int = 100,
    dtype: str = "u2",
    proposal: str = "",
    instrument: str = "",
    threads: int | None = None,
) -> BioSaxsPair:
    """Write a run of buffer and a run of sample, each in a folder of its own.

    The files say wavelength, distance, beam centre, pixel size, mask and saturation; only the
    model knows the truth, ``model.rg_nm``.

    Parameters
    ----------
    folder
        ``buffer/buffer_master.h5`` and ``sample/sample_master.h5`` and their data files go there.
    model
        What scatters and what counts. None: the default one.
    frames, frames_per_file, dtype
        As in `DectrisRun`; the frames are those of each of the two runs.
    seed
        The same seed gives the same frames, whatever the number of threads.
    proposal, instrument
        Written into both runs where NeXus puts them; empty: not written.
    threads
        How many threads draw frames. None: as many as there are processors.
    """
    model = model or BioSaxsModel()
    mask = model.pixel_mask()
    runs = {
        "buffer": ("buffer", "2026-05-04T08:00:00.000Z"),
        "sample": (f"spheres, R = {model.radius_nm:g} nm, in buffer", "2026-05-04T08:02:00.000Z"),
    }
    masters = {}
    for name, (sample, start_time) in runs.items():
        run = DectrisRun(
            name=name,
            frames=frames,
            frames_per_file=frames_per_file,
            dtype=dtype,
            detector=model.detector,
            wavelength_nm=model.wavelength_nm,
            distance_m=model.distance_m,
            beam_center_px=model.beam_center_px,
            start_time=start_time,
            proposal=proposal,
            title=f"bioSAXS of {sample}",
            sample=sample,
            instrument=instrument,
        )
        source = model.frames(name, dtype, seed)
        masters[name] = write_dectris_run(
            folder / name, run, source, pixel_mask=mask, threads=threads
        )
    return BioSaxsPair(**masters)
