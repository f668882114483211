"""What counts are divided by: solid angles, direct beam, monitor and transmission, by Q."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.kernels import weigh_pixels
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

    @property
    def geometry(self) -> str:
        """A name of all pixels' flight paths and solid angles, alike for like ones."""
        return " ".join(bank.key for bank in self.banks)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    divisors: tuple[Divisor, ...]  # of one geometry
    bins: SansBins
    start: int
    stop: int


def denominators(
    divisors: Sequence[Divisor], bins: SansBins, workers: Workers, progress: Progress
) -> list[Denominator]:
    """Give D(λ, Q) = M(λ) T(λ) Σ_p Ω_p DB(λ) [Q_p(λ) in the bin], λ the middle of each bin.

    Sums run over pixels in ascending order at each wavelength, then over wavelengths. What runs
    of the same pixels have in common is worked out once.
    """
    count = bins.wavelength.count
    alike: dict[str, list[int]] = {}
    for number, divisor in enumerate(divisors):
        alike.setdefault(divisor.geometry, []).append(number)
    tasks, owners = [], []
    for numbers in alike.values():
        for start in range(0, count, _WAVELENGTHS_PER_TASK):
            stop = min(start + _WAVELENGTHS_PER_TASK, count)
            tasks.append(_Task(tuple(divisors[each] for each in numbers), bins, start, stop))
            owners.append(numbers)
    weights = [(task.stop - task.start) * _pixels(task) for task in tasks]
    progress.start("normalize", sum(weights), "pixels")
    found = workers.map(_weigh, tasks, progress=progress, weights=weights)
    progress.finish()
    parts: list[list[Denominator]] = [[] for _ in divisors]
    for numbers, made in zip(owners, found, strict=True):
        for number, part in zip(numbers, made, strict=True):
            parts[number].append(part)
    return [_join(each) for each in parts]


def _pixels(task: _Task) -> int:
    return sum(math.prod(bank.numbers.shape) for bank in task.divisors[0].banks)


def _weigh(task: _Task) -> list[Denominator]:
    bins = task.bins
    wavelengths = bins.middles_angstrom[task.start : task.stop]
    radial = np.zeros((len(wavelengths), bins.q.count))
    side = bins.qxy.count if bins.qxy else 0
    flat = np.zeros((len(wavelengths), side, side))
    for bank in task.divisors[0].banks:
        pixels = pixels_of(bank)
        weigh_pixels(pixels.paths, pixels.solid_angle, wavelengths, bins.q, radial, bins.qxy, flat)
    return [_scaled(each, task.start, radial, flat) for each in task.divisors]


def _scaled(
    divisor: Divisor, start: int, radial: NDArray[np.float64], flat: NDArray[np.float64]
) -> Denominator:
    """Multiply what pixels see by what the beam brings, at wavelengths from ``start`` on."""
    chosen = slice(start, start + len(radial))
    efficiency, upper = divisor.direct_beam[chosen], divisor.upper_bound
    values, variances = divisor.beam.values[chosen], divisor.beam.variances[chosen]
    radial = radial * efficiency[:, None]
    total, variance = np.zeros(flat.shape[1:]), np.zeros(flat.shape[1:])
    for number in range(len(flat)):
        plane = flat[number] * efficiency[number]
        total += plane * values[number]
        variance += plane**2 * (upper * plane.size * variances[number])
    return Denominator(
        radial * values[:, None],
        radial**2 * (upper * radial.shape[1] * variances)[:, None],
        total,
        variance,
    )


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
