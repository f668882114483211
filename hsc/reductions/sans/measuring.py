"""From what was counted to what is divided: transmission, and runs added up with their divisor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ParameterError
from hsc.reductions.sans.intensity import Measured, refuse_empty, refuse_unweighed
from hsc.reductions.sans.normalization import Divisor, denominators
from hsc.reductions.sans.parameters import SansBins, SansParameters
from hsc.reductions.sans.runs import EventRun
from hsc.reductions.sans.spectrum import Spectrum, transmission_of
from hsc.reductions.sans.tallies import Tallies
from hsc.workers import Progress, Workers

KINDS = ("sample", "background")
"""The kinds of runs that scatter."""

Runs = Mapping[str, Sequence[EventRun]]
"""Runs by the input that they were given for."""


def transmission_input(kind: str) -> str:
    """Give the input that measures the transmission of a kind."""
    return "transmission" if kind == "sample" else f"{kind}_transmission"


def measure(
    runs: Runs,
    tallies: Tallies,
    direct_beam: NDArray[np.float64],
    bins: SansBins,
    parameters: SansParameters,
    workers: Workers,
    progress: Progress,
) -> dict[str, Measured]:
    """Add up the runs of each kind that there is.

    Counts and monitors of one geometry are added as integers, then comes what they divide by;
    that is worked out for all kinds at once.

    Raises
    ------
    ParameterError
        The transmission is neither given nor measured.
    ReductionError
        There are counts that nothing is known to divide by, or none at all.
    """
    upper = parameters.uncertainties == "upper_bound"
    found: dict[str, tuple[Spectrum, Spectrum, range]] = {}
    divisors: list[Divisor] = []
    for kind in (kind for kind in KINDS if runs[kind]):
        transmission = _transmission(kind, runs, tallies, bins, parameters)
        groups: dict[str, list[EventRun]] = {}
        for run in runs[kind]:
            groups.setdefault(run.geometry(), []).append(run)
        first = len(divisors)
        total, seen = np.zeros((2, bins.wavelength.count)), np.ones(bins.wavelength.count, np.bool_)
        for _, chosen in sorted(groups.items()):
            monitor = tallies.incident(chosen)
            total += np.stack([monitor.values, monitor.variances])
            # A bin in which a monitor counted nothing has no transmission, and weighs nothing.
            beam = monitor.times(transmission)
            known = np.isfinite(beam.values)
            beam = Spectrum(np.where(known, beam.values, 0.0), np.where(known, beam.variances, 0.0))
            seen &= known & (beam.values != 0)
            divisors.append(Divisor(chosen[0].banks, beam, direct_beam, upper))
        where = str(runs[kind][0].dataset.record.pid)
        counts = tallies.detectors(runs[kind])
        refuse_unweighed(counts, seen, bins, where)
        refuse_empty(counts, bins, where)
        found[kind] = Spectrum(*total), transmission, range(first, len(divisors))
    parts = denominators(divisors, bins, workers, progress)
    return {
        kind: Measured(
            tallies.detectors(runs[kind]),
            sum((parts[at] for at in places[1:]), parts[places[0]]),
            incident,
            transmission,
        )
        for kind, (incident, transmission, places) in found.items()
    }


def _transmission(
    kind: str, runs: Runs, tallies: Tallies, bins: SansBins, parameters: SansParameters
) -> Spectrum:
    constant = getattr(parameters, f"{kind}_transmission")
    if constant is not None:
        return Spectrum(np.full(bins.wavelength.count, constant), np.zeros(bins.wavelength.count))
    if not runs["empty_beam"]:
        raise ParameterError(
            f"the transmission of the {kind} is neither given nor measured: there is no input "
            "'empty_beam'",
            next_step=f"give empty_beam=PID, or -p {kind}_transmission=... (1 for none)",
        )
    own = runs[transmission_input(kind)] or runs[kind]
    empty = runs["empty_beam"]
    return transmission_of(
        (tallies.incident(own), tallies.transmitted(own)),
        (tallies.incident(empty), tallies.transmitted(empty)),
    )
