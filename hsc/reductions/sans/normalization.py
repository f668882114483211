"""What counts are divided by: solid angles, direct beam, monitor and transmission, by Q."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import weigh_pixels, weigh_pixels_flat
from hsc.reductions.sans.parameters import SansBins
from hsc.reductions.sans.pixels import Bank, pixels_of
from hsc.reductions.sans.spectrum import Spectrum
from hsc.workers import Progress, Workers

# Fixed, so that sums of floats are the same however many workers there are.
_WAVELENGTHS_PER_TASK = 8


@dataclass(frozen=True, slots=True, eq=False)
class Denominator:
    """The divisor of counts; those of several runs are added."""

    radial: NDArray[np.float64]
    """(wavelength, Q)."""
    radial_variance: NDArray[np.float64]
    """(wavelength, Q)."""
    flat: NDArray[np.float64]
    """(Qy, Qx): summed over wavelengths."""
    flat_variance: NDArray[np.float64]
    """(Qy, Qx)."""

    def __add__(self, other: Denominator) -> Denominator:
        """Add that of another run."""
        return Denominator(
            self.radial + other.radial,
            self.radial_variance + other.radial_variance,
            self.flat + other.flat,
            self.flat_variance + other.flat_variance,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Divisor:
    """What a denominator is made of."""

    banks: tuple[Bank, ...]
    """Pixels."""
    beam: Spectrum
    """Incident monitor times transmission."""
    direct_beam: NDArray[np.float64]
    """Direct beam function at the middle of each bin of wavelength."""
    upper_bound: bool
    """Whether the beam's variance counts once for each bin that it divides."""


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    divisor: Divisor
    bins: SansBins
    start: int
    stop: int


def denominators(
    divisors: Sequence[Divisor], bins: SansBins, workers: Workers, progress: Progress
) -> list[Denominator]:
    """Give D(λ, Q) = M(λ) T(λ) Σ_p Ω_p DB(λ) [Q_p(λ) in the bin], λ the middle of each bin.

    Sums run over pixels in ascending order at each wavelength, then over wavelengths.
    """
    count = bins.wavelength.count
    starts = range(0, count, _WAVELENGTHS_PER_TASK)
    tasks = [
        _Task(divisor, bins, start, min(start + _WAVELENGTHS_PER_TASK, count))
        for divisor in divisors
        for start in starts
    ]
    progress.start("normalize", len(tasks), "tasks")
    parts = workers.map(_weigh, tasks, progress=progress)
    progress.finish()
    each = len(starts)
    return [_join(parts[at : at + each]) for at in range(0, len(parts), each)]


def _weigh(task: _Task) -> Denominator:
    divisor, bins = task.divisor, task.bins
    chosen = slice(task.start, task.stop)
    wavelengths = bins.middles_angstrom[chosen]
    radial = np.zeros((len(wavelengths), bins.q.count))
    for bank in divisor.banks:
        pixels = pixels_of(bank)
        weigh_pixels(pixels.paths, pixels.solid_angle, wavelengths, bins.q, radial)
    radial *= divisor.direct_beam[chosen, None]
    values, variances = divisor.beam.values[chosen], divisor.beam.variances[chosen]
    spread = bins.q.count if divisor.upper_bound else 0
    return Denominator(
        radial * values[:, None],
        radial**2 * (spread * variances)[:, None],
        *_flat(task, values, variances),
    )


def _flat(
    task: _Task, values: NDArray[np.float64], variances: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    divisor, plane = task.divisor, task.bins.qxy
    side = plane.count if plane else 0
    total, variance = np.zeros((side, side)), np.zeros((side, side))
    if plane is None:
        return total, variance
    spread = side * side if divisor.upper_bound else 0
    for at in range(task.start, task.stop):
        flat = np.zeros((side, side))
        for bank in divisor.banks:
            pixels = pixels_of(bank)
            wavelength = float(task.bins.middles_angstrom[at])
            weigh_pixels_flat(pixels.paths, pixels.solid_angle, wavelength, plane, flat)
        flat *= divisor.direct_beam[at]
        total += flat * values[at - task.start]
        variance += flat**2 * (spread * variances[at - task.start])
    return total, variance


def _join(parts: Sequence[Denominator]) -> Denominator:
    flat, variance = np.zeros_like(parts[0].flat), np.zeros_like(parts[0].flat)
    for part in parts:
        flat += part.flat
        variance += part.flat_variance
    return Denominator(
        np.concatenate([part.radial for part in parts]),
        np.concatenate([part.radial_variance for part in parts]),
        flat,
        variance,
    )
