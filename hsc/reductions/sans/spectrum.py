"""Numbers by wavelength with variances: monitors, transmission, the direct beam."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError, ReductionError
from hsc.reductions.sans.parameters import SansParameters

_ROUND = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """A number with its variance for each bin of wavelength."""

    values: NDArray[np.float64]
    """(bins,)."""
    variances: NDArray[np.float64]
    """(bins,)."""

    def times(self, other: Spectrum) -> Spectrum:
        """Multiply by another, not correlated one."""
        return Spectrum(
            self.values * other.values,
            self.variances * other.values**2 + other.variances * self.values**2,
        )

    def over(self, other: Spectrum) -> Spectrum:
        """Divide by another, not correlated one; NaN where that is 0."""
        divisor = np.where(other.values == 0, np.nan, other.values)
        ratio = self.values / divisor
        return Spectrum(ratio, (self.variances + other.variances * ratio**2) / divisor**2)


@dataclass(frozen=True, slots=True, eq=False)
class MonitorCounts:
    """What a monitor counted, in its own bins; parts with the same bins add up exactly."""

    edges: NDArray[np.float64]
    """(bins + 1,): edges of the bins, angstrom."""
    counts: NDArray[np.float64]
    """(bins,): counts, whole numbers below 2^53 where the bins are as they were recorded."""
    where: str
    """For messages."""
    length_m: float = 0.0
    """How far neutrons fly to it, m."""

    def __add__(self, other: MonitorCounts) -> MonitorCounts:
        """Add what was counted in another run.

        Raises
        ------
        ReductionError
            The bins are others.
        """
        if not np.array_equal(self.edges, other.edges):
            raise ReductionError(
                "monitors with different bins of wavelength can't be added",
                where=f"{self.where} and {other.where}",
                next_step="reduce the runs one by one",
            )
        return replace(self, counts=self.counts + other.counts)


def corrected(
    monitor: MonitorCounts, edges: NDArray[np.float64], parameters: SansParameters
) -> Spectrum:
    """Bring a monitor's counts into bins of wavelength, less their background.

    The background is the mean count of the monitor's own bins outside of
    ``monitor_signal_min_angstrom`` to ``monitor_signal_max_angstrom``; it is taken off after the
    counts were brought into the new bins, as esssans does (`preprocess_monitor_data`). A bin that
    the monitor's own reach over only in part, or not at all, counts nothing.

    Raises
    ------
    ParameterError
        No bin is outside.
    """
    values = rebin(monitor.edges, monitor.counts, edges)
    slack = _ROUND * edges[-1]
    whole = (edges[:-1] >= monitor.edges[0] - slack) & (edges[1:] <= monitor.edges[-1] + slack)
    values = np.where(whole, values, 0.0)
    low, high = parameters.monitor_signal_min_angstrom, parameters.monitor_signal_max_angstrom
    if low is None and high is None:
        return Spectrum(values, values.copy())
    low, high = low or 0.0, np.inf if high is None else high
    # A bin is signal when one of its edges is: the range [low, high) decides.
    within = (monitor.edges >= low) & (monitor.edges < high)
    outside = monitor.counts[~(within[1:] | within[:-1])]
    if not len(outside):
        raise ParameterError(
            f"no bin of the monitor is outside of {low!r} to {high!r} angstrom",
            where=monitor.where,
            next_step="narrow monitor_signal_min_angstrom and monitor_signal_max_angstrom, or "
            "widen wavelength_min_angstrom and wavelength_max_angstrom",
        )
    total = float(outside.sum())
    variance = total / len(outside) ** 2
    spread = len(values) if parameters.uncertainties == "upper_bound" else 0
    return Spectrum(
        np.where(whole, values - total / len(outside), 0.0),
        np.where(whole, values + spread * variance, 0.0),
    )


def rebin(
    edges: NDArray[np.float64], counts: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share counts out to other bins by how much of each lies in them, in ascending order."""
    if np.array_equal(edges, wanted):
        return counts.copy()
    shared = np.zeros(len(wanted) - 1)
    first = np.clip(np.searchsorted(edges, wanted[:-1], side="right") - 1, 0, len(counts))
    last = np.clip(np.searchsorted(edges, wanted[1:], side="left"), 0, len(counts))
    width = np.diff(edges)
    for bin_, (start, stop) in enumerate(zip(first, last, strict=True)):
        for at in range(start, stop):
            overlap = min(edges[at + 1], wanted[bin_ + 1]) - max(edges[at], wanted[bin_])
            if overlap > 0:
                shared[bin_] += counts[at] * overlap / width[at]
    return shared


def transmission_of(
    sample: tuple[Spectrum, Spectrum], empty: tuple[Spectrum, Spectrum]
) -> Spectrum:
    """Give T = (sample's transmitted / empty's transmitted) (empty's incident / sample's incident).

    Each pair is incident and transmission monitor (Mantid's CalculateTransmission without a fit).
    """
    return sample[1].over(empty[1]).times(empty[0].over(sample[0]))


def interpolate(
    x: NDArray[np.float64], y: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Interpolate linearly, and go on so beyond the ends."""
    at = np.clip(np.searchsorted(x, wanted) - 1, 0, len(x) - 2)
    slope = (y[at + 1] - y[at]) / (x[at + 1] - x[at])
    return np.asarray(y[at] + slope * (wanted - x[at]))
