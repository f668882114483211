"""Counts over their divisor: I(Q) and I(Qx, Qy) with errors, of a run or of what runs add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError
from hsc.kernels import EventCounts
from hsc.reductions.sans.normalization import Denominator
from hsc.reductions.sans.parameters import SansBins
from hsc.reductions.sans.spectrum import Spectrum


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What runs of one kind add up to."""

    counts: EventCounts
    """C(λ, Q) and C(Qy, Qx)."""
    denominator: Denominator
    """D(λ, Q) and D(Qy, Qx)."""
    incident: Spectrum
    """The incident monitor's counts."""
    transmission: Spectrum
    """Of the sample with its cell, or of the background."""

    def curve(self, start: int = 0, stop: int | None = None) -> Intensity:
        """Give I(Q) = Σ_λ C / Σ_λ D, of all bins of wavelength or of [start, stop)."""
        band = slice(start, stop)
        divisor, variance = np.zeros((2, self.denominator.radial.shape[1]))
        # One row after the other: NumPy's sums along an axis may go another way.
        rows = zip(
            self.denominator.radial[band], self.denominator.radial_variance[band], strict=True
        )
        for values, variances in rows:
            divisor += values
            variance += variances
        return intensity(self.counts.radial[band].sum(axis=0), divisor, variance)

    def flat(self) -> Intensity:
        """Give I(Qx, Qy), likewise: (Qy, Qx)."""
        divided = self.denominator
        return intensity(self.counts.flat, divided.flat, divided.flat_variance)


@dataclass(frozen=True, slots=True, eq=False)
class Intensity:
    """Scattering with its variance; NaN where nothing could have been counted."""

    values: NDArray[np.float64]
    """The intensity."""
    variances: NDArray[np.float64]
    """Its variance."""

    def less(self, other: Intensity | None) -> Intensity:
        """Subtract the background, if there is one."""
        if other is None:
            return self
        return Intensity(self.values - other.values, self.variances + other.variances)


def intensity(
    counts: NDArray[np.int64], divisor: NDArray[np.float64], variance: NDArray[np.float64]
) -> Intensity:
    """Divide counts, whose variance they are themselves.

    Examples
    --------
    >>> made = intensity(np.array([4, 0]), np.array([2.0, 0.0]), np.array([0.25, 0.0]))
    >>> made.values.tolist(), made.variances.tolist()
    ([2.0, nan], [1.25, nan])
    """
    below = np.where(divisor > 0, divisor, np.nan)
    values = counts / below
    return Intensity(values, (counts + variance * values**2) / below**2)


def refuse_unweighed(
    counts: EventCounts, seen: NDArray[np.bool_], bins: SansBins, where: str
) -> None:
    """Refuse counts at wavelengths that nothing is known to divide them by: I would be too large.

    Parameters
    ----------
    counts
        What was counted.
    seen
        (bins,): whether monitors give the beam and the transmission at a wavelength.
    bins
        The bins.
    where
        For the message.

    Raises
    ------
    ReductionError
        There are such counts.
    """
    lost = int(counts.radial[~seen].sum())
    if lost:
        edges, which = bins.wavelength.edges, np.flatnonzero(~seen)
        raise ReductionError(
            f"{lost} events lie in {len(which)} bins of wavelength, from {edges[which[0]]:.4g} to "
            f"{edges[which[-1] + 1]:.4g} angstrom, in which a monitor counted nothing, or "
            "not over the whole bin: there is no transmission to divide them by",
            where=where,
            next_step="narrow -p wavelength_min_angstrom and wavelength_max_angstrom to what the "
            "monitors saw, give fewer wavelength_bins, or the transmission as a number",
        )


def refuse_empty(counts: EventCounts, bins: SansBins, where: str) -> None:
    """Refuse runs of which no event counts: zero would look like a result.

    Raises
    ------
    ReductionError
        There is none.
    """
    if counts.radial.any():
        return
    unknown, masked, beyond_wavelengths, beyond_q = (int(each) for each in counts.left_out)
    edges, q = bins.wavelength.edges, bins.q.edges
    total = unknown + masked + beyond_wavelengths + beyond_q
    if not total:
        raise ReductionError(
            "the run has no events in its detectors",
            where=where,
            next_step="is it the right one, and was it taken in whole? `hsc info PID` tells",
        )
    raise ReductionError(
        f"none of {total} events counts: {beyond_wavelengths} are not of {edges[0]:g} to "
        f"{edges[-1]:g} angstrom, {beyond_q} not of Q {q[0]:g} to {q[-1]:g} 1/angstrom, "
        f"{unknown} of pixels that the file does not have, {masked} of masked ones",
        where=where,
        next_step="look at the ranges, at the unit of event_time_offset, and at the places of "
        "source, sample and pixels",
    )
