"""What can be set when neutron events are reduced to I(Q)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsc.errors import ParameterError
from hsc.kernels import EventBins, event_bins
from hsc.model import Record

# The SI's h, CODATA 2022's mass of the neutron, and standard gravity, as scipp has them.
_PLANCK_J_S = 6.62607015e-34
_NEUTRON_KG = 1.67492750056e-27
_GRAVITY_M_PER_S2 = 9.80665

RATE_M_ANGSTROM_PER_S = _PLANCK_J_S / _NEUTRON_KG * 1e10
"""h / m: wavelength in angstrom of a neutron that flies one metre in one second."""
DROP_PER_M_ANGSTROM2 = _GRAVITY_M_PER_S2 * _NEUTRON_KG**2 / (2 * _PLANCK_J_S**2) * 1e-20
"""g m² / 2h²: how far a neutron falls, per squared length and squared wavelength."""


class SansParameters(Record):
    """Parameters of the reduction of neutron events."""

    wavelength_min_angstrom: float = Field(default=1.0, gt=0)
    """Lower edge of the first bin of wavelength, angstrom."""
    wavelength_max_angstrom: float = Field(default=13.0, gt=0)
    """Upper edge of the last bin of wavelength, angstrom."""
    wavelength_bins: int = Field(default=200, ge=1, le=10_000)
    """Number of bins, equal in wavelength."""
    q_min_per_angstrom: float = Field(default=0.01, ge=0)
    """Lower edge of the first bin of Q, 1/angstrom."""
    q_max_per_angstrom: float = Field(default=0.3, gt=0)
    """Upper edge of the last bin of Q, 1/angstrom."""
    q_bins: int = Field(default=100, ge=1, le=10_000)
    """Number of bins of Q."""
    q_scale: Literal["linear", "log"] = "linear"
    """Whether bins are equal in Q or in its logarithm."""
    qxy_max_per_angstrom: float | None = Field(default=None, gt=0)
    """Qx and Qy reach so far to both sides, 1/angstrom; None: as far as Q."""
    qxy_bins: int = Field(default=100, ge=0, le=1_000)
    """Number of bins along Qx, and along Qy; 0: no I(Qx, Qy)."""
    wavelength_bands: int = Field(default=0, ge=0, le=100)
    """I(Q) is also given in so many bands of as many bins of wavelength, to compare; 0: not."""
    gravity: bool = True
    """Correct for the fall of neutrons on their way from the sample."""
    beam_center_x_m: float = 0.0
    """Where the beam meets the detector, level, from where places in the file have it, m."""
    beam_center_y_m: float = 0.0
    """Likewise upwards, m."""
    uncertainties: Literal["drop", "upper_bound", "fail"] = "upper_bound"
    """What becomes of the monitors' variances where one number divides many: left out, counted
    for each of the many (an upper bound), or an error."""
    frame_shortest_wavelength_angstrom: float | None = Field(default=None, ge=0)
    """The shortest wavelength that choppers let through: what seems shorter left with the pulse
    before. None: times since the pulse are taken as they are."""
    table_relative_error_max: float | None = Field(default=None, gt=0)
    """Where the table of wavelengths has a larger relative standard deviation, events are left
    out; None: any is taken."""
    pulse_period_s: float | None = Field(default=None, gt=0)
    """From pulse to pulse, s; None: by the source's frequency in the dataset."""
    incident_monitor: str | None = None
    """Name of the monitor before the sample; None: the only one there."""
    transmission_monitor: str | None = None
    """Name of the monitor behind the sample; None: the only one there."""
    monitor_signal_min_angstrom: float | None = Field(default=None, ge=0)
    """What monitors count at shorter wavelengths is background; None: no background."""
    monitor_signal_max_angstrom: float | None = Field(default=None, gt=0)
    """What monitors count at longer wavelengths is background; None: no background."""
    sample_transmission: float | None = Field(default=None, gt=0)
    """Transmission of the sample, the same at all wavelengths; None: it is measured."""
    background_transmission: float | None = Field(default=None, gt=0)
    """Transmission of the background run, likewise."""
    banks: str | None = None
    """Names of the detector banks to take, with commas; None: all."""
    masked_detector_numbers: str | None = None
    """Pixels to leave out: detector numbers and ranges with commas, as in 1-512,700."""
    unequal_event_lengths: Literal["fail", "leading"] = "fail"
    """What to do where a bank has more times than pixel numbers, or fewer: refuse, or pair as many
    as there are of both from the first on."""

    def bins(self) -> SansBins:
        """Give the bins.

        Raises
        ------
        ParameterError
            A range is empty, or begins at 0 on a logarithmic scale.
        """
        q_low, q_high = self.q_min_per_angstrom, self.q_max_per_angstrom
        _check("q", q_low, q_high, "per_angstrom")
        low, high = self.wavelength_min_angstrom, self.wavelength_max_angstrom
        _check("wavelength", low, high, "angstrom")
        if self.q_scale == "log" and q_low <= 0:
            raise ParameterError(
                "q_min_per_angstrom is 0, which no logarithmic scale begins with",
                next_step="give it: -p q_min_per_angstrom=..., or -p q_scale=linear",
            )
        if self.wavelength_bands > self.wavelength_bins:
            raise ParameterError(
                f"wavelength_bands is {self.wavelength_bands}, of {self.wavelength_bins} bins",
                next_step="give fewer bands, or more wavelength_bins",
            )
        space = np.geomspace if self.q_scale == "log" else np.linspace
        side = q_high if self.qxy_max_per_angstrom is None else self.qxy_max_per_angstrom
        plane = np.linspace(-side, side, self.qxy_bins + 1) if self.qxy_bins else None
        return SansBins(
            event_bins(np.linspace(low, high, self.wavelength_bins + 1)),
            event_bins(space(q_low, q_high, self.q_bins + 1)),
            None if plane is None else event_bins(plane),
        )

    def wanted_banks(self) -> tuple[str, ...]:
        """Give the names of the banks to take; none for all."""
        return tuple(name.strip() for name in (self.banks or "").split(",") if name.strip())

    def masked_numbers(self) -> tuple[tuple[int, int], ...]:
        """Give first and last of each range of masked detector numbers.

        Raises
        ------
        ParameterError
            It is no list of numbers and ranges.

        Examples
        --------
        >>> SansParameters(masked_detector_numbers="1-512, 700").masked_numbers()
        ((1, 512), (700, 700))
        """
        found = []
        for part in (self.masked_detector_numbers or "").split(","):
            if not part.strip():
                continue
            first, _, last = part.partition("-")
            try:
                low, high = int(first), int(last or first)
            except ValueError as error:
                raise ParameterError(
                    f"masked_detector_numbers has {part.strip()!r}, which is no number or range",
                    next_step="give numbers and ranges, as in -p masked_detector_numbers=1-512,700",
                ) from error
            found.append((min(low, high), max(low, high)))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class SansBins:
    """The bins of a reduction."""

    wavelength: EventBins
    """Angstrom."""
    q: EventBins
    """1/angstrom."""
    qxy: EventBins | None
    """Of Qx and of Qy, 1/angstrom; None: not wanted."""

    @property
    def middles_angstrom(self) -> NDArray[np.float64]:
        """The middle of each bin of wavelength."""
        edges = self.wavelength.edges
        return np.asarray((edges[:-1] + edges[1:]) * 0.5)


def _check(what: str, low: float, high: float, unit: str) -> None:
    if not high > low:
        raise ParameterError(
            f"{what}_min_{unit} {low!r} is not below {what}_max_{unit} {high!r}",
            next_step=f"give a range: -p {what}_min_{unit}=... -p {what}_max_{unit}=...",
        )
