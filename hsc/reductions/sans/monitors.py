"""Monitors of a run: which stand where, and what they counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsc.errors import ReductionError, RoleMissingError
from hsc.kernels import PixelPaths, WavelengthTable, event_values
from hsc.reductions.base import SourceDataset
from hsc.reductions.sans.counting import MonitorEvents, monitor_rate, refuse_unwritten
from hsc.reductions.sans.flight import Flight
from hsc.reductions.sans.lookup import table_of
from hsc.reductions.sans.parameters import SansParameters
from hsc.reductions.sans.places import Beam, component_place, si_factor
from hsc.reductions.sans.spectrum import MonitorCounts, rebin

Monitor = MonitorEvents | MonitorCounts


def monitor_of(
    dataset: SourceDataset, parameters: SansParameters, beam: Beam, flight: Flight, what: str
) -> Monitor:
    """Find the monitor before the sample, ``incident``, or behind it, ``transmission``.

    Raises
    ------
    RoleMissingError, ParameterError, ReductionError
        It is missing or ambiguous, or its times can't be made wavelengths.
    """
    wanted = getattr(parameters, f"{what}_monitor")
    names = sorted(r.removeprefix("monitor@") for r in dataset.roles if r.startswith("monitor@"))
    places = {name: component_place(dataset, "monitor", name, beam.sample) for name in names}
    side = -1 if what == "incident" else 1
    sought = "before the sample" if what == "incident" else "behind the sample"
    along = {n: side * float((place - beam.sample) @ beam.axes[2]) for n, place in places.items()}
    found = [name for name, distance in along.items() if distance > 0]
    if wanted is not None:
        if wanted in names and along[wanted] <= 0:
            raise ReductionError(
                f"the {what} monitor {wanted!r} stands {abs(along[wanted]):.6g} m "
                f"{'behind' if side < 0 else 'before'} the sample",
                where=f"{dataset.record.pid}, role monitor@{wanted}",
                next_step=f"name one {sought}: -p {what}_monitor=...; there are "
                f"{', '.join(found) or 'none'}",
            )
        found = [wanted] if wanted in names else []
    if len(found) != 1:
        raise RoleMissingError(
            f"{len(found) or 'no'} monitors are {sought}"
            if wanted is None
            else f"there is no monitor {wanted!r}",
            where=f"{dataset.record.pid}, roles monitor@...",
            next_step=_instead(what, found or (names if wanted is not None else []), names),
        )
    length = float(np.sqrt(((places[found[0]] - beam.source) ** 2).sum()))
    return _counted(dataset, found[0], length, flight)


def _instead(what: str, choice: list[str], names: list[str]) -> str:
    if choice:
        return f"name one: -p {what}_monitor=...; there are {', '.join(choice)}"
    there = f"its monitors are {', '.join(names)}" if names else "it has no monitors"
    if what == "incident":
        return f"{there}; without one before the sample a run can't be normalized"
    return f"{there}; give runs that have one, or the transmission as a number"


def _counted(dataset: SourceDataset, name: str, length_m: float, flight: Flight) -> Monitor:
    array = dataset.role(f"monitor@{name}")
    where = f"{dataset.record.pid}, {array.path}"
    lookup = flight.lookup(length_m, length_m, f"the monitor {name}")
    role = f"monitor_time_of_flight@{name}"
    if role not in dataset.roles:
        second = si_factor(array, "[time]^1", "ns", where)
        return MonitorEvents(array, length_m, second, lookup)
    axis = dataset.role(role)
    refuse_unwritten(array, axis)
    times = np.asarray(axis.read(), np.float64).ravel()
    counts = np.asarray(array.read()).ravel()
    if len(times) != len(counts) + 1 or counts.dtype.kind not in "uif":
        raise ReductionError(
            f"{len(counts)} counts with {len(times)} times of flight; edges of bins are needed, "
            "one more than counts",
            where=where,
        )
    if not (np.diff(times) > 0).all() or not np.isfinite(counts).all():
        raise ReductionError(
            "the monitor's times of flight do not ascend, or a count is no number",
            where=f"{where}, role {role}",
            next_step="the file was damaged or written wrongly: ask the instrument",
        )
    second = si_factor(axis, "[time]^1", "us", f"{where}, role {role}")
    given = counts.astype(np.float64)
    if lookup is not None:
        table = table_of(lookup, second)
        edges, given = by_table(times, given, table, length_m, lookup.period_s / second, where)
        return MonitorCounts(edges, given, where, length_m)
    edges = monitor_rate(length_m, second) * times
    first = flight.shortest_angstrom or 0.0
    if given[edges[:-1] < first].any():
        raise ReductionError(
            f"the monitor counted at times that would be of less than {first:g} angstrom: slow "
            "neutrons of the pulse before, which bins by time are not parted into",
            where=where,
            next_step="give the choppers' table, wavelength_table=PID, or name a monitor that "
            "recorded events",
        )
    return MonitorCounts(edges, given, where, length_m)


def by_table(
    times: NDArray[np.float64],
    counts: NDArray[np.float64],
    table: WavelengthTable,
    length_m: float,
    period: float,
    where: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give edges by wavelength, and counts, of a monitor's bins by time of arrival.

    As ess.reduce does it (`unwrap.to_wavelength`, `resample.rebin_strictly_increasing`): bins are
    cut at the pulse; where wavelengths ascend in several stretches, all are brought into even bins.

    Raises
    ------
    ReductionError
        Wavelengths ascend nowhere.
    """
    cut = np.sort(np.concatenate([times, [0.0, period]]))
    shared = rebin(times, counts, cut)
    alone = PixelPaths(0, np.array([[length_m, 1.0, 1.0, 1.0]]))
    edges = event_values(np.zeros(len(cut), np.int32), cut, alone, table=table)[0]
    known = edges > 0
    ascends = np.zeros(len(cut) + 1, np.int8)
    ascends[1:-1] = (np.diff(edges) > 0) & known[:-1] & known[1:]
    turns = np.diff(ascends)
    pairs = zip(np.flatnonzero(turns == 1), np.flatnonzero(turns == -1) + 1, strict=True)
    stretches = [(edges[start:stop], shared[start : stop - 1]) for start, stop in pairs]
    if not stretches:
        raise ReductionError(
            f"the table has no wavelengths that ascend with time at {length_m:.6g} m",
            where=where,
            next_step="look at the table: hsc open, or ess.reduce's plot of it",
        )
    if len(stretches) == 1:
        return stretches[0]
    first = min(stretches, key=lambda one: float(one[0][0]))[0]
    step, last = first[1] - first[0], max(float(one[0][-1]) for one in stretches)
    even = np.arange(first[0], last + step, step)
    total = np.zeros(len(even) - 1)
    for own, part in stretches:
        total += rebin(own, part, even)
    return even, total
