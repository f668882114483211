"""What was counted of each run: its banks' events together, and its monitors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hsc.kernels import EventCounts, PulseFrame
from hsc.reductions.sans.counting import MonitorEvents, count_all
from hsc.reductions.sans.monitors import Monitor
from hsc.reductions.sans.parameters import SansBins, SansParameters
from hsc.reductions.sans.pixels import Bank
from hsc.reductions.sans.runs import EventRun
from hsc.reductions.sans.spectrum import MonitorCounts, Spectrum, corrected
from hsc.workers import Progress, Workers


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What was counted of one run."""

    detectors: EventCounts | None
    """Of its banks; None: they were not looked at."""
    incident: MonitorCounts
    """Of the monitor before the sample."""
    transmitted: MonitorCounts | None
    """Of the monitor behind it; None: it was not looked at."""


class Tallies:
    """The tallies of all runs of a reduction.

    Parameters
    ----------
    tallies
        By the run's identity.
    bins
        The bins.
    parameters
        How monitors are corrected.
    """

    def __init__(
        self, tallies: dict[int, Tally], bins: SansBins, parameters: SansParameters
    ) -> None:
        self._tallies = tallies
        self._edges = bins.wavelength.edges
        self._parameters = parameters

    def detectors(self, runs: Iterable[EventRun]) -> EventCounts:
        """Add up the banks' counts of runs."""
        found = [self._tallies[id(run)].detectors for run in runs]
        counts = [each for each in found if each is not None]
        return sum(counts[1:], counts[0])

    def incident(self, runs: Iterable[EventRun]) -> Spectrum:
        """Add up the incident monitors of runs, then correct them."""
        return self._corrected([self._tallies[id(run)].incident for run in runs])

    def transmitted(self, runs: Iterable[EventRun]) -> Spectrum:
        """Add up the transmission monitors of runs, then correct them."""
        found = [self._tallies[id(run)].transmitted for run in runs]
        return self._corrected([each for each in found if each is not None])

    def _corrected(self, parts: Sequence[MonitorCounts]) -> Spectrum:
        return corrected(sum(parts[1:], parts[0]), self._edges, self._parameters)


def count_runs(
    runs: Sequence[EventRun],
    bins: SansBins,
    parameters: SansParameters,
    workers: Workers,
    progress: Progress,
) -> Tallies:
    """Count all events of all runs at once."""
    sources: list[tuple[Bank | MonitorEvents, PulseFrame]] = []
    for run in runs:
        sources += [(bank, run.frame(bank.second)) for bank in run.banks]
        for monitor in (run.incident, run.transmitted):
            if isinstance(monitor, MonitorEvents):
                sources.append((monitor, run.frame(monitor.second)))
    counted = iter(
        count_all(sources, bins, workers, progress, unequal=parameters.unequal_event_lengths)
    )
    tallies = {}
    for run in runs:
        detectors = [next(counted) for _ in run.banks]
        total = sum(detectors[1:], detectors[0]) if detectors else None
        incident = _monitored(run.incident, counted, bins)
        behind = run.transmitted
        transmitted = None if behind is None else _monitored(behind, counted, bins)
        tallies[id(run)] = Tally(total, incident, transmitted)
    return Tallies(tallies, bins, parameters)


def _monitored(monitor: Monitor, counted: Iterator[EventCounts], bins: SansBins) -> MonitorCounts:
    if isinstance(monitor, MonitorCounts):
        return monitor
    counts = next(counted).radial[:, 0].astype(np.float64)
    return MonitorCounts(bins.wavelength.edges, counts, monitor.times.path, monitor.length_m)
