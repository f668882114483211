"""Spheres in a pulsed neutron beam: what the detectors and monitors of a small SANS count."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.testing.biosaxs import sphere_form_factor

# h / m of the neutron (CODATA 2022) in m angstrom / s, g as of the SI brochure.
RATE_M_ANGSTROM_PER_S = 6.62607015e-34 / 1.67492750056e-27 * 1e10
_DROP_PER_M_ANGSTROM2 = 9.80665 / (2 * RATE_M_ANGSTROM_PER_S**2)

EventRun = Literal["sample", "cell", "sample_transmission", "cell_transmission", "empty_beam"]
"""What is in the beam, and whether the transmission monitor is."""


@dataclass(frozen=True, slots=True)
class StrawBank:
    """Straws side by side, each divided along its length."""

    name: str = "bank_rear"
    """Name of its group."""
    straws: int = 64
    """Rows; the straws lie along x."""
    pixels: int = 64
    """Pixels along a straw."""
    pitch_m: float = 0.015
    """From straw to straw, and from pixel to pixel."""
    radius_m: float = 0.004
    """Radius of a straw."""
    distance_m: float = 5.0
    """From the sample along the beam."""
    angle_deg: float = 0.0
    """How far it is turned about the sample, around the vertical."""
    first: int = 1
    """Detector number of its first pixel."""

    @property
    def count(self) -> int:
        """How many pixels."""
        return self.straws * self.pixels

    def offsets_m(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give x and y of each pixel in the bank's own plane: (straws, pixels) each."""
        x = (np.arange(self.pixels) - (self.pixels - 1) / 2) * self.pitch_m
        y = (np.arange(self.straws) - (self.straws - 1) / 2) * self.pitch_m
        shape = (self.straws, self.pixels)
        return np.broadcast_to(x, shape).copy(), np.broadcast_to(y[:, None], shape).copy()

    def positions_m(self) -> NDArray[np.float64]:
        """Give the place of each pixel from the sample: (straws * pixels, 3)."""
        x, y = (each.ravel() for each in self.offsets_m())
        angle = math.radians(self.angle_deg)
        sine, cosine = math.sin(angle), math.cos(angle)
        z = self.distance_m
        return np.stack([cosine * x + sine * z, y, -sine * x + cosine * z], axis=1)

    def solid_angles(self) -> NDArray[np.float64]:
        """Give each pixel's solid angle in sr: 2 R L |sin(r, axis)| / r²."""
        angle = math.radians(self.angle_deg)
        axis = np.array([math.cos(angle), 0.0, -math.sin(angle)])
        place = self.positions_m()
        far = np.linalg.norm(place, axis=1)
        across = np.sqrt(1 - (place @ axis / far) ** 2)
        return np.asarray(2 * self.radius_m * self.pitch_m * across / far**2)


@dataclass(frozen=True, slots=True)
class EventSansModel:
    """Spheres in a cell, seen by banks of straws with a pulsed source far upstream.

    Expected counts of pixel p at wavelength λ are M(λ) T(λ) E(λ) Ω_p I(Q), with M the incident
    monitor's counts, T the transmission, E the detectors' efficiency, and I = forward P(Q) +
    cell. Neutrons fall on their way from the sample.

    Examples
    --------
    >>> round(EventSansModel().rg_angstrom, 3)
    30.984
    """

    radius_angstrom: float = 40.0
    """Radius of the spheres."""
    forward: float = 1000.0
    """Scattering of the spheres at Q = 0, per sr and incident neutron counted."""
    cell: float = 4.0
    """Scattering of the cell, the same at each Q, likewise."""
    banks: tuple[StrawBank, ...] = field(default_factory=lambda: (StrawBank(),))
    """The detectors."""
    source_m: float = -23.6
    """Place of the source along the beam, the sample at 0."""
    monitors_m: tuple[float, float] = (-2.0, 0.3)
    """Place of the incident and of the transmission monitor."""
    incident_counts: float = 400_000.0
    """Expected counts of the incident monitor."""
    wavelengths_angstrom: tuple[float, float] = (2.0, 11.0)
    """The band that the source gives."""
    period_s: float = 1 / 14
    """From pulse to pulse."""
    samples: int = 360
    """Steps of wavelength that expected counts are worked out at."""

    @property
    def rg_angstrom(self) -> float:
        """The true radius of gyration: sqrt(3/5) R."""
        return math.sqrt(3 / 5) * self.radius_angstrom

    def grid(self) -> tuple[NDArray[np.float64], float]:
        """Give the middle of each step of wavelength, and the step: angstrom."""
        low, high = self.wavelengths_angstrom
        step = (high - low) / self.samples
        return np.asarray(low + step * (np.arange(self.samples) + 0.5)), step

    def incident(self) -> NDArray[np.float64]:
        """Give the expected counts of the incident monitor in each step."""
        wavelength, _ = self.grid()
        spectrum = np.exp(-((wavelength - 5.0) ** 2) / 8.0) + 0.15
        return np.asarray(self.incident_counts * spectrum / spectrum.sum())

    def transmission(self, what: str) -> NDArray[np.float64]:
        """Give what is transmitted in each step."""
        wavelength, _ = self.grid()
        if "cell" in what:
            return np.asarray(np.exp(-0.01 * wavelength))
        return np.asarray(np.exp(-0.03 * wavelength) if "sample" in what else 1.0 + 0 * wavelength)

    @staticmethod
    def efficiency(wavelength_angstrom: NDArray[Any]) -> NDArray[np.float64]:
        """Give the detectors' efficiency relative to the monitor's, the direct beam function."""
        return np.asarray(0.5 + 0.1 * np.sqrt(wavelength_angstrom))

    def intensity(self, q_per_angstrom: NDArray[Any], what: str) -> NDArray[np.float64]:
        """Give I(Q) of a run."""
        if what not in ("sample", "cell"):
            raise ParameterError(f"a run of sample or of cell scatters, not one of {what!r}")
        spheres = sphere_form_factor(q_per_angstrom, self.radius_angstrom)
        return np.asarray((self.forward if what == "sample" else 0.0) * spheres + self.cell)

    def q_per_angstrom(self, bank: StrawBank) -> NDArray[np.float64]:
        """Give Q of each pixel and step, with gravity: (pixels, steps)."""
        wavelength, _ = self.grid()
        x, y, z = (each[:, None] for each in bank.positions_m().T)
        y = y + _DROP_PER_M_ANGSTROM2 * (x**2 + y**2 + z**2) * wavelength**2
        two_theta = np.arctan2(np.hypot(x, y), z)
        return np.asarray(4 * np.pi * np.sin(two_theta / 2) / wavelength)

    def expected(self, bank: StrawBank, what: str) -> NDArray[np.float64]:
        """Give expected counts of each pixel and step: (pixels, steps)."""
        wavelength, _ = self.grid()
        beam = self.incident() * self.transmission(what) * self.efficiency(wavelength)
        return np.asarray(
            self.intensity(self.q_per_angstrom(bank), what) * beam * bank.solid_angles()[:, None]
        )
