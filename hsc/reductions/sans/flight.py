"""How times of arrival become wavelengths in a run, and when they can't."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hsc.errors import ParameterError, ReductionError
from hsc.kernels import PulseFrame
from hsc.model import Quantity
from hsc.reductions.base import SourceDataset
from hsc.reductions.sans.lookup import Lookup
from hsc.reductions.sans.parameters import RATE_M_ANGSTROM_PER_S, SansParameters

_SAME_PERIOD = 1e-3


@dataclass(frozen=True, slots=True)
class Flight:
    """What is known of a run's pulses and choppers."""

    period_s: float
    """From pulse to pulse; 0: not known."""
    shortest_angstrom: float | None
    """The shortest wavelength in a frame; None: times are taken as they are."""
    lookups: tuple[Lookup, ...]
    """Tables of wavelengths; none: λ = h t / (m L)."""
    choppers: tuple[str, ...]
    """Names of the choppers in the run's file."""
    where: str
    """For messages."""

    def frame(self, second: float) -> PulseFrame:
        """Give how times in a unit, which is so many seconds, are taken."""
        if self.shortest_angstrom is None or self.lookups:
            return PulseFrame()
        return PulseFrame(self.period_s / second, self.shortest_angstrom)

    def lookup(self, low_m: float, high_m: float, what: str) -> Lookup | None:
        """Choose the first table that covers lengths of flight; None where none is given.

        Raises
        ------
        ReductionError
            None covers them.
        """
        for each in self.lookups:
            if each.covers(low_m, high_m):
                return each
        if not self.lookups:
            return None
        ranges = ", ".join(f"{each.range_m[0]:.6g} to {each.range_m[1]:.6g} m ({each.pid})"
                           for each in self.lookups)  # fmt: skip
        raise ReductionError(
            f"neutrons fly {low_m:.6g} to {high_m:.6g} m to {what}, for which no table of "
            f"wavelengths is made: there is {ranges}",
            where=self.where,
            next_step="make the table for those lengths, or give several: wavelength_table=PID "
            "wavelength_table=PID2",
        )

    def refuse_overlap(self, parameters: SansParameters, longest_m: float, what: str) -> None:
        """Refuse wavelengths that arrive after the next pulse and would be taken for shorter ones.

        Raises
        ------
        ReductionError
            The longest wavelength does not arrive within the frame.
        """
        if self.lookups or not self.period_s:
            return
        begin = self.shortest_angstrom or 0.0
        end = begin + RATE_M_ANGSTROM_PER_S * self.period_s / longest_m
        wanted = parameters.wavelength_max_angstrom
        if wanted > end:
            # Rounded down, so that the number can be given as it is told.
            most = math.floor(end * 1000) / 1000
            raise ReductionError(
                f"neutrons of {wanted:g} angstrom fly {longest_m:.6g} m to {what}, and arrive "
                f"when later pulses have begun: within {1000 * self.period_s:.6g} ms only "
                f"{begin:g} to {most:g} angstrom can be told from others",
                where=self.where,
                next_step="give the choppers' table, wavelength_table=PID; or the shortest "
                "wavelength that they let through, -p frame_shortest_wavelength_angstrom=...; or "
                f"-p wavelength_max_angstrom={most:g}, if no slower ones come",
            )

    def warnings(self) -> list[str]:
        """Say what is assumed and was not checked."""
        said = []
        if self.choppers and not self.lookups:
            said.append(
                f"the choppers {', '.join(self.choppers)} are not looked at: wavelengths are those "
                "of neutrons that left the source at the pulse's begin"
            )
        if not self.period_s and not self.lookups:
            said.append(
                "the time from pulse to pulse is not known: neutrons that arrive after the next "
                "pulse would be taken for faster ones"
            )
        return said


def flight_of(
    dataset: SourceDataset, parameters: SansParameters, lookups: tuple[Lookup, ...]
) -> Flight:
    """Find a run's pulses and choppers.

    Raises
    ------
    ParameterError
        The source's frequency is none, or not there where it is needed; or tables and a shortest
        wavelength are given both.
    ReductionError
        A table was made for another period.
    """
    shortest = parameters.frame_shortest_wavelength_angstrom
    if lookups and shortest is not None:
        raise ParameterError(
            "frame_shortest_wavelength_angstrom and a table of wavelengths both say which pulse "
            "a neutron left with",
            next_step="leave one of them out",
        )
    where = str(dataset.record.pid)
    period = parameters.pulse_period_s or _period(dataset, needed=shortest is not None)
    for each in lookups:
        if period and abs(each.period_s - period) > _SAME_PERIOD * period:
            raise ReductionError(
                f"the table {each.pid} is made for pulses each {1000 * each.period_s:.6g} ms, and "
                f"the run's come each {1000 * period:.6g} ms",
                where=where,
                next_step="give the table that was made for this source and these choppers",
            )
    choppers = sorted(r.partition("@")[2] for r in dataset.roles if r.startswith("chopper@"))
    return Flight(period, shortest, lookups, tuple(choppers), where)


def _period(dataset: SourceDataset, *, needed: bool) -> float:
    if "source_frequency" not in dataset.roles:
        if not needed:
            return 0.0
        raise ParameterError(
            "no array has the role 'source_frequency', which tells how often the source pulses, "
            "in Hz",
            where=str(dataset.record.pid),
            next_step="give -p pulse_period_s=...",
        )
    array = dataset.role("source_frequency")
    value, unit = array.scalar(), array.attributes.get("units")
    number = np.nan if isinstance(value, str) else float(value)
    si = Quantity(value=number, unit=str(unit or "?")).si()
    if si is None or si[1] != "[time]^-1" or not 0 < si[0] < np.inf:
        raise ParameterError(
            f"source_frequency is {value!r} {unit!r}, which is no frequency in Hz",
            where=f"{dataset.record.pid}, {array.path}",
            next_step="give -p pulse_period_s=...",
        )
    return 1 / si[0]
